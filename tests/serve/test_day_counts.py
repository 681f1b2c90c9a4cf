"""Events of the store by day and type, on both databases."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.serve import day_counts
from tastemaker.serve.day_counts import DayCounts
from tastemaker.serve.events import Event
from tastemaker.serve.statistics import MOST_DAYS, day_of
from tastemaker.serve.store import Store
from tastemaker.serve.tables import events

DECLARED = Declaration(
    events={"view": "implicit_positive", "skip": "implicit_negative"},
    value=ValueBands(bands={"explicit_positive": (3.3, 5), "explicit_negative": (0, 1)}),
)
TODAY = day_of(time.time())


def told(number: int, user: str = "u", kind: str = "view", value: float | None = None) -> Event:
    return Event(f"e{number}", user, "i", 5.0, kind, value)


def age(store: Store, days: int) -> None:
    """Have all that is there told some days earlier."""
    with store.database.writing() as connection:
        earlier = events.c.received - days * 86_400_000_000
        connection.execute(events.update().values(received=earlier))


def test_events_are_counted_by_what_they_say(store: Store) -> None:
    store.append(
        [
            told(1),
            told(2, kind=""),
            told(3, value=4),
            told(4, value=3.3),
            told(5, value=0.5),
            told(6, value=2),
            told(7, kind="skip"),
            told(8, kind="skip", value=5),
            told(9, kind="shown"),
            told(10, kind="once declared"),
        ]
    )
    counted = DayCounts(store.database, DECLARED).read(TODAY)
    assert counted.total == 10 and counted.whole == 0
    found = {(kind, said): count for (_, kind, said), count in counted.counts.items()}
    assert found == {
        ("view", "implicit_positive"): 3,
        ("view", "explicit_positive"): 2,
        ("view", "explicit_negative"): 1,
        ("skip", "implicit_negative"): 1,
        ("skip", "explicit_positive"): 1,
        ("shown", ""): 1,
        ("once declared", ""): 1,
    }


def test_each_event_is_counted_once_and_old_days_are_forgotten(store: Store) -> None:
    counts = DayCounts(store.database, DECLARED)
    store.append([told(1), told(2)])
    age(store, 3)
    assert counts.read(TODAY).total == 2
    store.append([told(2), told(3)])
    again = counts.read(TODAY)
    by_day = {day: count for (day, _, _), count in again.counts.items()}
    assert again.total == 3 and sum(by_day.values()) == 3 and by_day[TODAY - 3] == 2
    later = counts.read(TODAY + 2 * MOST_DAYS - 1)
    assert later.total == 3 and sum(later.counts.values()) == 1


def test_erased_users_are_counted_no_more(store: Store) -> None:
    counts = DayCounts(store.database, DECLARED)
    store.append([told(1), told(2, user="v"), told(3, user="v")])
    assert counts.read(TODAY).total == 3
    store.erase("v")
    assert counts.read(TODAY).total == 1
    assert sum(counts.read(TODAY).counts.values()) == 1


def test_what_takes_long_is_counted_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_counts, "_CHUNK", 3)
    store.append([told(n) for n in range(10)])
    counts = DayCounts(store.database, DECLARED)
    first = counts.read(TODAY, patience=0)
    assert (first.total, first.counts) == (10, {}) and first.whole > TODAY + 1
    whole = counts.read(TODAY)
    assert whole.whole == 0 and sum(whole.counts.values()) == 10


def test_what_is_older_than_anybody_asks_for_is_not_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_counts, "_CHUNK", 2)
    store.append([told(n) for n in range(8)])
    age(store, 2 * MOST_DAYS + 1)
    store.append([told(n) for n in range(8, 10)])
    counted = DayCounts(store.database, DECLARED).read(TODAY)
    assert (counted.total, sum(counted.counts.values()), counted.whole) == (10, 2, 0)


def test_the_newest_days_are_whole_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_counts, "_CHUNK", 2)
    for days, batch in ((0, [1, 2, 3]), (2, [4, 5]), (3, [6, 7, 8])):
        age(store, days)
        store.append([told(n) for n in batch])
    counts, clock = DayCounts(store.database, DECLARED), iter(range(99))
    monkeypatch.setattr(day_counts, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    seen = [counts.read(TODAY, patience=2) for _ in range(4)]
    # One look reads two events: of today's three, then of the two of three days ago, …
    assert [one.whole for one in seen] == [TODAY + 1, TODAY - 2, TODAY - 4, 0]
    assert [sum(one.counts.values()) for one in seen] == [2, 4, 6, 8]


def test_who_looks_while_another_counts_does_not_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([told(1)])
    counts = DayCounts(store.database, DECLARED)
    inner: list[int] = []
    add = DayCounts._add

    def meanwhile(self: DayCounts, *asked: Any) -> object:
        inner.append(counts.read(TODAY).whole)
        return add(self, *asked)

    monkeypatch.setattr(DayCounts, "_add", meanwhile)
    assert counts.read(TODAY).whole == 0 and inner[0] > TODAY + 1


def test_a_store_without_events(store: Store) -> None:
    counted = DayCounts(store.database, Declaration()).read(TODAY)
    assert (counted.total, counted.counts, counted.whole) == (0, {}, 0)
