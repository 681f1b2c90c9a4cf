"""Times: every way to write one comes to the same microsecond, and none wraps around."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from tastemaker.data.times import LATEST, NO_DATE, NO_ZONE, ZONED, read_times

SECOND = 1_700_000_000
NAIVE = datetime.fromtimestamp(SECOND, tz=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_dates_of_every_unit_and_zone(unit: str, zone: str | None) -> None:
    raw = pl.Series([NAIVE, None]).dt.replace_time_zone("UTC").dt.convert_time_zone(zone or "UTC")
    raw = (raw if zone else raw.dt.replace_time_zone(None)).dt.cast_time_unit(unit)
    found = read_times(raw, "s")
    assert found.micro.to_list() == [SECOND * 1_000_000, None]
    assert [what for bad, what, _ in found.causes("s") if bad.any()] == ["this is not a time"]


def test_whole_nanoseconds_are_not_rounded_through_reals() -> None:
    raw = pl.Series([SECOND * 10**9 + 1_001, SECOND * 10**9 + 2_001])
    assert read_times(raw, "ns").micro.to_list() == [SECOND * 10**6 + 1, SECOND * 10**6 + 2]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2023-11-14T22:13:20Z", 0),
        ("2023-11-14 22:13:20+00:00", 0),
        ("2023-11-15T12:13:20+1400", 0),
        ("2023-11-14T22:13:20.5-00:00", 500_000),
        ("2023-11-14", -80_000_000_000),
        ("2023-11-14T22:13", -20_000_000),
    ],
)
def test_texts(text: str, offset: int) -> None:
    found = read_times(pl.Series([text]), "s")
    assert found.micro.to_list() == [SECOND * 1_000_000 + offset]
    assert found.causes("s") == []


def test_each_text_says_whether_it_has_a_zone() -> None:
    raw = pl.Series(["12", "2024-01-01", "2024-01-01T00:00:00Z", None, "2024-01-01 00:00+01:00"])
    found = read_times(raw, "s")
    assert found.zones is not None
    assert found.zones.tolist() == [NO_DATE, NO_ZONE, ZONED, NO_DATE, ZONED]


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        ("2024-01-01T00:00:00+99:99", "zone"),
        ("2024-01-01T00:00:00+14:30", "zone"),
        ("2024-01-01T00:00:00-01:60", "zone"),
        ("0000-01-01", "before 1970"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("9999-12-31", "after the year 2100"),
        ("2024-01-32", "not a time"),
        (date(1, 1, 1), "before 1970"),
        (date(9999, 12, 31), "after the year 2100"),
        (datetime(1969, 12, 31), "before 1970"),  # noqa: DTZ001
        (-1, "negative"),
        (4_200_000_000, "when read in 's'"),
    ],
)
def test_times_that_cannot_be_used(raw: object, cause: str) -> None:
    (found,) = [c for c in read_times(pl.Series([raw]), "s").causes("s") if c[0].any()]
    assert cause in found[1]
    assert found[2]


@pytest.mark.parametrize(
    ("raw", "late"),
    [
        (pl.Series([2**64 - 1], dtype=pl.UInt64), True),
        (pl.Series([2**100], dtype=pl.Int128), True),
        (pl.Series([-(2**100)], dtype=pl.Int128), False),
        (pl.Series([1e300]), True),
        (pl.Series([-1e300]), False),
        (pl.Series([2**62]).cast(pl.Datetime("ms")), True),
        (pl.Series([-(2**62)]).cast(pl.Datetime("ms")), False),
        (pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date), True),
        (pl.Series(["1" * 30]), True),
    ],
)
def test_far_times_do_not_wrap_around(raw: pl.Series, late: bool) -> None:
    micro = read_times(raw, "s").micro[0]
    assert micro > LATEST if late else micro < 0
