"""Who asks: a history of the log, of a request, or of both, read alike."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import positives, refused
from tastemaker.run.events import Event, History
from tastemaker.run.histories import Asker, asker_given, asker_of, asker_with
from tastemaker.run.saved import SavedRun
from tests.run.refusals import refusing_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def log_of(run: SavedRun, user: str) -> list[Event]:
    """All that the log has of a user, as events."""
    log = run.data.interactions
    own = range(*log.offsets[log.user_codes[user] :][:2].tolist())
    assert log.times is not None and log.events is not None
    return [
        Event(
            log.item_ids[int(log.items[n]) - 1], int(log.times[n]), log.event_names[log.events[n]]
        )
        for n in own
    ]


def same(one: Contexts, other: Contexts) -> bool:
    names = one.columns.keys() | other.columns.keys()
    return all(np.array_equal(one.columns[n], other.columns[n]) for n in names)


def ids(run: SavedRun, asker: Asker) -> list[str]:
    return run.interactions.decode(asker.context.items)


def barred(run: SavedRun, asker: Asker) -> set[str]:
    return set(run.interactions.decode(asker.refused))


def test_a_history_that_is_given_is_read_as_that_of_the_log(run: SavedRun) -> None:
    """The same user from the log, from a request, and half from either."""
    for user in run.interactions.user_ids.to_list():
        own, events = asker_of(run, user), log_of(run, user)
        given = asker_given(run, events, (), user)
        live = asker_with(run, user, events[-3:], None)
        for other in (given, live):
            assert same(own.context, other.context)
            assert own.context.users.tolist() == other.context.users.tolist()
            assert set(own.refused) == set(other.refused)
            assert own.known and other.known


def test_a_stranger_with_a_history(run: SavedRun) -> None:
    asker = asker_given(run, ["i1", "nowhere", "i2"], ["i5", "nowhere"], "")
    assert (asker.known, asker.events, asker.unknown, asker.given) == (False, 3, 1, True)
    assert ids(run, asker) == ["i1", "i2"]
    assert barred(run, asker) == {"i5"}
    assert asker.context.users.tolist() == [-1]
    assert asker_given(run, [], (), "u1").known


def test_newer_events_follow_the_log_and_count_once(run: SavedRun) -> None:
    own, events = asker_of(run, "u1"), log_of(run, "u1")
    late = 10**6
    newer: list[Event] = [
        *events, Event("i30", late, "like"), Event("i30", late, "like"), Event("i31", late + 1),
        Event("i30", late + 2, "like"), Event("i32", late + 3, "skip"),
    ]  # fmt: skip
    live = asker_with(run, "u1", newer, None)
    assert ids(run, live) == [*ids(run, own), "i30", "i31", "i30"]
    assert live.events == len(newer)
    # Without a time nothing says that it is the same event.
    twice = asker_with(run, "u1", ["i30", "i30"], None)
    assert ids(run, twice) == [*ids(run, own), "i30", "i30"]


def test_events_that_come_late_stand_where_they_belong(run: SavedRun) -> None:
    first = asker_with(run, "u1", [("i30", 0)], None)
    assert ids(run, first)[0] == "i30"
    mixed = asker_given(run, [("i1", 50), "i2", ("i3", 20)], (), "")
    assert ids(run, mixed) == ["i3", "i1", "i2"]
    assert mixed.context.times is not None
    assert mixed.context.times.tolist() == [20, 50, 50]
    leading = asker_given(run, ["i2", ("i3", 20)], (), "")
    assert leading.context.times is not None and leading.context.times.tolist() == [20, 20]
    timeless = asker_given(run, ["i2"], (), "").context.times
    assert timeless is not None and timeless.tolist() == [int(run.log_facts.newest)]


def test_the_newest_explicit_word_decides_what_is_refused(run: SavedRun) -> None:
    def told(*events: tuple[str, int, str]) -> Asker:
        return asker_given(run, events, (), "")

    assert barred(run, told(("i1", 1, "dislike"))) == {"i1"}
    assert barred(run, told(("i1", 1, "dislike"), ("i1", 2, "like"))) == set()
    assert barred(run, told(("i1", 1, "like"), ("i1", 2, "dislike"))) == {"i1"}
    assert barred(run, told(("i1", 1, "dislike"), ("i1", 2, "skip"))) == {"i1"}
    skipped = told(("i1", 1, "skip"))
    assert barred(run, skipped) == set() and ids(run, skipped) == []
    user = next(u for u in run.interactions.user_ids if len(asker_of(run, u).refused))
    was = next(iter(barred(run, asker_of(run, user))))
    forgiven = asker_with(run, user, [(was, 10**6, "like")], None)
    assert was not in barred(run, forgiven) and ids(run, forgiven)[-1] == was


def test_values_say_what_an_event_means_where_they_are_declared(run: SavedRun) -> None:
    from tastemaker.data.declaration import ValueBands

    bands = ValueBands("value", {"explicit_negative": (0, 2), "explicit_positive": (4, 5)})
    declared = replace(run.data.declared, value=bands)
    rated = replace(run, data=replace(run.data, declared=declared))
    history: History = [("i1", 1, "like", 1.5), ("i2", 2, "dislike", 5), ("i3", 3, "like", 3)]
    asker = asker_given(rated, history, (), "")
    assert ids(run, asker) == ["i2", "i3"] and barred(run, asker) == {"i1"}


def test_of_somebody_who_was_erased_the_log_says_nothing(run: SavedRun) -> None:
    asker = asker_with(run, "u1", [("i30", 10**6, "like")], since=10**5)
    assert ids(run, asker) == ["i30"]
    assert (asker.known, asker.context.users.tolist()) == (False, [-1])
    assert not asker_with(run, "u1", (), since=10**9).context.items.size


def test_what_is_derived_from_events_is_what_the_log_derives(run: SavedRun) -> None:
    """Learnt and refused events of the whole log, told event by event to a stranger."""
    log, declared = run.data.interactions, run.data.declared
    learnt: Interactions = positives(log, declared)
    out = refused(log, declared)
    for user in log.user_ids.to_list()[:20]:
        asker = asker_given(run, log_of(run, user), (), "")
        assert asker.context.items.tolist() == learnt.history(log.user_codes[user]).tolist()
        assert set(asker.refused) == set(out.history(log.user_codes[user]).tolist())


def test_a_log_without_times_is_followed_by_what_is_newer(run: SavedRun) -> None:
    bare = replace(
        run,
        data=replace(run.data, interactions=replace(run.data.interactions, times=None)),
        interactions=replace(run.interactions, times=None),
    )
    own = ids(run, asker_of(bare, "u1"))
    live = asker_with(bare, "u1", [("i31", 7), ("i30", 5), ("i30", 5)], None)
    assert ids(run, live) == [*own, "i30", "i31"]
    assert live.context.times is None
    # Nothing says when what the log has was, so nothing of it is newer than any moment.
    assert ids(run, asker_with(bare, "u1", [("i30", 5)], since=0.0)) == ["i30"]


def test_the_same_item_at_another_time_or_of_another_kind_is_another_event(run: SavedRun) -> None:
    events = [("i30", 9, "like"), ("i30", 10, "like"), ("i30", 9, "dislike"), ("i30", 9, "like")]
    asker = asker_with(run, "nobody", events, None)
    assert ids(run, asker) == ["i30", "i30"]
    assert not asker.known and asker.events == 4
    assert barred(run, asker) == set()  # the newest word is at 10


def test_barred_items_are_barred_whatever_the_history_says(run: SavedRun) -> None:
    asker = asker_with(run, "u1", [("i30", 10**6, "like")], None, barred=["i30", "i31", "nowhere"])
    assert {"i30", "i31"} <= barred(run, asker)
    assert ids(run, asker)[-1] == "i30"


KINDS = {"": 2, "like": 2, "dislike": -2, "skip": -1}
told_event = st.builds(
    Event,
    st.sampled_from(["i0", "i1", "i2", "i30", "nowhere"]),
    st.none() | st.sampled_from([0.0, 1000.0, 1001.0, 1001.75, 2001.0, 10.0**6]),
    st.sampled_from(sorted(KINDS)),
)
told_events = st.lists(told_event, max_size=10)


def plainly(
    run: SavedRun, events: list[Event], known: list[Event]
) -> tuple[list[tuple[str, int]], set[str]]:
    """What was chosen, with times, and what is refused: all rules, an event at a time."""
    whole, seen = [*known], {(one.item, one.time, one.kind) for one in known}
    for one in events:
        time = None if one.time is None else math.floor(one.time)
        key = (one.item, time, one.kind or "like")
        if one.item == "nowhere" or (time is not None and key in seen):
            continue
        seen.add(key)
        whole.append(Event(*key))
    times = [one.time for one in whole]
    earliest = min((t for t in times if t is not None), default=run.log_facts.newest)
    filled: list[float] = []
    for time in times:
        filled.append(time if time is not None else filled[-1] if filled else earliest)
    order = sorted(range(len(whole)), key=lambda row: filled[row])
    words = {str(whole[row].item): whole[row].kind for row in order if whole[row].kind != "skip"}
    chosen = [(str(whole[n].item), int(filled[n])) for n in order if whole[n].kind == "like"]
    return chosen, {item for item, kind in words.items() if kind == "dislike"}


def read(run: SavedRun, asker: Asker) -> tuple[list[tuple[str, int]], set[str]]:
    assert asker.context.times is not None
    return list(zip(ids(run, asker), asker.context.times.tolist(), strict=True)), barred(run, asker)


@settings(max_examples=60, deadline=None)
@given(told_events, st.sampled_from(["u1", "u2", "never", "nobody"]))
def test_any_events_are_read_by_the_rules_one_at_a_time(
    run: SavedRun, events: list[Event], user: str
) -> None:
    known = [] if user == "nobody" else log_of(run, user)
    live = asker_with(run, user, events, None)
    assert read(run, live) == plainly(run, events, known)
    assert live.events == len(events)
    assert live.unknown == sum(one.item == "nowhere" for one in events)
    assert live.known == (user != "nobody") and live.user == user
    assert live.context.lengths.tolist() == [len(live.context.items)]
    for name, column in live.context.columns.items():
        assert column.dtype == run.interactions.columns[name].dtype, name


@settings(max_examples=25, deadline=None)
@given(told_events)
def test_events_with_times_count_once_however_often_they_are_told(
    run: SavedRun, events: list[Event]
) -> None:
    timed = [one for one in events if one.time is not None]
    once = asker_with(run, "u1", timed, None)
    for more in ([*timed, *timed], [*log_of(run, "u1"), *timed]):
        again = asker_with(run, "u1", more, None)
        assert same(once.context, again.context)
        assert once.refused.tolist() == again.refused.tolist()


@settings(max_examples=25, deadline=None)
@given(told_events, st.sampled_from([-1.0, 0.0, 1000.0, 3001.0, 10.0**7]))
def test_since_a_moment_the_log_is_what_came_after_it(
    run: SavedRun, events: list[Event], since: float
) -> None:
    later = [one for one in log_of(run, "u1") if one.time is not None and one.time > since]
    asker = asker_with(run, "u1", events, since)
    assert read(run, asker) == plainly(run, events, later)
    assert not asker.known and asker.context.users.tolist() == [-1]


def test_an_asker_without_anything_is_an_empty_row(run: SavedRun) -> None:
    for asker in (
        asker_given(run, [], (), ""),
        asker_given(run, ["nowhere"] * 3, ["nowhere"], ""),
        asker_with(run, "nobody", [], None),
        asker_with(run, "nobody", [("i1", 5, "skip")], None),
        asker_of(run, "nobody"),
    ):
        assert len(asker.context) == 1 and not len(asker.context.items)
        assert not len(asker.refused) and not asker.known
        assert asker.context.offsets.tolist() == [0, 0]
    assert asker_of(run, "never").known and barred(run, asker_of(run, "never")) == {"i1"}
