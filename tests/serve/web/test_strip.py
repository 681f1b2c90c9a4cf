"""A strip of time."""

import pytest

from tastemaker.serve.web.strip import BINS, HEIGHT, day, strip_of, tick

DAY = 86_400.0


def test_bars_stand_where_events_are() -> None:
    strip = strip_of([0, 0, 0, 50 * DAY, 100 * DAY], [True] * 5)
    assert strip is not None
    assert [bar.x for bar in strip.bars] == [0, BINS // 2, BINS - 1]
    first, middle, _ = strip.bars
    assert first.height > middle.height
    assert all(bar.y >= 0 and bar.y + bar.height <= HEIGHT for bar in strip.bars)
    assert strip.words == "5 events from Jan 1970 to Apr 1970."
    assert len(strip.ticks) == 5


def test_what_speaks_against_hangs_below() -> None:
    strip = strip_of([0, 0, DAY, DAY], [True, False, None, False])
    assert strip is not None
    up = [bar for bar in strip.bars if bar.liked]
    down = [bar for bar in strip.bars if not bar.liked]
    assert all(bar.y + bar.height == pytest.approx(strip.line) for bar in up)
    assert all(bar.y == pytest.approx(strip.line) for bar in down)
    assert (strip.for_count, strip.against_count) == (2, 2)
    assert "2 of them against" in strip.words


def test_one_moment_is_no_picture() -> None:
    assert strip_of([], []) is None
    assert strip_of([5], [True]) is None
    assert strip_of([5, 5, 5], [True] * 3) is None


def test_times_are_as_precise_as_their_span_makes_sensible() -> None:
    assert [tick(3661, span) for span in (60, 5 * 3600, 5 * DAY, 500 * DAY)] == [
        "01:01:01",
        "01:01",
        "1 Jan",
        "Jan 1970",
    ]
    assert day(0) == "1 Jan 1970"


def test_a_strip_of_a_day_that_ends_at_its_last_second() -> None:
    strip = strip_of([0, 0.001], [True, False])
    assert strip is not None and strip.bars[-1].x == BINS - 1
