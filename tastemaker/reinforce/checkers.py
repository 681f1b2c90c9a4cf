"""Checkers: processes that compare mathematical texts, any of which may hang and is then killed.

A pair that hangs, crashes or exhausts its process counts as not equal; the process is replaced and
the other pairs go on. Each text of that pair is then compared with a plain 1; one that hangs there
too is asked about no more, so that a hostile text costs two processes, however many answers it is
compared with. Seconds of computing are what bounds a pair, so that what counts as equal
does not depend on how busy the machine is; wall seconds bound what does not even compute.
Processes are started by name, not forked, share nothing with this one, and end with it.
"""

from __future__ import annotations

import json
import math
import os
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from tastemaker.closing import Closing
from tastemaker.errors import BadInput, OutOfResources
from tastemaker.models.extras import extra
from tastemaker.reinforce.killable import Killable

Pair = tuple[str, str]
_PROBE = "1"
"""What a text is compared with to learn whether it is the one that hangs."""
_KEPT = 10_000
"""Texts that are remembered."""
_BATCH, _BYTES = 32, 16_000
"""Pairs and bytes handed over at once: what a pipe takes without anybody reading."""
_START = 120.0
"""Seconds in which a process is to be ready."""
_TRIES = 3
"""Processes in a row that may end before they are ready."""
_PROGRAM = "tastemaker.reinforce.checker_process"


@dataclass(frozen=True)
class Limits:
    """What checking may take."""

    processes: int = 1
    cpu: float = 2.0
    """seconds that a pair may compute"""
    wall: float = 20.0
    """seconds that it may take, computing or not"""

    def __post_init__(self) -> None:
        """Refuse limits under which nothing is checked."""
        bounded = math.isfinite(self.cpu + self.wall) and min(self.cpu, self.wall) > 0
        if self.processes < 1 or not bounded:
            what = f"Checking with {self} never ends, or never begins."
            raise BadInput(what, "limits of checking", "Give a process or more, and seconds > 0.")


@dataclass(eq=False)
class _Process:
    """A process, the pairs that it has, and when it is to have said something."""

    running: Killable
    ready: bool = False
    given: deque[int] = field(default_factory=deque)
    due: float = math.inf

    def waits(self, seconds: float) -> None:
        """Be due with a reply in so many seconds, where it is ready and has something to do."""
        if self.ready:
            self.due = time.monotonic() + seconds if self.given else math.inf


