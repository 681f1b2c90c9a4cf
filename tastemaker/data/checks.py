"""Row checks: raw batches → canonical columns, with a reason for every row that cannot be used.

Times leave here in microseconds since 1970 (UTC), so that sorting sees the full resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from tastemaker.data.declaration import Declaration
from tastemaker.data.problems import Problem, shown

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}
LATEST = 4_102_444_800 * 1_000_000
"""2100-01-01: a later time is a time in another unit."""
EARLY, MODERN = 10_000_000 * 1_000_000, 100_000_000 * 1_000_000
"""April 1970 and March 1973: seconds read in a sub-second unit land before the first."""

PARTS = {"train": 0, "valid": 1, "validation": 1, "val": 1, "dev": 1, "test": 2}
"""Word of the column `split` → part of a ready-made split."""

_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})$"


@dataclass
class Tally:
    """Problems met so far: one entry for each (column, cause), with its first row and a count."""

    file: str
    found: dict[tuple[str, str], Problem] = field(default_factory=dict)
    dropped: list[pl.DataFrame] = field(default_factory=list)
    """bad rows with `row` and `reason`."""

    def add(self, column: str, what: str, fix: str, bad: pl.DataFrame) -> None:
        """Count rows of `bad` (columns `row` and `value`) under one cause."""
        if not len(bad):
            return
        key = (column, what)
        if key in self.found:
            old = self.found[key]
            count = old.count + len(bad)
            self.found[key] = Problem(self.file, column, old.row, old.value, count, what, fix)
        else:
            row, value = int(bad["row"][0]), shown(bad["value"][0])
            self.found[key] = Problem(self.file, column, row, value, len(bad), what, fix)
        reason = pl.lit(f"{column}: {what}").alias("reason")
        text = pl.col("value").cast(pl.String, strict=False)
        self.dropped.append(bad.select(pl.col("row").cast(pl.Int64), reason, text))


def schema_problems(file: str, schema: dict[str, pl.DataType]) -> Iterator[Problem]:
    """Columns of a type that cannot hold what they should; ids are never silently cast."""
    kinds = {"user_id": "text or whole numbers", "item_id": "text or whole numbers"}
    for name, want in kinds.items():
        kind = schema.get(name)
        if kind is None or kind.is_integer() or kind in (pl.String, pl.Categorical, pl.Enum):
            continue
        fix = "Convert the column before saving; 7 and 7.0 are different ids here."
        yield Problem(file, name, None, "", 1, f"the column holds {kind}, not {want}", fix)
    kind = schema.get("timestamp")
    if kind is not None and not (kind.is_numeric() or kind.is_temporal() or kind == pl.String):
        fix = "Store times as numbers, as text in ISO 8601, or as date and time."
        yield Problem(file, "timestamp", None, "", 1, f"the column holds {kind}, not times", fix)


def check_batch(frame: pl.DataFrame, declared: Declaration, tally: Tally) -> pl.DataFrame:
    """Canonical columns of the rows that can be used; the others go to the tally.

    Args:
        frame: Raw columns plus `row` (1-based).
        declared: The data set's declaration.
        tally: Collects problems.

    Returns:
        Columns `row`, `user_id`, `item_id` (texts, or whole numbers as they came) and, where given,
        `timestamp` (µs), `event`, `value`, `split` (0 train, 1 valid, 2 test).
    """
    work = frame
    bad = pl.Series("bad", [False]).new_from_index(0, len(work))
    for column in ("user_id", "item_id"):
        missing = work[column].is_null()
        if not work[column].dtype.is_integer():
            work = work.with_columns(pl.col(column).cast(pl.String))
            missing |= work[column] == ""
        bad |= _mark(tally, work, column, missing, "the id is missing", "Fill it or drop the row.")
    if "timestamp" in work.columns:
        times, more = _times(work, declared, tally)
        work, bad = work.with_columns(times.alias("timestamp")), bad | more
    if "event" in work.columns:
        known = work["event"].cast(pl.String).is_in(list(declared.events)).fill_null(value=False)
        fix = f"Declare it in dataset.json (declared: {', '.join(declared.events)})."
        bad |= _mark(tally, work, "event", ~known, "the event is not declared", fix)
    if "value" in work.columns:
        number = work["value"].cast(pl.Float64, strict=False)
        wrong = ~(number.is_finite().fill_null(value=False))
        fix = "Give a finite number in every row, or leave the column out."
        bad |= _mark(tally, work, "value", wrong, "the value is not a finite number", fix)
        work = work.with_columns(number.cast(pl.Float32).alias("value"))
    if "split" in work.columns:
        word = work["split"].cast(pl.String).str.strip_chars().str.to_lowercase()
        part = word.replace_strict(PARTS, default=None)
        fix = "Write train, valid or test in every row, or call the column something else."
        bad |= _mark(tally, work, "split", part.is_null(), "this is no part of a split", fix)
        work = work.with_columns(part.cast(pl.UInt8).alias("split"))
    return work.filter(~bad) if bad.any() else work


def _mark(tally: Tally, frame: pl.DataFrame, column: str, bad: pl.Series, *says: str) -> pl.Series:
    if bad.any():
        what, fix = says
        tally.add(column, what, fix, frame.filter(bad).select("row", value=pl.col(column)))
    return bad


def _times(frame: pl.DataFrame, declared: Declaration, tally: Tally) -> tuple[pl.Series, pl.Series]:
    """Times in µs, and the rows whose time cannot be used."""
    raw = frame["timestamp"]
    if raw.dtype.is_temporal():
        if raw.dtype == pl.Date:
            raw = raw.cast(pl.Datetime("us"))
        zoned = getattr(raw.dtype, "time_zone", None)
        plain = raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else raw
        times = plain.dt.cast_time_unit("us").cast(pl.Int64)
        unreadable = times.is_null()
    elif raw.dtype == pl.String:
        times, unreadable = _parse(raw, declared, frame, tally)
    else:
        times, unreadable = _scale(raw, declared.time_unit)
    fix = "Give whole seconds since 1970, or ISO 8601; NaN and infinity are no times."
    bad = _mark(tally, frame, "timestamp", unreadable, "this is not a time", fix)
    negative = (times < 0).fill_null(value=False)
    fix = "Times count from 1970."
    bad |= _mark(tally, frame, "timestamp", negative, "the time is negative", fix)
    late = (times > LATEST).fill_null(value=False)
    what = f"the time lies after the year 2100 when read in {declared.time_unit!r}"
    fix = 'Units are mixed or undeclared: use one unit and declare it, as "time_unit": "ms".'
    return times, bad | _mark(tally, frame, "timestamp", late, what, fix)


def _scale(raw: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
    factor = MICROSECONDS[unit]
    if raw.dtype.is_integer() and factor >= 1:
        limit = LATEST * 2 // int(factor)
        clipped = raw.cast(pl.Int64, strict=False).clip(-1, limit)
        times = clipped * int(factor)
        return times, raw.is_null() | clipped.is_null()
    number = raw.cast(pl.Float64)
    bad = ~number.is_finite().fill_null(value=False)
    scaled = (number * factor).clip(-1.0, LATEST * 2.0)
    return scaled.set(bad, None).round().cast(pl.Int64), bad


def _parse(
    raw: pl.Series, declared: Declaration, frame: pl.DataFrame, tally: Tally
) -> tuple[pl.Series, pl.Series]:
    """Text times: numbers in the declared unit, or ISO 8601 with or without a zone (then UTC)."""
    whole = raw.str.strip_chars().cast(pl.Int64, strict=False)
    if not whole.has_nulls():
        return _scale(whole, declared.time_unit)
    number = raw.str.strip_chars().cast(pl.Float64, strict=False)
    number = number.set(~raw.str.contains(_NUMBER).fill_null(value=False), None)
    numeric, _ = _scale(number.fill_null(float("nan")), declared.time_unit)
    dated = raw.str.contains(_DATE).fill_null(value=False)
    if not dated.any():
        return numeric, numeric.is_null()
    zoned = dated & raw.str.contains(_ZONE).fill_null(value=False)
    if zoned.any() and not zoned.filter(dated).all():
        what = "the time has no zone while others have one"
        _mark(tally, frame, "timestamp", dated & ~zoned, what, "Write every time with its zone.")
    clean = raw.str.replace("T", " ").str.replace(_ZONE, "").set(~dated, None)
    clean = clean.str.replace(r"^(\d{4}-\d{2}-\d{2})$", "${1} 00:00:00")
    clean = clean.str.replace(r"^(\S+ \d{2}:\d{2})$", "${1}:00")
    local = clean.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    times = local.cast(pl.Int64) - _zone_microseconds(raw)
    return times.zip_with(dated, numeric), times.zip_with(dated, numeric).is_null()


def _zone_microseconds(raw: pl.Series) -> pl.Series:
    parts = raw.str.extract_groups(r"([+-])(\d{2}):?(\d{2})$").struct.unnest()
    sign, hours, minutes = parts.get_columns()
    seconds = hours.cast(pl.Int64) * 3600 + minutes.cast(pl.Int64) * 60
    return (seconds * ((sign == "+").cast(pl.Int64) * 2 - 1) * 1_000_000).fill_null(0)
