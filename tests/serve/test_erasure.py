"""Erasing: of two times the later one binds, and nothing but a hash stays."""

from pathlib import Path

from tastemaker.serve.erasure import chunks, erase_again, erased_until, hash_of, remember
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store


def test_the_later_time_counts(store: Store) -> None:
    with store.database.writing() as connection:
        for time in (5, 9, 7):
            remember(store.database, connection, {hash_of("ann"): time, hash_of(f"u{time}"): time})
        held = erased_until(connection, ["ann", "u5", "u7", "u9", "bob"])
    assert held == {"ann": 9, "u5": 5, "u7": 7, "u9": 9}


def test_who_was_erased_elsewhere_loses_what_lies_before(store: Store) -> None:
    store.append([Event(f"e{n}", user, "i", n) for n, user in enumerate(["ann", "bob"] * 3)])
    with store.database.writing() as connection:
        until = {hash_of("ann"): 2_000_000, hash_of("eve"): 2_000_000}
        assert erase_again(connection, until) == 2
    assert [one.time for one in store.history("ann", 9)] == [4]
    assert len(store.history("bob", 9)) == 3


def test_an_erased_user_is_nowhere_in_the_files(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s") as store:
        store.append([Event(f"e{n}", "a canary user", "i", n) for n in range(300)])
        store.append([Event(f"f{n}", f"u{n}", "i", n) for n in range(300)])
        store.erase("a canary user")
        for path in tmp_path.iterdir():
            assert b"canary" not in path.read_bytes(), path
        assert len(store) == 300


def test_chunks_hold_everything_once() -> None:
    values = list(range(1_203))
    assert [one for some in chunks(values) for one in some] == values
    assert list(chunks([])) == []
