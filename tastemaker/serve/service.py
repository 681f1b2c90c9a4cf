"""What the routes call: the run that answers, the store behind it, and the threads they work in.

The run is one reference, replaced as a whole: who has begun with one run ends with it, so no answer
mixes two. Ranking has a thread of its own (`worker`); the store and all else that waits for a disk
have a few others. Nothing here knows of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.events import Event as Given
from tastemaker.run.wishes import Wishes
from tastemaker.serve.adding import Appended
from tastemaker.serve.database import Database
from tastemaker.serve.erasure import Erased
from tastemaker.serve.events import Event
from tastemaker.serve.limits import Limits
from tastemaker.serve.logs import say
from tastemaker.serve.monitoring import Monitoring
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.people import People
from tastemaker.serve.recommended import Recommended
from tastemaker.serve.refusals import Busy
from tastemaker.serve.worker import Worker

T = TypeVar("T")
THREADS = 4
"""That wait for the store."""
FRESH = 1.0
"""Seconds for which it is believed which items are hidden: another server may hide some."""


class Keeps(Protocol):
    """What a server asks of its store."""

    @property
    def database(self) -> Database:
        """Where it is, for who counts what is there."""

    def append(self, batch: Sequence[Event]) -> Appended:
        """Add events durably."""

    def history(self, user: str, newest: int) -> list[Event]:
        """The newest events of a user, oldest first."""

    def erase(self, user: str) -> Erased:
        """Remove a user."""

    def erased(self, users: Sequence[str]) -> dict[str, float]:
        """Until when some users were erased."""

    def hide(self, item: str, until: float | None = None) -> None:
        """Offer an item to nobody."""

    def unhide(self, item: str) -> bool:
        """Offer an item again."""

    def hidden(self, now: float | None = None) -> frozenset[str]:
        """Items that are not offered."""

    def hidden_until(self, item: str) -> float | None:
        """Until when an item is not offered."""

    @property
    def people(self) -> People:
        """The users of whom something was told."""


@dataclass(frozen=True)
class Ranked:
    """An answer and the run that gave it."""

    answer: Answer
    run: Opened


class Service:
    """A server without its surface.

    Args:
        run: What answers.
        store: Where events are.
        limits: What may be asked.
    """

    def __init__(self, run: Opened, store: Keeps, limits: Limits) -> None:
        self.run, self.store, self.limits = run, store, limits
        self.worker = Worker(limits.queue, limits.patience)
        self.monitoring = Monitoring(lambda: self.worker.waiting)
        self.monitoring.serves(run.version, run.model)
        self.recommended = Recommended()
        self._threads = ThreadPoolExecutor(THREADS, "store")
        self._in_threads = 0
        self._hidden: tuple[float, frozenset[str]] = (-FRESH, frozenset())
        self._changes = 0

    def close(self) -> None:
        """Let the threads end."""
        self.worker.close()
        self._threads.shutdown()

    async def recommend(
        self, user: str, wishes: Wishes, model: str = "", available: bool = True
    ) -> Ranked:
        """The best items for a user, from all that the run and the store know of them.

        Args:
            user: Their id.
            wishes: How many items, and which.
            model: A model of the run; empty: the one it recommends with.
            available: Whether hidden items are left out.
        """
        told, hidden = await self.apart(lambda: (self._told(user), self._hidden_now()))
        wishes = replace(wishes, hidden=hidden) if available and hidden else wishes
        return await self.rank(Asked(told, wishes, model))

    async def recommend_from(
        self, history: Sequence[Given], wishes: Wishes, model: str = "", available: bool = True
    ) -> Ranked:
        """The best items for somebody whose whole history comes with the request."""
        wishes = await self.offered(wishes) if available else wishes
        return await self.rank(Asked(tuple(history), wishes, model))

    async def rank(self, asked: Asked) -> Ranked:
        """One list of one run, together with those that others wait for."""
        run = self.run
        answer = await self.worker.together(run, asked, run.rank)
        self.recommended.count(run, answer)
        return Ranked(answer, run)

    async def similar(self, item: str, wishes: Wishes, available: bool = True) -> Ranked:
        """The best items that go with an item."""
        wishes = await self.offered(wishes) if available else wishes
        run = self.run
        answer = await self.worker.call(lambda: run.similar(item, wishes))
        return Ranked(answer, run)

    async def offered(self, wishes: Wishes) -> Wishes:
        """Wishes for items that are not hidden."""
        since, hidden = self._hidden
        if time.monotonic() - since >= FRESH:
            hidden = await self.apart(self._hidden_now)
        return replace(wishes, hidden=hidden) if hidden else wishes

    async def append(self, events: Sequence[Event]) -> Appended:
        """Keep events; once this returns they are on the disk.

        Raises:
            BadInput: If one of them cannot be kept or is of no declared kind; then none is.
        """
        if len(events) > self.limits.batch:
            what = f"The batch has {len(events):,} events; {self.limits.batch:,} is the most."
            raise BadInput(what, "events", "Send several batches.")
        self.run.check_kinds(events)
        added = await self.apart(lambda: self.store.append(events))
        self.monitoring.events(new=added.new, duplicate=added.duplicate, erased=added.erased)
        return added

    async def erase(self, user: str) -> Erased:
        """Remove all events of a user, and what is kept to answer them sooner."""
        run = self.run
        gone = await self.apart(lambda: self.store.erase(user))
        kept = await self.worker.call(lambda: run.forget(user))
        return Erased(gone.events, gone.states + kept)

    async def hide(self, item: str, until: float | None) -> None:
        """Offer an item to nobody, for good or until a time."""
        await self.apart(lambda: self.store.hide(item, until))
        self._changed()

    async def unhide(self, item: str) -> None:
        """Offer an item again."""
        await self.apart(lambda: self.store.unhide(item))
        self._changed()

    async def told(self, user: str) -> Told:
        """What was told of a user since the run was made."""
        return await self.apart(lambda: self._told(user))

    async def ready(self) -> None:
        """Ask the store for something.

        Raises:
            Unavailable: If it is away.
        """
        await self.apart(self._hidden_now)

    async def apart(self, work: Callable[[], T]) -> T:
        """What a function returns that waits for a disk or a database.

        Raises:
            Busy: If as many wait for it as may.
        """
        if self._in_threads >= self.limits.queue:
            raise Busy(503, f"{self._in_threads:,} requests wait already.", "the store")
        self._in_threads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._in_threads -= 1

    async def swap(self, path: str | Path) -> Opened:
        """Open another run, check it, and answer with it from then on; no request notices.

        Raises:
            ArtefactError: If it is no finished run, or damaged; the old one goes on answering.
            BadInput: If it is of other items.
        """
        old = self.run
        new = await self.apart(lambda: opened_beside(path, old))
        self.run = new
        self.monitoring.swapped(new.version, new.model)
        say("swap", version=new.version, model=new.model, before=old.version)
        return new

    def _told(self, user: str) -> Told:
        events = self.store.history(user, self.limits.history)
        return Told(user, tuple(events), self.store.erased([user]).get(user))

    def _changed(self) -> None:
        """Believe nothing of what is hidden that was read before now."""
        self._changes += 1
        self._hidden = (time.monotonic() - FRESH, self._hidden[1])

    def _hidden_now(self) -> frozenset[str]:
        since, known = self._hidden
        if (began := time.monotonic()) - since < FRESH:
            return known
        changes, found = self._changes, self.store.hidden()
        # The same set stays the same object, by which masks of it are kept.
        known = known if found == known else found
        if changes == self._changes:
            self._hidden = (began, known)
        return known


def opened_beside(path: str | Path, old: Opened) -> Opened:
    """A run that may take another's place.

    Raises:
        ArtefactError: If it is no finished run, or damaged.
        BadInput: If none of its items is one of the other's.
    """
    new = Opened.open(path)
    refuse_strange(new, old)
    return new


def refuse_strange(new: Opened, old: Opened) -> None:
    """Refuse a run of other items than those that are served.

    Raises:
        BadInput: If they share none.
    """
    if new.saved.interactions.item_codes.keys().isdisjoint(old.saved.interactions.item_codes):
        fix = "Serve it by a server of its own."
        raise BadInput("The run has none of the items that are served.", str(new.saved.path), fix)