class _Work:
    """Pairs to compare, what is said of them so far, and which of them nobody has."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = list(dict.fromkeys(pairs))
        self.waiting = deque(range(len(self.pairs)))
        self.equal = [False] * len(self.pairs)

    def add_probes(self, texts: Sequence[str]) -> None:
        """Learn, before anything else, which text of a pair it is that hangs."""
        self.waiting.extendleft(range(len(self.pairs), len(self.pairs) + len(texts)))
        self.pairs += [(_PROBE, text) for text in texts]
        self.equal += [False] * len(texts)


class Checkers(Closing):
    """Compares pairs of texts by their mathematical meaning, as a context or until closed.

    Args:
        limits: How many processes, and what a pair may take.
        program: Module that compares; another one only in tests.

    Raises:
        BadInput: If the library that compares is missing.
    """

    def __init__(self, limits: Limits | None = None, program: str = _PROGRAM) -> None:
        self.limits = limits or Limits()
        self.killed = 0
        """processes that a pair has ended so far"""
        self._program = program
        self._failed_starts = 0
        self._probed: dict[str, bool] = {}
        self._processes: list[_Process] = []
        self._said: queue.SimpleQueue[tuple[Killable, str]] = queue.SimpleQueue()
        self._turn = threading.Lock()
        if program == _PROGRAM:
            with extra("rl"):
                if find_spec("math_verify") is None:
                    raise ImportError("No module named 'math_verify'")
        self._end = weakref.finalize(self, _kill_all, self._processes, os.getpid())

    def close(self) -> None:
        """End the processes; a later call starts new ones."""
        _kill_all(self._processes, os.getpid())

    def equal(self, pairs: Sequence[Pair]) -> list[bool]:
        """Whether the texts of each pair mean the same; the first of a pair is held for right.

        Raises:
            OutOfResources: If processes do not start.
        """
        with self._turn:
            try:
                return self._checked(pairs)
            except BaseException:
                self.close()  # what is still being said belongs to nobody
                raise

    def _checked(self, pairs: Sequence[Pair]) -> list[bool]:
        work = _Work(pairs)
        for process in [one for one in self._processes if one.running.ended]:
            self._processes.remove(process)
            process.running.kill()
        while work.waiting or any(process.given for process in self._processes):
            while len(self._processes) < min(self.limits.processes, len(work.waiting)):
                self._start()
            for process in self._processes:
                if not process.given:
                    self._give(process, work)
            if any(process.given for process in self._processes):
                self._listen(work)
        verdict = dict(zip(work.pairs, work.equal, strict=True))
        return [verdict[pair] for pair in pairs]

    def _start(self) -> None:
        seconds = (f"{self.limits.cpu}", f"{self.limits.wall}")
        running = Killable(self._program, seconds, self._said)
        self._processes.append(_Process(running, due=time.monotonic() + _START))

    def _give(self, process: _Process, work: _Work) -> None:
        batch: list[Pair] = []
        size = 0
        while work.waiting and len(batch) < _BATCH and size < _BYTES:
            number = work.waiting.popleft()
            pair = work.pairs[number]
            if any(self._probed.get(text, False) for text in pair):
                continue  # it hangs, and counts as not equal
            process.given.append(number)
            batch.append(pair)
            size += sum(len(text.encode("utf-8", "replace")) for text in pair)
            if len(work.waiting) < len(self._processes):
                break  # the last pairs are shared out singly
        if batch:
            process.waits(self.limits.wall)
            process.running.write(json.dumps(batch))

    def _listen(self, work: _Work) -> None:
        """Take one reply, or end what is overdue."""
        due = min(process.due for process in self._processes)
        try:
            running, line = self._said.get(timeout=max(0.0, due - time.monotonic()))
        except queue.Empty:
            for late in [one for one in self._processes if one.due <= time.monotonic()]:
                self._replace(late, work)
            return
        process = next((one for one in self._processes if one.running is running), None)
        if process is None:
            return  # the last words of one that was ended
        if not line:
            self._replace(process, work)
            return
        if process.ready:
            work.equal[process.given.popleft()] = line == "1\n"
        process.ready, self._failed_starts = True, 0
        process.waits(self.limits.wall)

    def _replace(self, process: _Process, work: _Work) -> None:
        """End a process; the pair that it was at is not equal, those behind are for others."""
        self._processes.remove(process)
        code = process.running.kill()
        if not process.ready:
            self._failed_starts += 1
            if self._failed_starts >= _TRIES:
                what = f"A process that checks answers does not start (it ended with {code})."
                fix = "Free memory, or run `pip install 'tastemaker[rl]'` again."
                raise OutOfResources(what, self._program, fix)
        hanging = process.given.popleft() if process.ready and process.given else None
        work.waiting.extendleft(reversed(process.given))
        if hanging is not None:
            self.killed += 1
            self._blame(work, hanging)

    def _blame(self, work: _Work, number: int) -> None:
        """A pair has ended its process: which of its texts did?"""
        first, second = work.pairs[number]
        if len(self._probed) > _KEPT:
            self._probed.clear()
        if first == _PROBE:
            self._probed[second] = True
            return
        unknown = [text for text in (first, second) if text not in self._probed]
        self._probed |= dict.fromkeys(unknown, False)
        work.add_probes(unknown)


def _kill_all(processes: list[_Process], owner: int) -> None:
    if os.getpid() != owner:
        return  # a copy of this process does not end its processes
    while processes:
        processes.pop().running.kill()
