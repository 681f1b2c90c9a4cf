"""The store on both databases: what it was told once is there, once, until it is erased."""

import math
import threading
import time
from typing import Any

import pytest

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.serve.adding import Appended
from tastemaker.serve.erasure import Erased
from tastemaker.serve.events import SHOWN, Event
from tastemaker.serve.store import Store

T = 1_700_000_000


def event(number: int, user: str = "ann", **rest: Any) -> Event:
    return Event(f"e{number}", user, f"i{number}", **{"time": T + number, **rest})


def test_events_are_added_once_however_often_they_are_told(store: Store) -> None:
    batch = [event(n) for n in range(5)]
    assert store.append(batch) == Appended(5, 0)
    assert store.append([*batch, event(5), event(5)]) == Appended(1, 6)
    # The id decides: who tells another event under it is told that it is there.
    assert store.append([Event("e0", "bob", "other", T)]) == Appended(0, 1)
    assert len(store) == 6 and store.history("bob", 9) == []
    assert store.append([]) == Appended(0, 0)


def test_a_history_is_the_newest_events_oldest_first(store: Store) -> None:
    first = [event(n, value=0.1, kind="like", list_id="l", rank=n + 1) for n in range(6)]
    same_time = [Event(f"s{n}", "ann", f"s{n}", T + 0.25) for n in range(3)]
    store.append([*first[::-1], *same_time, event(9, "bob")])
    assert store.history("ann", 4) == first[2:]
    assert store.history("ann", 99) == [first[0], *same_time, *first[1:]]
    assert store.history("nobody", 3) == store.history("ann", 0) == []


def test_what_was_shown_is_kept_and_is_no_history(store: Store) -> None:
    shown = Event("x", "ann", "i9", T, SHOWN, None, "list-1", 3)
    store.append([shown, event(1, kind="like"), event(2)])
    assert [one.event_id for one in store.history("ann", 9)] == ["e1", "e2"]
    assert store.history("ann", 9, [SHOWN]) == [shown]
    assert [one.event_id for one in store.history("ann", 9, ["like", SHOWN])] == ["x", "e1"]
    assert store.history("ann", 9, []) == []


@pytest.mark.parametrize("time", [0, 0.000001, T + 0.123456, 4_102_444_800])
def test_times_and_values_come_back_as_they_were_told(store: Store, time: float) -> None:
    told = Event("a", "u", "i", time, "", 1e-300)
    store.append([told])
    assert store.history("u", 1) == [told]


STRANGE = ["'; DROP TABLE events; --", "%s %(a)s :b ?", "é中文🙂", " ", "\u2028\ufeff\u202e",
           "a\\b", "NULL", "7.0", "x" * 1024, "\U0010ffff"]  # fmt: skip


def test_ids_may_hold_any_characters(store: Store) -> None:
    told = [Event(f"e{one}"[:1024], one, one, T, one, None, one) for one in STRANGE]
    assert store.append(told) == Appended(len(STRANGE), 0)
    for one, its in zip(STRANGE, told, strict=True):
        assert store.history(one, 9, [one]) == [its]
        store.hide(one)
        assert store.erase(one) == Erased(1, 0)
    assert store.hidden() == frozenset(STRANGE)


def test_a_bad_event_spoils_its_batch_and_nothing_else(store: Store) -> None:
    store.append([event(1)])
    with pytest.raises(BadData) as caught:
        store.append([event(2), event(3, time=-1), Event("", "u\0", "i", T), event(4, time=-2)])
    told = {problem.column: problem for problem in caught.value.problems}
    assert set(told) == {"time", "event_id", "user_id"}
    assert (told["time"].row, told["time"].count, told["user_id"].row) == (2, 2, 3)
    assert len(store) == 1
    assert store.append([event(2)]) == Appended(1, 0)


def test_who_is_erased_is_gone_and_old_events_do_not_come_back(store: Store) -> None:
    told = [event(1), event(2), event(3, "bob"), event(4, time=4_000_000_000)]
    store.append(told)
    assert store.erase("ann") == Erased(3, 0)
    assert store.history("ann", 9) == [] and len(store) == 1
    assert store.append(told) == Appended(0, 1, 3)
    assert store.append([event(5), event(6, time=4_000_000_001)]) == Appended(1, 0, 1)
    assert store.erased(["ann", "bob"]) == {"ann": 4_000_000_000}
    assert store.erase("nobody") == Erased(0, 0)
    assert store.erase("ann").events == 1
    many = [f"u{n}" for n in range(1_200)]
    store.append([event(n, user) for n, user in enumerate(many, 100)])
    assert store.erased([*many, "ann", "nobody"]).keys() == {"ann", "nobody"}


