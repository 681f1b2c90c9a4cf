"""Batches that wait are written together, and each is told what became of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from tastemaker.serve import group_commit
from tastemaker.serve.adding import Appended
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store


def batch(number: int, size: int = 5) -> list[Event]:
    return [Event(f"e{number}-{n}", f"u{number}", "i", n) for n in range(size)]


def at_once(
    store: Store, calls: int, before: Callable[[], object] = lambda: None
) -> list[Future[Appended]]:
    """Tell batches while somebody else writes, so that all of them wait."""
    with ThreadPoolExecutor(calls) as pool, store.database.writing():
        told = [pool.submit(store.append, batch(n)) for n in range(calls)]
        while len(store._together._waiting) < calls:
            time.sleep(0.01)
        before()
    return told


def commits(store: Store) -> list[str]:
    """Grows by one a transaction that writes."""
    met: list[str] = []

    def count(connection: Any) -> None:
        if connection.get_execution_options().get("writes"):
            met.append("commit")

    event.listen(store.database.engine, "commit", count)
    return met


def test_what_waits_is_written_together(store: Store) -> None:
    met = commits(store)
    told = at_once(store, 6)
    assert [one.result() for one in told] == [Appended(5, 0)] * 6
    assert len(store) == 30 and store._together._waiting == []
    # Of somebody else; of the first, whose turn it was already; of all who waited.
    assert len(met) <= 3
    assert store.append([*batch(0), *batch(9)]) == Appended(5, 5)


def test_no_more_than_fit_are_written_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MOST", 10)
    met = commits(store)
    assert sum(one.result().new for one in at_once(store, 6)) == 30
    assert len(met) >= 4
    assert store.append(batch(7, 25)) == Appended(25, 0)


def test_where_writing_fails_everybody_is_told_and_nothing_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = group_commit.add, []

    def fails(*words: Any) -> Appended:
        calls.append(words)
        if len(calls) == 2:
            raise OSError("no room")
        return plain(*words)

    def break_it() -> None:
        monkeypatch.setattr(group_commit, "add", fails)

    told = at_once(store, 3, break_it)
    failed = [one for one in told if one.exception() is not None]
    assert failed and all(isinstance(one.exception(), OSError) for one in failed)
    assert len(store) == 5 * (3 - len(failed))
    assert store.append(batch(0)).new + len(store) >= 5
    assert store._together._waiting == []


def test_who_is_interrupted_leaves_the_others_their_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, stopped = group_commit.add, threading.Event()

    def interrupted(*words: Any) -> Appended:
        if not stopped.is_set():
            stopped.set()
            raise KeyboardInterrupt
        return plain(*words)

    told = at_once(store, 4, lambda: monkeypatch.setattr(group_commit, "add", interrupted))
    ended = [one.exception() for one in told]
    assert sum(isinstance(one, KeyboardInterrupt) for one in ended) == 1
    assert sum(one is None for one in ended) == 3 and len(store) == 15
