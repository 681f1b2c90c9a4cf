"""The one thread that computes: what is asked for while it works is answered together.

Torch holds the core while it ranks, so the loop that talks to clients must not. Requests wait in a
bounded line; the thread takes all that wait, at most `TOGETHER`, and never waits for more: alone a
request is answered at once, under load several share one pass through the model.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from tastemaker.serve.refusals import Busy

T = TypeVar("T")
A = TypeVar("A")
TOGETHER = 64
"""Most requests that are answered together."""


@dataclass(frozen=True, eq=False)
class Job(Generic[A, T]):
    """What one request asks for, and who waits for it."""

    kind: Hashable
    """jobs of one kind are answered together"""
    asked: A
    work: Callable[[Sequence[A]], Sequence[T | Exception]]
    """answers, in their order, what all of one kind ask; the same function for all of them"""
    waits: asyncio.Future[T]
    until: float
    """moment of the monotonic clock after which nobody waits any longer"""


Jobs = queue.SimpleQueue[Job[Any, Any] | None]


class Worker:
    """A thread with a line before it, or several with one line.

    Args:
        most: Requests that wait in the line, the ones being answered counted in.
        patience: Seconds that a request waits there.
        name: What they work at.
        threads: How many there are; several take one request at a time, as where each waits for a
            disk.
    """

    def __init__(
        self, most: int, patience: float, name: str = "the line of requests", threads: int = 1
    ) -> None:
        self.most, self.patience, self.name = most, patience, name
        self._line: Jobs = queue.SimpleQueue()
        self._waiting = 0
        self._together = TOGETHER if threads == 1 else 1
        self._threads = [
            threading.Thread(target=self._work, name=name, daemon=True) for _ in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Requests that are not answered yet."""
        return self._waiting

    async def call(self, work: Callable[[], T]) -> T:
        """What a function returns, called by the thread.

        Raises:
            Busy: If the line is full, or the request has waited too long.
        """
        return await self.together(object(), None, lambda asked: [work() for _ in asked])

    async def together(
        self, kind: Hashable, asked: A, work: Callable[[Sequence[A]], Sequence[T | Exception]]
    ) -> T:
        """The answer to one of several requests that may be answered together.

        Args:
            kind: What requests must share for that.
            asked: What this one asks.
            work: Answers all of them, in their order; an exception among the answers is raised for
                the request that it stands for, one that is raised for all.

        Raises:
            Busy: If the line is full, or the request has waited too long.
        """
        if self._waiting >= self.most:
            raise Busy(503, f"{self._waiting:,} requests wait already.", self.name)
        loop = asyncio.get_running_loop()
        waits: asyncio.Future[T] = loop.create_future()
        until = time.monotonic() + self.patience
        self._waiting += 1
        self._line.put(Job(kind, asked, work, waits, until))
        # Not counted down before the thread is through: a request whose client has gone still
        # stands in the line.
        return await waits

    def close(self) -> None:
        """End once all that waits is answered."""
        for _ in self._threads:
            self._line.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        ends = False
        while not ends:
            jobs, ends = self._taken()
            groups: dict[Hashable, list[Job[Any, Any]]] = {}
            for job in jobs:
                groups.setdefault(job.kind, []).append(job)
            for group in groups.values():
                _tell(group, _answered(group, self.name), self._left)

    def _taken(self) -> tuple[list[Job[Any, Any]], bool]:
        """All that waits, the first of it waited for; and whether that was the end."""
        jobs: list[Job[Any, Any]] = []
        job = self._line.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == self._together:
                return jobs, False
            try:
                job = self._line.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _left(self, count: int) -> None:
        self._waiting -= count


def _answered(jobs: Sequence[Job[Any, Any]], name: str) -> list[object]:
    """An answer or an exception for each of some jobs of one kind."""
    now = time.monotonic()
    live = [job for job in jobs if job.until >= now and not job.waits.cancelled()]
    answers: Sequence[object] = ()
    if live:
        try:
            answers = live[0].work([job.asked for job in live])
        except Exception as error:  # each request is told, whatever it is
            answers = [error] * len(live)
    late = Busy(503, "The request has waited too long.", name)
    told = dict(zip(map(id, live), answers, strict=True))
    return [told.get(id(job), late) for job in jobs]


def _tell(
    jobs: Sequence[Job[Any, Any]], answers: Sequence[object], left: Callable[[int], None]
) -> None:
    """Hand answers to those who wait, in the thread of their loop, in one call."""

    def tell() -> None:
        left(len(jobs))
        for job, told in zip(jobs, answers, strict=True):
            if job.waits.done():
                continue
            if isinstance(told, Exception):
                job.waits.set_exception(told)
            else:
                job.waits.set_result(cast(Any, told))

    try:
        jobs[0].waits.get_loop().call_soon_threadsafe(tell)
    except RuntimeError:  # the loop has ended, and with it all who wait
        left(len(jobs))
