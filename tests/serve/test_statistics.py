"""What happened lately: windows of days, and shares against the time before."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.data.polarity import CODES, polarities
from tastemaker.serve.opened import Opened
from tastemaker.serve.statistics import MOST_DAYS, TYPES, day_of, log_counts, window_of

PLAIN = Declaration(
    events={"view": "implicit_positive", "skip": "implicit_negative", "like": "explicit_positive"}
)


def test_shares_are_of_all_events_and_set_against_the_time_before() -> None:
    counts = {
        (10, "view", "implicit_positive"): 3,
        (10, "shown", ""): 1,
        (9, "skip", "implicit_negative"): 4,
        (8, "view", "implicit_positive"): 1,
        (8, "shown", ""): 1,
        (6, "view", "implicit_positive"): 9,  # too old for either
        (11, "view", "implicit_positive"): 9,  # told by a clock that is ahead
    }
    window = window_of(counts, PLAIN, 10, 2)
    assert (window.first, window.last) == (date(1970, 1, 10), date(1970, 1, 11))
    assert (window.totals, window.totals_before) == ((4, 4), (0, 2))
    (view,) = window.types
    assert (view.label, view.now, view.before) == ("view", (0, 3), (0, 1))
    assert window.share(view) == 3 / 8 and window.share_before(view) == 1 / 2
    assert window.daily(view) == [0.0, 0.75] and window.line_before(view) == [None, 0.5]
    assert window.line(view) == window.daily(view)


def test_a_long_time_is_drawn_by_weeks_up_to_each_day() -> None:
    counts = {(100, "view", "implicit_positive"): 1, (97, "shown", ""): 3}
    window = window_of(counts, PLAIN, 103, 90)
    (view,) = window.types
    line = window.line(view)
    assert line[-10:] == [None, None, None, 0.0, 0.0, 0.0, 0.25, 0.25, 0.25, 0.25]
    assert window.line_before(view) == [None] * 90


def test_bands_of_values_are_types_of_their_own() -> None:
    declared = replace(PLAIN, value=ValueBands(bands={"explicit_positive": (4, 5)}))
    counts = {(1, "view", "explicit_positive"): 1, (1, "view", "implicit_positive"): 1}
    labels = [one.label for one in window_of(counts, declared, 1, 7).types]
    assert labels == ["view, liked", "view, chosen"]


def test_many_types_are_shown_as_a_few() -> None:
    events = {f"kind {n}": "implicit_positive" for n in range(20)}
    counts = {(5, f"kind {n}", "implicit_positive"): n + 1 for n in range(20)}
    types = window_of(counts, Declaration(events=events), 5, 7).types  # type: ignore[arg-type]
    assert len(types) == TYPES
    assert [one.label for one in types] == [*(f"kind {n}" for n in range(15, 20)), "15 others"]
    assert sum(sum(one.now) for one in types) == 210


def test_nothing_happened() -> None:
    window = window_of({}, PLAIN, 20_000, 7)
    assert window.types == () and sum(window.totals) == 0 and len(window.days) == 7


def test_a_log_is_counted_by_its_own_last_days(opened: Opened) -> None:
    data = opened.saved.data
    counts, last = log_counts(data)
    times = data.interactions.times
    assert times is not None
    assert last == day_of(float(times.max()))
    days = times // 86_400
    assert sum(counts.values()) == (days > last - 2 * MOST_DAYS).sum()
    said = polarities(data.interactions, data.declared)
    day, kind, polarity = max(counts)
    assert day == last and kind in data.interactions.event_names
    at = (days == day) & (said == CODES[polarity])  # type: ignore[index]
    assert counts[day, kind, polarity] == at.sum()
    assert log_counts(replace(data, interactions=replace(data.interactions, times=None))) == ({}, 0)


@pytest.mark.parametrize(("seconds", "day"), [(0, 0), (86_399.9, 0), (86_400, 1), (-1, -1)])
def test_days_are_those_of_utc(seconds: float, day: int) -> None:
    assert day_of(seconds) == day == int(np.floor(seconds / 86_400))