def test_numbers_of_erased_events_are_not_given_again(store: Store) -> None:
    store.append([event(1, "bob"), event(2), event(3)])
    with store.database.reading() as connection:
        (before,) = connection.exec_driver_sql("SELECT max(number) FROM events").one()
    store.erase("ann")
    store.append([event(4, "bob")])
    with store.database.reading() as connection:
        (after,) = connection.exec_driver_sql("SELECT max(number) FROM events").one()
    assert after > before


def test_items_are_hidden_until_a_time_or_for_good(store: Store) -> None:
    store.hide("a")
    store.hide("b", T)
    store.hide("c", T + 10)
    store.hide("c", T + 20)
    assert store.hidden(T - 1) == {"a", "b", "c"}
    assert store.hidden(T) == store.hidden(T + 19.5) == {"a", "c"}
    assert store.hidden() == {"a"}
    assert (store.unhide("a"), store.unhide("a")) == (True, False)
    assert store.hidden(0) == {"b", "c"}


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), 1e12, True])
def test_what_is_no_time_hides_nothing(store: Store, wrong: float) -> None:
    with pytest.raises(BadInput):
        store.hide("a", wrong)
    assert store.hidden(0) == frozenset()


@pytest.mark.parametrize("wrong", ["", "a\0", "\ud800", "x" * 1025, "a\n"])
def test_what_is_no_id_is_refused(store: Store, wrong: str) -> None:
    for call in (store.erase, store.hide, store.unhide, lambda user: store.history(user, 3)):
        with pytest.raises(BadInput):
            call(wrong)
    for number in (-1, 2**31, True):
        with pytest.raises(BadInput):
            store.history("ann", number)


def test_writers_wait_their_turn_and_readers_do_not_wait(store: Store) -> None:
    store.append([event(0)])
    counts: list[Appended] = []

    def write(who: int) -> None:
        for n in range(5):
            batch = [event(1_000 * who + 10 * n + k, f"u{who}") for k in range(10)]
            counts.append(store.append([*batch, event(0)]))

    with store.database.writing() as alone:
        alone.exec_driver_sql("DELETE FROM events")
        threads = [threading.Thread(target=write, args=(who,)) for who in range(1, 5)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        assert len(store) == 1 and len(store.history("ann", 5)) == 1
        assert time.monotonic() - began < 30 and not counts
    for thread in threads:
        thread.join()
    assert sum(one.new for one in counts) == 201 and sum(one.duplicate for one in counts) == 19
    assert len(store) == 201


def test_a_reader_sees_one_moment(store: Store) -> None:
    store.append([event(1)])
    with store.database.reading() as connection:
        asked = "SELECT count(*) FROM events"
        assert connection.exec_driver_sql(asked).scalar() == 1
        store.append([event(2)])
        assert connection.exec_driver_sql(asked).scalar() == 1
    assert len(store) == 2


def test_a_store_is_itself_when_it_is_opened_again(url: str) -> None:
    with Store.open(url) as store:
        identity = store.identity
        store.append([event(1)])
    with Store.open(url, create=False) as store:
        assert store.identity == identity and len(store) == 1


def test_an_item_is_hidden_until_it_is_offered_again(store: Store) -> None:
    assert store.hidden_until("i1") is None
    store.hide("i1")
    assert store.hidden_until("i1") == math.inf
    store.hide("i1", 4_000_000_000.5)
    assert store.hidden_until("i1") == 4_000_000_000.5
    store.hide("i1", 1000.0)
    assert store.hidden_until("i1") is None
    store.unhide("i1")
    assert store.hidden_until("i1") is None


def test_what_was_told_is_the_history_and_the_end_of_what_counts(store: Store) -> None:
    assert store.told("ann", 10) == ([], None)
    batch = [Event(f"e{n}", "ann", f"i{n}", 100 + n // 2, "view") for n in range(6)]
    shown = Event("s", "ann", "i9", 500, "shown")
    store.append([*batch, shown, Event("o", "bob", "i1", 5, "view")])
    for newest in (0, 3, 10):
        assert store.told("ann", newest) == (store.history("ann", newest), None)
    store.erase("ann")
    until = store.erased(["ann"])["ann"]
    assert store.told("ann", 10) == ([], until)
    store.append([Event("later", "ann", "i2", until + 5, "view")])
    found, erased = store.told("ann", 10)
    assert [one.event_id for one in found] == ["later"] and erased == until
