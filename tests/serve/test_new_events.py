"""New events come back as a log, by the door that every log goes through."""

from typing import Any

import numpy as np
import pytest

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import polarities
from tastemaker.serve import new_events
from tastemaker.serve.events import SHOWN, Event
from tastemaker.serve.store import Store

T = 1_700_000_000
KINDS = Declaration(events={"view": "implicit_positive", "skip": "implicit_negative"})


def told(number: int, user: str = "ann", **rest: Any) -> Event:
    return Event(f"e{number}", user, f"i{number}", **{"time": T + number, **rest})


def history(log: Interactions | None, user: str) -> list[str]:
    assert log is not None
    return log.decode(log.history(log.user_codes[user]))


def test_who_reads_on_from_the_last_number_misses_nothing_and_reads_nothing_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_events, "_BATCH", 2)
    store.append([told(3), told(1), told(2, "bob"), told(4, kind=SHOWN), told(5)])
    first = store.interactions(Declaration())
    assert history(first.interactions, "ann") == ["i1", "i3", "i5"]
    assert history(first.interactions, "bob") == ["i2"]
    assert first.interactions is not None and first.interactions.event_names == ("view",)
    assert first.interactions.times is not None
    assert first.interactions.times.tolist() == [T + 1, T + 3, T + 5, T + 2]
    nothing = store.interactions(Declaration(), first.last)
    assert nothing.interactions is None and nothing.last == first.last
    assert not len(nothing.dropped)
    store.append([told(0, "bob"), told(6, "eve")])
    more = store.interactions(Declaration(), first.last)
    assert history(more.interactions, "bob") == ["i0"] and more.last > first.last
    assert more.interactions is not None and more.interactions.num_events == 2


def test_kinds_and_values_mean_what_is_declared(store: Store) -> None:
    bands = ValueBands("stars", {"explicit_positive": (4.0, 5.0)})
    declared = Declaration(events=KINDS.events, value=bands, time_unit="ms")
    store.append([told(1), told(2, kind="skip"), told(3, kind="view", value=5), told(4, value=1)])
    log = store.interactions(declared).interactions
    assert log is not None
    assert polarities(log, declared).tolist() == [1, -1, 2, 1]
    assert log.values is not None and np.isnan(log.values[:2]).all()
    only = store.interactions(declared, kinds=["skip"]).interactions
    assert only is not None and only.decode(only.items) == ["i2"]


def test_early_and_equal_events_are_events(store: Store) -> None:
    """A second click in the same moment is told under an id of its own, so it happened."""
    same = [Event(f"e{n}", "ann", "i", 3.5) for n in range(3)]
    store.append([*same, told(9)])
    log = store.interactions(Declaration(time_unit="ms")).interactions
    assert history(log, "ann") == ["i", "i", "i", "i9"]


def test_events_of_one_moment_stand_as_they_were_told(store: Store) -> None:
    store.append([told(n, time=T + (0.5 if n < 4 else 0.25)) for n in (3, 1, 2, 5, 4)])
    log = store.interactions(Declaration()).interactions
    assert history(log, "ann") == ["i5", "i4", "i3", "i1", "i2"]


def test_events_that_the_door_refuses_are_left_out_with_their_reasons(store: Store) -> None:
    store.append([told(0)])
    since = store.interactions(Declaration()).last
    store.append([told(1, kind="nonsense"), told(2), told(3, kind="nonsense"), told(4)])
    read = store.interactions(KINDS, since)
    assert history(read.interactions, "ann") == ["i2", "i4"]
    assert read.dropped["row"].to_list() == [since + 1, since + 3]
    assert all("event" in reason for reason in read.dropped["reason"])
    none = store.interactions(KINDS, since, kinds=["nonsense"])
    assert none.interactions is None and none.last == read.last
    assert none.dropped["row"].to_list() == [since + 1]
    # Without a kind that the unnamed could be, nothing is guessed.
    several = Declaration(events={"buy": "implicit_positive", "skip": "implicit_negative"})
    assert store.interactions(several).interactions is None


def test_an_empty_store_has_nothing_new(store: Store) -> None:
    assert store.interactions(Declaration()).last == 0
    assert store.interactions(Declaration(), 7).last == 7
