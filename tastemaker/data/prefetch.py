"""Read ahead in a background thread, so that building a batch and using one overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")
Entry = tuple[T] | BaseException | None
"""What was read, the error that ended the reading, or None at its end."""


def prefetch(source: Iterator[T], depth: int = 2) -> Iterator[T]:
    """Read `source` in a background thread, `depth` items ahead; errors surface in the reader."""
    ahead: queue.Queue[Entry[T]] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    threading.Thread(target=_read, args=(source, ahead, stop), daemon=True).start()
    try:
        while True:
            entry = ahead.get()
            if entry is None:
                return
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stop.set()


def _read(source: Iterator[T], ahead: queue.Queue[Entry[T]], stop: threading.Event) -> None:
    try:
        for item in source:
            _offer(ahead, stop, (item,))
            if stop.is_set():
                return
        _offer(ahead, stop, None)
    except BaseException as error:
        _offer(ahead, stop, error)


def _offer(ahead: queue.Queue[Entry[T]], stop: threading.Event, entry: Entry[T]) -> None:
    """Wait for a place, or until the reader has left."""
    while not stop.is_set():
        try:
            ahead.put(entry, timeout=0.1)
            return
        except queue.Full:
            continue
