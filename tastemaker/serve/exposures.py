"""The exposure log: notes who was answered by which arm, and writes it down a moment later.

A request only puts its answer into a list; a thread writes what has gathered every second, or as
soon as `TOGETHER` answers wait. What is not written yet when the process is killed is lost, unlike
events, which are acknowledged; so are answers beyond `MOST` while the database is away.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence

from tastemaker.errors import TastemakerError
from tastemaker.run.answers import Answer
from tastemaker.serve.database import Database
from tastemaker.serve.events import microseconds
from tastemaker.serve.experiments import Assigned, Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.logs import frames, say
from tastemaker.serve.monitoring import Monitoring

EVERY = 1.0
"""Seconds after which answers are written at the latest."""
TOGETHER = 500
"""Answers that are written at once, without waiting longer."""
MOST = 20_000
"""Answers that wait for the database."""
ITEMS = 100
"""Items of one answer that are noted: its first ones."""


class ExposureLog:
    """Answers of a running experiment, and a thread that writes them.

    Args:
        experiment: That runs.
        database: Where exposures are kept.
        monitoring: Where they are counted.
    """

    def __init__(self, experiment: Experiment, database: Database, monitoring: Monitoring) -> None:
        self.experiment = experiment
        self._database, self._monitoring = database, monitoring
        self._waiting: deque[Exposure] = deque()
        self._wake, self._ends = threading.Event(), False
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="exposures", daemon=True)
        self._thread.start()

    def note(
        self, assigned: Assigned, user: str, answer: Answer, version: str, time: float
    ) -> None:
        """Note an answer to a user; costs a request next to nothing.

        Args:
            assigned: The user's part in the experiment.
            user: Who was answered.
            answer: What they were shown.
            version: Of the run that answered.
            time: When it was asked for, in seconds since 1970: who is erased while it is ranked has
                been erased after it.
        """
        if len(self._waiting) >= MOST:
            self._monitoring.exposures(lost=1)
            return
        items = [item.item for item in answer.items[:ITEMS]]
        # Whether somebody is known has nothing to do with the arm, whose model may be `popularity`.
        known, moment = bool(answer.history), microseconds(time)
        one = Exposure(user, assigned.arm, known, answer.model, version, moment, items)
        self._waiting.append(one)
        if len(self._waiting) == TOGETHER:
            self._wake.set()

    def flush(self) -> bool:
        """Write what waits now; says whether that went well. Answers that could not be wait on."""
        with self._turn:
            some = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not some:
                return True
            try:
                kept, erased = write_exposures(self._database, self.experiment, some)
            except TastemakerError as error:
                self._waiting.extendleft(reversed(some))
                say("exposures wait", logging.WARNING, kind=type(error).__name__, count=len(some))
                return False
            except Exception as error:  # what cannot ever be written must not stand in the way
                self._lost(some, error)
                return False
        self._monitoring.exposures(kept=kept, erased=erased)
        return True

    def close(self) -> None:
        """Write what waits, and let the thread end."""
        self._ends = True
        self._wake.set()
        self._thread.join()
        if not self.flush():
            self._lost(self._waiting)

    def _work(self) -> None:
        pause = threading.Event()
        while not self._ends:
            self._wake.wait(EVERY)
            self._wake.clear()
            if not self.flush() and not self._ends:
                pause.wait(EVERY)

    def _lost(self, some: Sequence[Exposure], error: Exception | None = None) -> None:
        self._monitoring.exposures(lost=len(some))
        facts = {} if error is None else {"kind": type(error).__name__, "frames": frames(error)}
        say("exposures lost", logging.ERROR, count=len(some), **facts)
