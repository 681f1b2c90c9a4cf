"""Reading ahead keeps order, hands errors on, and ends its thread when the reader leaves."""

import threading
import time
from collections.abc import Iterator

import pytest

from tastemaker.data.prefetch import prefetch


def test_everything_arrives_in_order() -> None:
    assert list(prefetch(iter(range(100)), depth=3)) == list(range(100))
    assert list(prefetch(iter([]))) == []


def test_none_and_false_are_values() -> None:
    assert list(prefetch(iter([None, False, 0]))) == [None, False, 0]


def test_an_error_reaches_the_reader_after_what_came_before() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken source")

    ahead = prefetch(source())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="broken source"):
        next(ahead)


def test_at_most_depth_items_wait() -> None:
    taken = []

    def source() -> Iterator[int]:
        for at in range(50):
            taken.append(at)
            yield at

    ahead = prefetch(source(), depth=2)
    next(ahead)
    time.sleep(0.2)
    assert len(taken) <= 5
    ahead.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("items", [range(4), range(10**9)])
def test_leaving_early_ends_the_thread(items: range) -> None:
    before = set(threading.enumerate())
    ahead = prefetch(iter(items), depth=1)
    next(ahead)
    (thread,) = set(threading.enumerate()) - before
    ahead.close()  # type: ignore[attr-defined]
    thread.join(timeout=60)
    assert not thread.is_alive()
