"""Tables → Interactions: read in batches, checked row by row, coded, sorted.

Every problem of a table is reported at once. Nothing is dropped unless asked, and then every
dropped row is written to a file with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker import files
from tastemaker.data.checks import Tally, check_batch, schema_problems
from tastemaker.data.coded import Coded, check_duplicates, check_ids, check_units
from tastemaker.data.column_names import COLUMNS, missing_column_fix
from tastemaker.data.declaration import Declaration
from tastemaker.data.dictionary import Dictionary
from tastemaker.data.interactions import Interactions
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.spreadsheet import inert
from tastemaker.data.tables import Table, unreadable

BLANK = "\0blank"
"""Marks rows that are passed over; no column of a file can be called this."""


@dataclass(frozen=True)
class Reading:
    """A log and what reading it met."""

    interactions: Interactions
    dropped: pl.DataFrame
    """rows left out, with `row`, `reason`, `value`; empty unless dropping was asked for."""


def read_interactions(
    table: Table,
    declared: Declaration,
    catalog_ids: pl.Series | None = None,
    *,
    drop: bool = False,
    ordered: bool = False,
) -> Reading:
    """Read, check, code and sort a log.

    Args:
        table: Columns `user_id`, `item_id`, `timestamp`; `event`, `value`, `row` optional.
        declared: What the columns mean.
        catalog_ids: Item ids of the catalogue; an item outside it is a problem.
        drop: Leave bad rows out instead of refusing the table.
        ordered: The log carries order instead of times; `timestamp` may be missing.

    Raises:
        BadData: With every problem found.
    """
    renamed = _canonical(table, declared)
    _check_schema(renamed, ordered, table.schema)
    gathered = _gather(renamed, declared)
    tally, keep = gathered.tally, np.ones(len(gathered.users), bool)
    keep &= check_ids(gathered, catalog_ids)
    keep &= check_units(gathered, declared)
    if declared.duplicates == "error":
        keep &= check_duplicates(gathered)
    if tally.found and not drop:
        raise BadData(list(tally.found.values()))
    if not keep.any():
        found = list(tally.found.values())
        fix = "Give at least one row."
        empty = Problem(table.file, "", None, "", 1, "the table has no rows that can be used", fix)
        raise BadData([*found, empty])
    columns = gathered.columns(keep)
    del gathered
    log = columns.sort()
    if log["times"] is not None:
        log["times"] //= 1_000_000
    dropped = pl.concat(tally.dropped).sort("row") if tally.dropped else _no_rows()
    return Reading(Interactions(**log, event_names=tuple(declared.events)), dropped)


def write_dropped(path: Path, dropped: pl.DataFrame) -> None:
    """Write dropped rows as CSV; cells that a spreadsheet would run are defused."""
    files.write_text(path, inert(dropped).write_csv())


def _gather(table: Table, declared: Declaration) -> Coded:
    tally = Tally(table.file)
    known = {name: Dictionary() for name in ("user_id", "item_id")}
    event = pl.Enum(list(declared.events))
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    missing: list[npt.NDArray[np.int64]] = []
    seen = 0
    for batch in table.batches():
        order = batch["row"] if "row" in batch.columns else None
        numbered = batch.with_columns(row=pl.int_range(seen + 1, seen + len(batch) + 1))
        if BLANK in batch.columns:
            numbered = numbered.filter(~pl.col(BLANK))
        good = check_batch(numbered, declared, tally)
        at = good["row"].to_numpy() - 1 - seen
        if len(good) < len(batch):
            missing.append(np.setdiff1d(np.arange(len(batch)), at) + seen)
        coded = _code(good, known, event)
        if order is not None:
            coded["order"] = order.cast(pl.Int64).gather(at).to_numpy()
        for name, array in coded.items():
            parts.setdefault(name, []).append(array)
        seen += len(batch)
    if not seen:
        raise unreadable(table.file, "the table has a header but no rows", "Give at least one row.")
    # Column by column, so that only one is ever held twice.
    whole = {name: np.concatenate(parts.pop(name)) for name in list(parts)}
    return Coded(
        table.file,
        whole["user_id"],
        whole["item_id"],
        whole.get("timestamp"),
        whole.get("event"),
        whole.get("value"),
        np.concatenate([np.empty(0, np.int64), *missing]),
        whole.get("order"),
        known["user_id"].ids(),
        known["item_id"].ids(),
        tally,
        whole.get("split"),
    )


def _code(
    good: pl.DataFrame, known: dict[str, Dictionary], event: pl.Enum
) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays of one batch's usable rows; ids and events as codes."""
    coded: dict[str, npt.NDArray[np.generic]] = {}
    for name, dictionary in known.items():
        coded[name] = dictionary.code(good[name])
    if "timestamp" in good.columns:
        coded["timestamp"] = good["timestamp"].to_numpy()
    if "event" in good.columns and len(event.categories) > 1:
        code = good["event"].cast(pl.String).cast(event).to_physical()
        coded["event"] = code.cast(pl.UInt8).to_numpy()
    if "value" in good.columns:
        coded["value"] = good["value"].to_numpy()
    if "split" in good.columns:
        coded["split"] = good["split"].to_numpy()
    return coded


def _canonical(table: Table, declared: Declaration) -> Table:
    """Only the columns we know, the declared value column renamed to `value`.

    A batch with rows that hold nothing in any column of the file says so in a column `BLANK`.
    """
    names = {name: name for name in (*COLUMNS, "row") if name in table.schema}
    if declared.value and declared.value.column in table.schema:
        names.pop("value", None)
        names[declared.value.column] = "value"
    schema = {new: table.schema[old] for old, new in names.items()}
    picked = [pl.col(old).alias(new) for old, new in names.items()]

    def batches() -> Iterator[pl.DataFrame]:
        for batch in table.batches():
            blank = table.blank_rows(batch)
            known = batch.select(picked)
            yield known if blank is None else known.with_columns(blank.alias(BLANK))

    return Table(table.file, schema, batches) if names else replace(table, schema={})


def _check_schema(table: Table, ordered: bool, columns: Iterable[str]) -> None:
    file, missing = table.file, "the column is missing"
    required = COLUMNS[:2] if ordered else COLUMNS[:3]
    problems = [
        Problem(file, name, None, "", 1, missing, missing_column_fix(name, columns))
        for name in required
        if name not in table.schema
    ]
    problems += schema_problems(table.file, table.schema)
    if problems:
        raise BadData(problems)


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String, "value": pl.String})
