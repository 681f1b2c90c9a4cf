"""Read ahead in a background thread, so that building a batch and using one overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def prefetch(source: Iterator[T], depth: int = 2) -> Iterator[T]:
    """Read `source` in a background thread, `depth` items ahead; errors surface in the reader."""
    ahead: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    threading.Thread(target=_read, args=(source, ahead, stop), daemon=True).start()
    try:
        while True:
            more, item = ahead.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        stop.set()


def _read(
    source: Iterator[Any], ahead: queue.Queue[tuple[bool, Any]], stop: threading.Event
) -> None:
    try:
        for item in source:
            _offer(ahead, stop, (True, item))
            if stop.is_set():
                return
        _offer(ahead, stop, (False, None))
    except BaseException as error:
        _offer(ahead, stop, (False, error))


def _offer(
    ahead: queue.Queue[tuple[bool, Any]], stop: threading.Event, entry: tuple[bool, Any]
) -> None:
    """Wait for a place, or until the reader has left."""
    while not stop.is_set():
        try:
            ahead.put(entry, timeout=0.1)
            return
        except queue.Full:
            continue
