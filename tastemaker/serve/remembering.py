"""What a model keeps of users, in the store: read with their events, refreshed in the background.

A request takes a user's state along with their events, and uses it only where it is of their
history as it is now. Else it computes as if there were none: what states hold changes no answer.
What it has computed, a thread of its own keeps afterwards; that thread also brings the states up to
date of users of whom something was told. A user has one place in its line. Where the line is full,
and where the server ends, what waits there is let go of: it is computed again when it is asked for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch

from tastemaker.data.contexts import Contexts
from tastemaker.files import JsonObject
from tastemaker.recommend.persrec import Memory, PerSRec
from tastemaker.recommend.persrec_memory import Memories, identity_of
from tastemaker.recommend.user_states import Precision, UserState
from tastemaker.serve.logs import say
from tastemaker.serve.monitoring import Monitoring
from tastemaker.serve.opened import Kept, Opened, Told

if TYPE_CHECKING:
    from tastemaker.serve.states import StoredStates

LINE = 1024
"""Users that wait to be refreshed, at most."""
PRECISION: Precision = "float32"
"""States change no answer: they are kept as they are computed."""
_PATIENCE = 1.0
"""Seconds that a refresh waits for the model to be idle."""
_GLANCE = 0.005


class KeepsStates(Protocol):
    """A store with states of users."""

    def states(self, identity: JsonObject, precision: Precision) -> StoredStates:
        """What a model keeps of each user."""


@dataclass(frozen=True, eq=False)
class Made:
    """A state that a request has computed."""

    told: Told
    state: UserState


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Why a user waits in the line."""

    made: Made | None
    asked: bool
    """whether they are kept though nothing is kept of them yet: they have asked"""


class Keeper:
    """States of the users of one run.

    Args:
        run: The run.
        model: Its model, which asks for memories here from then on.
        states: Where they are kept.
        count: Counts those that were read, and those that were not there.
        made: Takes what was computed.
    """

    def __init__(
        self,
        run: Opened,
        model: PerSRec,
        states: StoredStates,
        count: Monitoring,
        made: Callable[[Keeper, Made], None],
    ) -> None:
        self.run, self.states = replace(run, asking=self.asks), states
        self.memories = Memories(model)
        self._count, self._made = count, made
        self._asking: dict[bytes, tuple[Told, Contexts]] = {}
        model.memories = self.memory

    def asks(self, pairs: Sequence[tuple[Told, Contexts]]) -> None:
        """Hear who is ranked for next, and by which history, one row each."""
        self._asking = {context.items.tobytes(): (told, context) for told, context in pairs}

    @torch.no_grad()
    def memory(self, contexts: Contexts) -> Memory:
        """The memory of each row: what was kept where it fits, else made now."""
        who = [self._who(contexts, row) for row in range(len(contexts))]
        held = [self._held(told, contexts, row) for row, told in enumerate(who)]
        missing = [row for row, state in enumerate(held) if state is None]
        fresh = self.memories.made(contexts, missing) if missing else []
        lacked = 0
        for row, state in zip(missing, fresh, strict=True):
            held[row], told = state, who[row]
            # Without old events there is nothing of a user to keep.
            if told is not None and state.end:
                self._made(self, Made(told, state))
                lacked += 1
        self._count.states(read=len(held) - len(missing), missing=lacked)
        return self.memories.together([state for state in held if state is not None])

    def fresh(self, told: Told, kept: UserState | None) -> UserState | None:
        """The state of a user as of now; None where the one that is kept is, or nothing is old."""
        context = self.run.asker_of(told).context
        if not self.memories.ends(context)[0]:
            return None
        if kept is not None and self.memories.fits(kept, context, 0):
            return None
        return self.memories.made(context, [0])[0]

    def _who(self, contexts: Contexts, row: int) -> Told | None:
        """Whose history a row is, if it is that of somebody who asks."""
        own = slice(int(contexts.offsets[row]), int(contexts.offsets[row + 1]))
        told, context = self._asking.get(contexts.items[own].tobytes(), (None, None))
        if context is None:
            return None
        times = None if contexts.times is None else contexts.times[own].tobytes()
        known = None if context.times is None else context.times.tobytes()
        return told if times == known else None

    def _held(self, told: Told | None, contexts: Contexts, row: int) -> UserState | None:
        """What was kept of somebody, if it is of this model and of this history."""
        kept = None if told is None else told.kept
        if kept is None or kept.model != self.states.model:
            return None
        return kept.state if self.memories.fits(kept.state, contexts, row) else None


