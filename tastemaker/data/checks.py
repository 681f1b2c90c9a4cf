"""Row checks: raw batches → canonical columns, with a reason for every row that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tastemaker.data.declaration import Declaration
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.times import legible, read_times
from tastemaker.data.undeclared import explained

PARTS = {"train": 0, "valid": 1, "validation": 1, "val": 1, "dev": 1, "test": 2}
"""Word of the column `split` → part of a ready-made split."""

MOST = 1_000_000
"""Bad rows after which a table that is refused anyway is read no further."""

_LARGEST = float(np.finfo(np.float32).max)
"""Values are stored in single precision."""


@dataclass
class Tally:
    """Problems met so far: one entry for each (column, cause), with its first row and a count."""

    file: str
    declared: Declaration = field(default_factory=Declaration)
    by_cause: dict[tuple[str, str], Problem] = field(default_factory=dict)
    dropped: list[pl.DataFrame] = field(default_factory=list)
    """bad rows with `row` and `reason`."""
    undeclared: Counter[str] = field(default_factory=Counter)
    """rows of each event that is not declared"""
    known: bool = False
    """some row has an event that is declared"""
    keep: bool = True
    """bad rows are wanted one by one; else a table with `MOST` of them is read no further"""
    bad: int = 0
    """bad rows so far, counted once a cause"""

    def add(self, column: str, what: str, fix: str, bad: pl.DataFrame) -> None:
        """Count rows of `bad` (columns `row` and `value`) under one cause."""
        if not len(bad):
            return
        key = (column, what)
        if key in self.by_cause:
            old = self.by_cause[key]
            count = old.count + len(bad)
            self.by_cause[key] = Problem(self.file, column, old.row, old.value, count, what, fix)
        else:
            row, value = int(bad["row"][0]), shown(bad["value"][0])
            self.by_cause[key] = Problem(self.file, column, row, value, len(bad), what, fix)
        self.bad += len(bad)
        if not self.keep:
            if self.bad >= MOST:
                raise BadData(self.problems())
            return
        reason = pl.lit(f"{column}: {what}").alias("reason")
        text = pl.col("value").cast(pl.String, strict=False)
        self.dropped.append(bad.select(pl.col("row").cast(pl.Int64), reason, text))

    def name_of(self, column: str) -> str:
        """What the file calls a column."""
        if column == "value" and self.declared.value:
            return self.declared.value.column
        return "row" if column == "order" else column

    def problems(self) -> list[Problem]:
        """Every problem; that of undeclared events names all of them."""
        return [
            explained(problem, self.undeclared, self.declared, self.known)
            if (column, what) == ("event", UNDECLARED)
            else problem
            for (column, what), problem in self.by_cause.items()
        ]


UNDECLARED = "the event is not declared"

_TEXT = (pl.String, pl.Categorical, pl.Enum)
_KINDS: dict[str, tuple[str, str]] = {
    "user_id": (
        "text or whole numbers",
        "Convert the column before saving; 7 and 7.0 are different ids here.",
    ),
    "item_id": (
        "text or whole numbers",
        "Convert the column before saving; 7 and 7.0 are different ids here.",
    ),
    "timestamp": (
        "times",
        "Store times as numbers, as text in ISO 8601, or as date and time.",
    ),
    "event": ("names of events", "Store the names as text."),
    "value": ("numbers", "Store values as numbers; leave them empty where there is none."),
    "row": ("whole numbers", "Number the rows 1, 2, 3 …, or leave the column out."),
    "split": ("names of parts", "Write train, valid or test, or call the column something else."),
}
"""Column → what it should hold, and how to mend it."""


def schema_problems(file: str, schema: dict[str, pl.DataType]) -> Iterator[Problem]:
    """Columns of a type that cannot hold what they should; ids are never silently cast."""
    for name, (want, fix) in _KINDS.items():
        kind = schema.get(name)
        if kind is not None and not _holds(name, kind):
            what = f"the column holds {kind}, not {want}"
            yield Problem(file, name, None, "", 1, what, fix)


def _holds(name: str, kind: pl.DataType) -> bool:
    if kind == pl.String or kind.is_integer():
        return True
    if name == "timestamp":
        return kind.is_numeric() or kind in (pl.Date, pl.Datetime, *_TEXT)
    if name == "value":
        return kind.is_numeric() or kind in (pl.Boolean, pl.Null, *_TEXT)
    if name == "event":
        return kind in (pl.Boolean, *_TEXT)
    return name != "row" and kind in _TEXT


def check_batch(frame: pl.DataFrame, declared: Declaration, tally: Tally) -> pl.DataFrame:
    """Canonical columns of the rows that can be used; the others go to the tally.

    Args:
        frame: Raw columns plus `row` (1-based); `order` is the file's own column `row`.
        declared: The data set's declaration.
        tally: Collects problems.

    Returns:
        Columns `row`, `user_id`, `item_id` (texts, or whole numbers as they came) and, where given,
        `timestamp` (µs), `zone` (of text times), `event`, `value` (NaN: none), `order`, `split` (0
        train, 1 valid, 2 test).
    """
    work = frame
    bad = pl.Series("bad", [False]).new_from_index(0, len(work))
    for column in ("user_id", "item_id"):
        if not work[column].dtype.is_integer() or work[column].dtype in (pl.Int128, pl.UInt128):
            work = work.with_columns(pl.col(column).cast(pl.String))
        missing = work[column].is_null()
        if work[column].dtype == pl.String:
            missing |= work[column] == ""
        bad |= _mark(tally, work, column, missing, "the id is missing", "Fill it or drop the row.")
    if "timestamp" in work.columns:
        times = read_times(work["timestamp"], declared.time_unit)
        for late, what, fix in times.causes(declared.time_unit):
            bad |= _mark(tally, work, "timestamp", late, what, fix)
        if times.zones is not None and work["timestamp"].dtype in _TEXT:
            work = work.with_columns(zone=pl.Series(times.zones))
        work = work.with_columns(times.micro.alias("timestamp"))
    if "event" in work.columns:
        work = work.with_columns(pl.col("event").cast(pl.String))
        bad |= _check_events(work, declared, tally)
    for column, check in _READERS.items():
        if column in work.columns:
            read, wrong = check(work, tally)
            work, bad = work.with_columns(read.alias(column)), bad | wrong
    return work.filter(~bad) if bad.any() else work


def _mark(tally: Tally, frame: pl.DataFrame, column: str, bad: pl.Series, *says: str) -> pl.Series:
    if bad.any():
        what, fix = says
        rows = frame.select("row", value=pl.col(column)).filter(bad)
        rows = rows.with_columns(legible(rows["value"]))
        tally.add(tally.name_of(column), what, fix, rows)
    return bad


def _check_events(frame: pl.DataFrame, declared: Declaration, tally: Tally) -> pl.Series:
    """Rows whose event is missing or not declared."""
    event = frame["event"]
    unknown = ~event.is_in(list(declared.events)).fill_null(value=False)
    tally.known |= not unknown.all()
    if not unknown.any():
        return unknown
    missing = event.is_null() | (event == "").fill_null(value=False)
    fix = "Fill it, or leave the column out if all events are of one kind."
    _mark(tally, frame, "event", missing, "the event is missing", fix)
    unknown &= ~missing
    tally.undeclared.update(dict(event.filter(unknown).value_counts().iter_rows()))
    _mark(tally, frame, "event", unknown, UNDECLARED, "Declare it in dataset.json.")
    return unknown | missing


def _check_values(frame: pl.DataFrame, tally: Tally) -> tuple[pl.Series, pl.Series]:
    """Values in single precision, NaN where there is none, and the rows that hold no number."""
    raw = frame["value"]
    raw = raw.cast(pl.String) if raw.dtype in (pl.Categorical, pl.Enum) else raw
    number = raw.cast(pl.Float64, strict=False)
    wrong = ~number.is_finite().fill_null(value=False) & raw.is_not_null()
    fix = "Give a finite number, or leave the value empty."
    bad = _mark(tally, frame, "value", wrong, "the value is not a finite number", fix)
    large = (number.abs() > _LARGEST).fill_null(value=False) & ~wrong
    what, fix = f"the value is larger than {_LARGEST:.2g}", "Give it in a larger unit."
    bad |= _mark(tally, frame, "value", large, what, fix)
    number = number.set(bad, None) if bad.any() else number
    return number.cast(pl.Float32).fill_null(float("nan")), bad


def _check_parts(frame: pl.DataFrame, tally: Tally) -> tuple[pl.Series, pl.Series]:
    """Parts of a ready-made split, and the rows whose word is none."""
    word = frame["split"].cast(pl.String).str.strip_chars().str.to_lowercase()
    part = word.replace_strict(PARTS, default=None, return_dtype=pl.UInt8)
    fix = "Write train, valid or test in every row, or call the column something else."
    bad = _mark(tally, frame, "split", part.is_null(), "this is no part of a split", fix)
    return part, bad


def _check_order(frame: pl.DataFrame, tally: Tally) -> tuple[pl.Series, pl.Series]:
    """The file's own row numbers, and the rows without one."""
    raw = frame["order"]
    missing = raw.is_null()
    whole = raw.cast(pl.Int64, strict=False)
    fix = "Number every row, or leave the column out."
    bad = _mark(tally, frame, "order", missing, "the row number is missing", fix)
    wrong = whole.is_null() & ~missing
    fix = "Give whole numbers below 9e18, such as 3 and not 3.0, or leave the column out."
    bad |= _mark(tally, frame, "order", wrong, "the row number is not a whole number", fix)
    return whole, bad


_READERS = {"value": _check_values, "order": _check_order, "split": _check_parts}
"""Column → what reads it, and finds the rows where it cannot be used."""
