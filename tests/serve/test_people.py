"""Users of a store, on both databases."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve import people
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store


def fill(store: Store, *users: str, kind: str = "view") -> None:
    there = len(store)
    store.append(
        [
            Event(f"e{there + n}", user, "i1", 1000.5 + there + n, kind)
            for n, user in enumerate(users)
        ]
    )


def test_an_empty_store_has_nobody(store: Store) -> None:
    assert store.people.newest(5) == []
    assert store.people.beginning("", 5) == []


def test_who_was_told_of_last_stands_first(store: Store) -> None:
    fill(store, "a", "b", "a", "c")
    fill(store, "d", kind="shown")
    found = store.people.newest(5)
    assert [one.user for one in found] == ["c", "a", "b"]
    assert (found[1].time, found[1].events) == (1002.5, 2)
    assert [one.user for one in store.people.newest(1)] == ["c"]


def test_only_the_newest_events_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "READ", 2)
    fill(store, "a", "b", "c", "c")
    assert [one.user for one in store.people.newest(5)] == ["c"]


def test_users_by_how_their_ids_begin(store: Store) -> None:
    fill(store, "anna", "ann", "bob", "anton", "ann", "100%", "a_b", "é")
    assert set(store.people.beginning("ann", 5)) == {"anna", "ann"}
    assert len(store.people.beginning("an", 2)) == 2
    assert store.people.beginning("100%", 5) == ["100%"]
    assert store.people.beginning("a_", 5) == ["a_b"]
    assert store.people.beginning("é", 5) == ["é"]
    assert store.people.beginning("zz", 5) == []
    assert store.people.beginning("%", 5) == []


def test_what_no_id_begins_with_is_refused(store: Store) -> None:
    with pytest.raises(BadInput):
        store.people.beginning("a\x00", 5)


def test_one_busy_user_does_not_hide_the_next(store: Store) -> None:
    fill(store, *["a1"] * 50, "a2")
    assert set(store.people.beginning("a", 5)) == {"a1", "a2"}


def test_the_search_for_a_beginning_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "JUMPS", 3)
    fill(store, *(f"u{n}" for n in range(9)))
    assert len(store.people.beginning("u", 9)) == 3