class Remembered:
    """What is kept of users by the run that answers now.

    Args:
        store: Where it is kept.
        told: Reads what was told of a user; waits for the store.
        busy: Says whether requests wait for the model.
        count: Counts.
    """

    def __init__(
        self,
        store: KeepsStates,
        told: Callable[[str], Told],
        busy: Callable[[], bool],
        count: Monitoring,
    ) -> None:
        self._store, self._told, self._busy, self._count = store, told, busy, count
        self._line: dict[str, _Wanted] = {}
        self._others: StoredStates | None = None
        self._working = False
        self._ends = False
        self._changed = threading.Condition()
        self._keeper: Keeper | None = None
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """What is still to be done."""
        with self._changed:
            return len(self._line) + self._working + (self._others is not None)

    def serve(self, run: Opened) -> Opened:
        """The run, which keeps its users' states in the store from now on, and no other run's."""
        model, keeper = run.saved.models.neural, None
        if isinstance(model, PerSRec):
            states = self._store.states(identity_of(model), PRECISION)
            keeper = Keeper(run, model, states, self._count, self._keep)
            self._count.states(read=0, missing=0, refreshed=0, dropped=0)
        with self._changed:
            if keeper is not None:
                self._others = keeper.states
            elif self._keeper is not None:
                self._others = self._store.states({}, PRECISION)  # there are none of no model
            self._keeper = keeper
            self._line.clear()
            if self._others is not None and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="states", daemon=True)
                self._thread.start()
            self._changed.notify()
        return run if keeper is None else keeper.run

    def read(self, user: str) -> Kept | None:
        """What is kept of a user; waits for the store."""
        keeper = self._keeper
        state = None if keeper is None else keeper.states.get(user)
        return None if keeper is None or state is None else Kept(keeper.states.model, state)

    def told(self, users: Iterable[str]) -> None:
        """Hear of whom something new is known."""
        if self._keeper is None:
            return
        for user in users:
            self._wait(user, None)

    def forget(self, user: str) -> None:
        """Let go of what is in memory of a user who was erased."""
        with self._changed:
            self._line.pop(user, None)
            if self._keeper is not None:
                self._keeper.asks(())

    def close(self) -> None:
        """End the thread; what waits is let go of."""
        with self._changed:
            self._ends = True
            self._line.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _keep(self, keeper: Keeper, made: Made) -> None:
        if keeper is self._keeper:
            self._wait(made.told.user, made)

    def _wait(self, user: str, made: Made | None) -> None:
        """Have a user wait in the line, once; of a full line they are left out."""
        with self._changed:
            before = self._line.get(user)
            if before is None and len(self._line) >= LINE:
                self._count.states(dropped=1)
                return
            asked = made is not None or (before is not None and before.asked)
            self._line[user] = _Wanted(made, asked)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._working = False
                while not (self._ends or self._line or self._others is not None):
                    self._changed.wait()
                if self._ends:
                    return
                self._working = True
                others, keeper, self._others = self._others, self._keeper, None
                user = next(iter(self._line), "") if others is None else ""
                wanted = self._line.pop(user) if others is None else None
            try:
                if others is not None:
                    others.drop_others()
                elif keeper is not None and wanted is not None:
                    self._refresh(keeper, user, wanted)
            except Exception as error:  # the next one may go well; states are a cache
                say("state not kept", logging.WARNING, kind=type(error).__name__)

    def _refresh(self, keeper: Keeper, user: str, wanted: _Wanted) -> None:
        """Keep the state of a user, unless they were erased since their events were read."""
        if wanted.made is not None:
            told, state = wanted.made.told, wanted.made.state
        else:
            kept = keeper.states.get(user)
            if kept is None and not wanted.asked:
                return
            self._idle()
            told = self._told(user)
            fresh = keeper.fresh(told, kept)
            if fresh is None:
                return
            state = fresh
        if keeper.states.keep(user, state, told.erased):
            self._count.states(refreshed=1)

    def _idle(self) -> None:
        """Wait until no request waits for the model, but not for long."""
        until = time.monotonic() + _PATIENCE
        while self._busy() and not self._ends and time.monotonic() < until:
            time.sleep(_GLANCE)
