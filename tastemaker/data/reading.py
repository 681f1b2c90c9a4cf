"""Tables → Interactions: read in batches, checked row by row, coded, sorted.

Every problem of a table is reported at once. Nothing is dropped unless asked, and then every
dropped row is written to a file with its reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker import artifacts
from tastemaker.data.checks import EARLY, MODERN, Tally, check_batch, schema_problems
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Columns, Interactions
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.tables import Table, unreadable

COLUMNS = ("user_id", "item_id", "timestamp", "event", "value")
MAX_ID_BYTES = 1024
"""An id longer than this is a value in the wrong column."""


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
    _check_schema(renamed, ordered)
    gathered = _gather(renamed, declared)
    tally, keep = gathered.tally, np.ones(len(gathered.rows), bool)
    keep &= _check_ids(gathered, catalog_ids)
    keep &= _check_units(gathered, declared)
    if declared.duplicates == "error":
        keep &= _check_duplicates(gathered)
    if tally.found and not drop:
        raise BadData(list(tally.found.values()))
    if not keep.any():
        found = list(tally.found.values())
        fix = "Give at least one row."
        empty = Problem(table.file, "", None, "", 1, "the table has no rows that can be used", fix)
        raise BadData([*found, empty])
    columns = gathered.columns(keep)
    log = columns.sort()
    times = None if log.times is None else log.times // 1_000_000
    dropped = pl.concat(tally.dropped).sort("row") if tally.dropped else _no_rows()
    names = tuple(declared.events)
    return Reading(replace(log, times=times, event_names=names), dropped)


def write_dropped(path: Path, dropped: pl.DataFrame) -> None:
    """Write dropped rows as CSV; cells that a spreadsheet would run are defused."""
    safe = pl.col(pl.String).str.replace(r"^([=+\-@\t\r])", "'${1}")
    artifacts.write_text(path, dropped.with_columns(safe).write_csv())


@dataclass
class _Gathered:
    """Canonical columns of all batches; ids coded by the engine's own dictionary."""

    file: str
    users: npt.NDArray[np.uint32]
    items: npt.NDArray[np.uint32]
    times: npt.NDArray[np.int64] | None
    events: npt.NDArray[np.uint8] | None
    values: npt.NDArray[np.float32] | None
    rows: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64] | None
    user_ids: pl.Series
    item_ids: pl.Series
    tally: Tally

    def columns(self, keep: npt.NDArray[np.bool_]) -> Columns:
        """The rows kept, ready to sort, with ids that no row uses removed."""
        everything = bool(keep.all())
        pick = (lambda a: a) if everything else (lambda a: None if a is None else a[keep])
        users, user_ids = _used(pick(self.users), self.user_ids)
        items, item_ids = _used(pick(self.items), self.item_ids)
        rest = [pick(a) for a in (self.times, self.events, self.values, self.order)]
        return Columns(user_ids, item_ids, users, items, *rest)


def _gather(table: Table, declared: Declaration) -> _Gathered:
    tally = Tally(table.file)
    kinds = {name: pl.Categories.random() for name in ("user_id", "item_id")}
    # The engine forgets a dictionary once no column uses it; these two keep it between batches.
    alive = [pl.Series([], dtype=pl.Categorical(kind)) for kind in kinds.values()]
    event = pl.Enum(list(declared.events))
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    seen = 0
    for batch in table.batches():
        rows = pl.int_range(seen + 1, seen + len(batch) + 1, eager=True).alias("row number")
        order = batch["row"] if "row" in batch.columns else None
        good = check_batch(batch.with_columns(rows.alias("row")), declared, tally)
        coded: dict[str, npt.NDArray[np.generic]] = {"row": good["row"].to_numpy() - 1}
        for name, categories in kinds.items():
            code = good[name].cast(pl.Categorical(categories)).to_physical()
            coded[name] = code.cast(pl.UInt32).to_numpy()
        if "timestamp" in good.columns:
            coded["timestamp"] = good["timestamp"].to_numpy()
        if "event" in good.columns and len(declared.events) > 1:
            code = good["event"].cast(pl.String).cast(event).to_physical()
            coded["event"] = code.cast(pl.UInt8).to_numpy()
        if "value" in good.columns:
            coded["value"] = good["value"].to_numpy()
        if order is not None:
            coded["order"] = order.cast(pl.Int64).gather(coded["row"] - seen).to_numpy()
        for name, array in coded.items():
            parts.setdefault(name, []).append(array)
        seen += len(batch)
    if not seen:
        raise unreadable(table.file, "the table has a header but no rows", "Give at least one row.")
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    ids = {name: categories.to_series() for name, categories in kinds.items()}
    del alive
    return _Gathered(
        table.file,
        whole["user_id"],
        whole["item_id"],
        whole.get("timestamp"),
        whole.get("event"),
        whole.get("value"),
        whole["row"],
        whole.get("order"),
        ids["user_id"],
        ids["item_id"],
        tally,
    )


def _canonical(table: Table, declared: Declaration) -> Table:
    """Only the columns we know, the declared value column renamed to `value`."""
    names = {name: name for name in (*COLUMNS, "row") if name in table.schema}
    if declared.value and declared.value.column in table.schema:
        names.pop("value", None)
        names[declared.value.column] = "value"
    schema = {new: table.schema[old] for old, new in names.items()}
    picked = [pl.col(old).alias(new) for old, new in names.items()]

    def batches() -> Iterator[pl.DataFrame]:
        return (batch.select(picked) for batch in table.batches())

    return Table(table.file, schema, batches) if names else replace(table, schema={})


