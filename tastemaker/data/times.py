"""Times of events: numbers in a unit, ISO 8601, dates → microseconds since 1970 (UTC).

Microseconds, so that sorting sees the full resolution. Whether a log mixes times with and without
a zone can only be judged on all of it, so each row says which it has (`coded.check_zones`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_NANOSECONDS = {"ms": 1_000_000, "us": 1_000, "ns": 1}
DAY = 86_400 * 1_000_000
LATEST = 4_102_444_800 * 1_000_000
"""2100-01-01: a later time is a time in another unit."""
EARLY, MODERN = 10_000_000 * 1_000_000, 100_000_000 * 1_000_000
"""April 1970 and March 1973: seconds read in a sub-second unit land before the first."""

NO_DATE, NO_ZONE, ZONED = 0, 1, 2
"""What a time is: a number, a date without a zone, a date with one."""

_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})$"
_WIDEST = 14 * 3600
"""No place on earth is farther from UTC, in seconds."""


@dataclass
class Times:
    """Times of one batch as they were read."""

    micro: pl.Series
    """Int64 microseconds since 1970; null where there is no time; far times are cut, not wrapped"""
    zones: npt.NDArray[np.uint8] | None = None
    """NO_DATE, NO_ZONE or ZONED of each row; None where the column is not text"""
    wrong_zone: pl.Series | None = None
    """rows with a zone that does not exist"""

    def causes(self, unit: str) -> list[tuple[pl.Series, str, str]]:
        """Rows whose time cannot be used, what is wrong with it, and the fix."""
        micro, wrong = self.micro, self.wrong_zone
        if wrong is None and not micro.has_nulls():
            low, high = micro.min(), micro.max()
            if low is None or (low >= 0 and high <= LATEST):  # type: ignore[operator]
                return []
        nowhere = pl.repeat(value=False, n=len(micro), eager=True) if wrong is None else wrong
        dated = pl.Series(np.zeros(len(micro), bool) if self.zones is None else self.zones > 0)
        early = (micro < 0).fill_null(value=False)
        late = (micro > LATEST).fill_null(value=False)
        units = 'Units are mixed or undeclared: use one unit and declare it, as "time_unit": "ms".'
        return [
            (
                micro.is_null() & ~nowhere,
                "this is not a time",
                "Give whole seconds since 1970, or ISO 8601, such as 2024-01-31 08:26; NaN and "
                "infinity are no times.",
            ),
            (nowhere, "the zone of the time does not exist", "Zones run from -14:00 to +14:00."),
            (early & ~dated, "the time is negative", "Times count from 1970."),
            (early & dated, "the time lies before 1970", "Mend the date; times count from 1970."),
            (
                late & ~dated,
                f"the time lies after the year 2100 when read in {unit!r}",
                units,
            ),
            (late & dated, "the time lies after the year 2100", "Mend the date."),
        ]


def read_times(raw: pl.Series, unit: str) -> Times:
    """Times of a column of numbers, texts, dates, or dates with times.

    Args:
        raw: Of a type that `checks.schema_problems` lets through.
        unit: Unit of numbers: s, ms, us or ns.
    """
    kind = raw.dtype
    if kind == pl.Date:
        return _calendar(_scale(raw.to_physical().cast(pl.Int64), DAY))
    if isinstance(kind, pl.Datetime):  # the number behind it is in UTC, whatever its zone
        return _calendar(_whole(raw.to_physical(), kind.time_unit))
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return _text(raw.cast(pl.String), unit)
    return Times(_numbers(raw, unit))


def legible(raw: pl.Series) -> pl.Series:
    """Dates as text, those outside the years 1 to 9999 as numbers: the engine cannot print them."""
    kind = raw.dtype
    if isinstance(kind, pl.Datetime):
        day = DAY * 1000 // _NANOSECONDS[kind.time_unit]
    elif kind == pl.Date:
        day = 1
    else:
        return raw
    number = raw.to_physical().cast(pl.Int64)
    first, last = max(-719_162 * day, 1 - 2**63), min(2_932_896 * day, 2**63 - 1)
    printable = number.is_between(first, last).fill_null(value=False)
    return raw.set(~printable, None).cast(pl.String).fill_null(number.cast(pl.String))


def _calendar(micro: pl.Series) -> Times:
    return Times(micro, np.full(len(micro), NO_ZONE, np.uint8))


def _numbers(raw: pl.Series, unit: str) -> pl.Series:
    if not raw.dtype.is_integer():
        return _real(raw.cast(pl.Float64), unit)
    whole = raw.cast(pl.Int64, strict=False)
    beyond = whole.is_null() & raw.is_not_null()
    if beyond.any():
        far = (raw > 0).cast(pl.Int64) * (2**63 - 1)
        whole = whole.zip_with(~beyond, far - 1)
    return _whole(whole, unit)


def _whole(raw: pl.Series, unit: str) -> pl.Series:
    """Whole numbers of a unit in microseconds."""
    return raw // 1000 if unit == "ns" else _scale(raw, MICROSECONDS[unit])


def _scale(raw: pl.Series, factor: int) -> pl.Series:
    return raw.clip(-1, LATEST * 2 // factor) * factor


def _real(raw: pl.Series, unit: str) -> pl.Series:
    number = raw.set(~raw.is_finite().fill_null(value=False), None)
    micro = number / 1000 if unit == "ns" else number * MICROSECONDS[unit]
    return micro.clip(-1.0, LATEST * 2.0).round().cast(pl.Int64)


def _text(raw: pl.Series, unit: str) -> Times:
    """Numbers in the declared unit, or ISO 8601 with or without a zone (then UTC)."""
    bare = raw.str.strip_chars()
    whole = bare.cast(pl.Int64, strict=False)
    if not whole.has_nulls():
        return Times(_whole(whole, unit), np.zeros(len(raw), np.uint8))
    dated = raw.str.contains(_DATE).fill_null(value=False)
    if dated.all():
        return _dates(raw, dated, None)
    number = bare.cast(pl.Float64, strict=False)
    number = number.set(~raw.str.contains(_NUMBER).fill_null(value=False), None)
    micro = _real(number, unit)
    whole_micro = _whole(whole, unit)
    micro = whole_micro.zip_with(whole.is_not_null(), micro)
    return _dates(raw, dated, micro) if dated.any() else Times(micro, _codes(dated, dated))


def _dates(raw: pl.Series, dated: pl.Series, numbers: pl.Series | None) -> Times:
    """ISO 8601 where `dated`, the `numbers` elsewhere."""
    zoned = dated & raw.str.contains(_ZONE).fill_null(value=False)
    clean = raw.str.replace("T", " ").str.replace(_ZONE, "").set(~dated, None)
    clean = clean.str.replace(r"^(\d{4}-\d{2}-\d{2})$", "${1} 00:00:00")
    clean = clean.str.replace(r"^(\S+ \d{2}:\d{2})$", "${1}:00")
    local = clean.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    seconds = _zone_seconds(raw)
    micro, wrong = local.cast(pl.Int64), None
    if seconds is not None:
        micro = micro - seconds.fill_null(0) * 1_000_000
        nowhere = zoned & (seconds.abs() > _WIDEST).fill_null(value=False)
        wrong = nowhere if nowhere.any() else None
    if numbers is not None:
        micro = micro.zip_with(dated, numbers)
    return Times(micro, _codes(dated, zoned), wrong)


def _codes(dated: pl.Series, zoned: pl.Series) -> npt.NDArray[np.uint8]:
    codes: npt.NDArray[np.uint8] = (dated.cast(pl.UInt8) + zoned.cast(pl.UInt8)).to_numpy()
    return codes


def _zone_seconds(raw: pl.Series) -> pl.Series | None:
    """How far each zone lies east of UTC, far off where it does not exist; None: all are UTC."""
    parts = raw.str.extract_groups(r"([+-])(\d{2}):?(\d{2})$").struct.unnest()
    sign, hours, minutes = parts.get_columns()
    if not sign.len() - sign.null_count():
        return None
    minutes = minutes.cast(pl.Int64)
    seconds = hours.cast(pl.Int64) * 3600 + minutes * 60
    seconds = seconds + (minutes > 59).cast(pl.Int64) * 100 * 3600
    return seconds * ((sign == "+").cast(pl.Int64) * 2 - 1)
