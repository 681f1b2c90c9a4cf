"""Tables → Interactions: read in batches, checked row by row, coded, sorted.

Every problem of a table is reported at once. Nothing is dropped unless asked, and then every
dropped row is written to a file with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker import files
from tastemaker.data.checks import Tally, check_batch
from tastemaker.data.coded import (
    Coded,
    check_duplicates,
    check_ids,
    check_units,
    check_zones,
)
from tastemaker.data.declaration import Declaration
from tastemaker.data.dictionary import Dictionary
from tastemaker.data.header import BLANK, canonical, check_header
from tastemaker.data.interactions import Interactions
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.spreadsheet import inert
from tastemaker.data.tables import Table, unreadable


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
        catalog_ids: Item ids of the catalogue; those of the log should be spelt as there.
        drop: Leave bad rows out instead of refusing the table.
        ordered: The log carries order instead of times; `timestamp` may be missing.

    Raises:
        BadData: With every problem found.
    """
    check_header(table, declared, ordered)
    gathered = _gather(canonical(table, declared), declared, drop)
    tally, keep = gathered.tally, np.ones(len(gathered.users), bool)
    keep &= check_ids(gathered, catalog_ids)
    keep &= check_zones(gathered)
    keep &= check_units(gathered, declared)
    if declared.duplicates == "error":
        keep &= check_duplicates(gathered, keep)
    if tally.by_cause and not drop:
        raise BadData(tally.problems())
    if not keep.any():
        problems = tally.problems()
        fix = "Give at least one row."
        empty = Problem(table.file, "", None, "", 1, "the table has no rows that can be used", fix)
        raise BadData([*problems, empty])
    columns = gathered.columns(keep)
    del gathered
    log = columns.sort()
    if log["times"] is not None:
        log["times"] //= 1_000_000
    dropped = pl.concat(tally.dropped).sort("row") if tally.dropped else _no_rows()
    names = tuple(declared.events) if log["events"] is not None else (declared.only_event or "",)
    return Reading(Interactions(**log, event_names=names), dropped)


def write_dropped(path: Path, dropped: pl.DataFrame) -> None:
    """Write dropped rows as CSV; cells that a spreadsheet would run are defused."""
    files.write_text(path, inert(dropped).write_csv())


def _gather(table: Table, declared: Declaration, drop: bool) -> Coded:
    tally = Tally(table.file, declared, keep=drop)
    known = {name: Dictionary() for name in ("user_id", "item_id")}
    event = pl.Enum(list(declared.events))
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    missing: list[npt.NDArray[np.int64]] = []
    seen = 0
    for batch in table.batches():
        numbered = batch.with_columns(row=pl.int_range(seen + 1, seen + len(batch) + 1))
        if BLANK in batch.columns:
            numbered = numbered.filter(~pl.col(BLANK))
        good = check_batch(numbered, declared, tally)
        places = good["row"].to_numpy() - 1 - seen
        if len(good) < len(batch):
            missing.append(np.setdiff1d(np.arange(len(batch)), places) + seen)
        coded = _code(good, known, event)
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
        whole.get("zone"),
        whole.get("split"),
    )


def _code(
    good: pl.DataFrame, known: dict[str, Dictionary], event: pl.Enum
) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays of one batch's usable rows; ids and events as codes."""
    coded: dict[str, npt.NDArray[np.generic]] = {}
    for name, dictionary in known.items():
        coded[name] = dictionary.code(good[name])
    if "event" in good.columns and len(event.categories) > 1:
        code = good["event"].cast(pl.String).cast(event).to_physical()
        coded["event"] = code.cast(pl.UInt8).to_numpy()
    for name in ("timestamp", "zone", "value", "order", "split"):
        if name in good.columns:
            coded[name] = good[name].to_numpy()
    return coded


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String, "value": pl.String})
