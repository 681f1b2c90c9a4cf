"""What the routes call: the run that answers, the store behind it, and the threads they work in.

The run is one reference, replaced as a whole: who has begun with one run ends with it, so no answer
mixes two. Ranking has a thread of its own (`worker`); the store and all else that waits for a disk
have a few others. Nothing here knows of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from tastemaker.errors import BadInput, TastemakerError
from tastemaker.run.answers import Answer
from tastemaker.run.events import Event as Given
from tastemaker.run.wishes import Wishes
from tastemaker.serve.adding import Appended
from tastemaker.serve.database import Database
from tastemaker.serve.erasure import Erased
from tastemaker.serve.events import SHOWN, Event
from tastemaker.serve.experiments import Assigned, Experiment
from tastemaker.serve.exposures import ExposureLog
from tastemaker.serve.limits import Limits
from tastemaker.serve.logs import say
from tastemaker.serve.looks import Looks
from tastemaker.serve.monitoring import Monitoring
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.people import People
from tastemaker.serve.recommended import Recommended
from tastemaker.serve.remembering import KeepsStates, Remembered
from tastemaker.serve.successor import check_arms, opened_beside
from tastemaker.serve.worker import Worker

T = TypeVar("T")
THREADS = 4
"""That wait for the store."""
SOON = 1.0
"""Seconds after which a server prepares for what it has not been asked yet."""
FRESH = 1.0
"""Seconds for which it is believed which items are hidden: another server may hide some."""


class Keeps(KeepsStates, Protocol):
    """What a server asks of its store."""

    @property
    def database(self) -> Database:
        """Where it is, for who counts what is there."""

    def append(self, batch: Sequence[Event]) -> Appended:
        """Add events durably."""

    def told(self, user: str, newest: int) -> tuple[list[Event], float | None]:
        """The newest events of a user, oldest first, and until when they were erased."""

    def history(self, user: str, newest: int) -> list[Event]:
        """The newest events of a user, oldest first."""

    def erased(self, users: Sequence[str]) -> dict[str, float]:
        """Until when some users were erased."""

    def erase(self, user: str) -> Erased:
        """Remove a user."""

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
    assigned: Assigned | None = None
    """part of an experiment by which the model was chosen"""


class Service:
    """A server without its surface.

    Args:
        run: What answers.
        store: Where events are.
        limits: What may be asked.
        experiment: That decides which model answers a user who names none.
        looks: What finds items by their pictures; None: nothing does.

    Raises:
        BadInput: If the run lacks a model of the experiment.
    """

    def __init__(
        self,
        run: Opened,
        store: Keeps,
        limits: Limits,
        experiment: Experiment | None = None,
        looks: Looks | None = None,
    ) -> None:
        check_arms(experiment, run)
        self.store, self.limits, self.looks = store, limits, looks
        self.worker = Worker(limits.queue, limits.patience)
        self.monitoring = Monitoring(lambda: self.worker.waiting)
        self.states = Remembered(
            store, self._told, lambda: self.worker.waiting > 0, self.monitoring
        )
        self.run = self.states.serve(run)
        self.monitoring.serves(run.version, run.model)
        self.exposures = (
            ExposureLog(experiment, store.database, self.monitoring) if experiment else None
        )
        self._disk = Worker(limits.queue, limits.patience, "the store", THREADS)
        self.recommended = Recommended()
        self._hidden: tuple[float, frozenset[str]] = (-FRESH, frozenset())
        self._changes = 0

    def close(self) -> None:
        """Let the threads end."""
        self.states.close()
        self.worker.close()
        if self.exposures:
            self.exposures.close()
        self._disk.close()

    async def recommend(
        self, user: str, wishes: Wishes, model: str = "", available: bool = True
    ) -> Ranked:
        """The best items for a user, from all that the run and the store know of them.

        Args:
            user: Their id.
            wishes: How many items, and which.
            model: A model of the run; empty: that of the user's arm in the experiment that runs,
                else the one the run recommends with.
            available: Whether hidden items are left out.
        """
        began, log = time.time(), None if model else self.exposures
        told, hidden = await self.apart(lambda: (self._remembered(user), self._hidden_now()))
        wishes = replace(wishes, hidden=hidden) if available and hidden else wishes
        if log is None:
            return await self.rank(Asked(told, wishes, model))
        assigned = log.experiment.assigned(user)
        ranked = await self.rank(Asked(told, wishes, assigned.arm))
        log.note(assigned, user, ranked.answer, ranked.run.version, began)
        return replace(ranked, assigned=assigned)

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
        if not run.ready_beside:  # seconds, in which others are to be ranked for
            await self.apart(run.prepare_beside)
        if run.saved.beside.at_once(item, wishes):
            return Ranked(run.similar(item, wishes), run)
        answer = await self.worker.together((run, "beside"), (item, wishes), run.similar_each)
        return Ranked(answer, run)

    async def prepare(self) -> None:
        """Be ready for what nobody has asked yet, once the first who came are answered."""
        await asyncio.sleep(SOON)
        with suppress(TastemakerError):  # who asks for it is told
            await self.apart(self.run.prepare_beside)

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
        self.states.told({event.user_id for event in events if event.kind != SHOWN})
        return added

    async def erase(self, user: str) -> Erased:
        """Remove all events of a user, and what is kept to answer them sooner."""
        run = self.run
        gone = await self.apart(lambda: self.store.erase(user))
        self.states.forget(user)
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
        return await self._disk.call(work)

    async def swap(self, path: str | Path) -> Opened:
        """Open another run, check it, and answer with it from then on; no request notices.

        Raises:
            ArtefactError: If it is no finished run, or damaged; the old one goes on answering.
            BadInput: If it is of other items, or lacks a model of the experiment that runs.
        """
        old, experiment = self.run, self.exposures.experiment if self.exposures else None

        def opened() -> Opened:
            new = opened_beside(path, old)
            check_arms(experiment, new)
            new.prepare_beside()
            return self.states.serve(new)

        new = await asyncio.to_thread(opened)  # however many requests wait
        self.run = new
        self.monitoring.swapped(new.version, new.model)
        say("swap", version=new.version, model=new.model, before=old.version)
        return new

    def _told(self, user: str) -> Told:
        events, erased = self.store.told(user, self.limits.history)
        return Told(user, tuple(events), erased)

    def _remembered(self, user: str) -> Told:
        return replace(self._told(user), kept=self.states.read(user))

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