def _check_schema(table: Table, ordered: bool) -> None:
    required = COLUMNS[:2] if ordered else COLUMNS[:3]
    problems = [
        Problem(table.file, name, None, "", 1, "the column is missing", _rename_hint(table, name))
        for name in required
        if name not in table.schema
    ]
    problems += schema_problems(table.file, table.schema)
    if problems:
        raise BadData(problems)


_SYNONYMS: dict[str, tuple[str, ...]] = {
    "user_id": ("user", "userid", "uid", "customer_id", "visitor_id", "session_id"),
    "item_id": ("item", "itemid", "iid", "movieid", "product_id", "asin", "object_id"),
    "timestamp": ("time", "ts", "date", "datetime", "created_at", "unixreviewtime"),
}


def _rename_hint(table: Table, name: str) -> str:
    return missing_column_fix(name, table.schema, _SYNONYMS.get(name, ()))


def missing_column_fix(name: str, columns: Sequence[str] | dict[str, pl.DataType], also: Sequence[str]) -> str:
    """What to do about a missing column: rename the likely one, or add it."""
    lower = {column.lower(): column for column in columns}
    likely = [lower[word] for word in also if word in lower]
    likely += [lower[word] for word in difflib.get_close_matches(name, lower, n=1)]
    if likely:
        return f"Rename column {likely[0]!r} to {name!r}."
    return f"Add it; the table has: {', '.join(columns) or 'none that is known'}."


def _check_ids(data: _Gathered, catalog_ids: pl.Series | None) -> npt.NDArray[np.bool_]:
    """Rows whose ids are usable and known to the catalogue."""
    keep = np.ones(len(data.rows), bool)
    for column, codes, ids in (
        ("user_id", data.users, data.user_ids),
        ("item_id", data.items, data.item_ids),
    ):
        causes = [
            (
                ids.str.len_bytes() > MAX_ID_BYTES,
                f"the id is longer than {MAX_ID_BYTES:,} bytes",
                "Shorten it; this looks like text in an id column.",
            ),
            (
                ids.str.contains(r"[\x00-\x1f\x7f]"),
                "the id holds control characters",
                "Remove them; this looks like binary data.",
            ),
        ]
        if column == "item_id" and catalog_ids is not None:
            missing = ~ids.is_in(catalog_ids.implode())
            fix = "Add it to the items file, or drop these rows with --on-bad-rows drop."
            causes.append((missing, "the item is not in the catalogue", fix))
        for bad, what, fix in causes:
            if bad.any():
                rows = bad.to_numpy()[codes]
                _tell(data, column, rows, ids, codes, (what, fix))
                keep &= ~rows
    return keep


def _check_units(data: _Gathered, declared: Declaration) -> npt.NDArray[np.bool_]:
    """Rows whose time is a plausible number of seconds in a log declared in a finer unit."""
    keep = np.ones(len(data.rows), bool)
    if data.times is None or declared.time_unit == "s" or not (data.times > MODERN).any():
        return keep
    early = data.times < EARLY
    if early.any():
        what = f"the time lies in early 1970 when read in {declared.time_unit!r}, others do not"
        fix = "Units are mixed: write every time in the declared unit."
        shown_times = pl.Series(data.times // 1_000_000)
        _tell(data, "timestamp", early, shown_times, np.arange(len(keep)), (what, fix))
    return keep & ~early


def _check_duplicates(data: _Gathered) -> npt.NDArray[np.bool_]:
    """The first of rows that are equal in every column; logs without times may repeat."""
    keep = np.ones(len(data.rows), bool)
    if data.times is None or len(data.rows) < 2:
        return keep
    mixed = _mix(data)
    order = np.sort(mixed)
    suspects = np.isin(mixed, np.unique(order[1:][order[1:] == order[:-1]]))
    del order, mixed
    at = np.flatnonzero(suspects)
    if not len(at):
        return keep
    columns = {"u": data.users, "i": data.items, "t": data.times, "e": data.events, "v": data.values}
    frame = pl.DataFrame({name: a[at] for name, a in columns.items() if a is not None})
    again = at[~frame.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()]
    keep[again] = False
    what = "the row repeats an earlier one in every column"
    fix = 'Remove it, or declare "duplicates": "keep" in dataset.json.'
    _tell(data, "", ~keep, data.item_ids, data.items, (what, fix))
    return keep


def _mix(data: _Gathered) -> npt.NDArray[np.uint64]:
    """A 64-bit mix of each row; equal rows mix alike, so only equal mixes need a look."""
    assert data.times is not None
    mixed = data.times.astype(np.uint64)
    for column in (data.users, data.items, data.events, data.values):
        if column is not None:
            bits = column.view(np.uint32) if column.dtype == np.float32 else column
            mixed = (mixed ^ bits.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return mixed


def _tell(
    data: _Gathered,
    column: str,
    bad: npt.NDArray[np.bool_],
    names: pl.Series,
    codes: npt.NDArray[np.generic],
    says: tuple[str, str],
) -> None:
    rows = pl.Series(data.rows[bad] + 1)
    values = names.gather(codes[bad])
    data.tally.add(column, *says, pl.DataFrame({"row": rows, "value": values}).sort("row"))


def _used(
    codes: npt.NDArray[np.uint32], ids: pl.Series
) -> tuple[npt.NDArray[np.uint32], pl.Series]:
    present = np.bincount(codes, minlength=len(ids)) > 0
    if present.all():
        return codes, ids
    renumber = (np.cumsum(present) - 1).astype(np.uint32)
    return renumber[codes], ids.filter(pl.Series(present))


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String, "value": pl.String})
