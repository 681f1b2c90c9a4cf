"""SIGTERM and Ctrl-C: work ends at the next safe place, keeps what it has, and says how to go on.

A `Listener` takes both signals while a block of work runs. As a rule a signal interrupts the work
where it stands; inside `patient` it is only noted, for a loop that ends its step first. A second
signal ends the process at once. Needs neither torch nor anything else that is slow to load.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tastemaker.errors import TastemakerError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ONE_REQUEST = 1.0
"""Seconds in which further signals are the same request: launchers and `timeout` signal a process
and then its whole group."""


class Interrupt(KeyboardInterrupt):
    """Raised where a signal found the work; no `except Exception` on the way can hold it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stopped(TastemakerError):
    """Work was stopped from outside, and ended in order."""

    def __init__(self, number: int, out: str = "", command: Sequence[str] = ()) -> None:
        """Say how to go on.

        Args:
            number: The signal.
            out: Folder of the work that can go on; empty: nothing was begun.
            command: Words of the command line that was stopped; empty: a call from Python.
        """
        self.number, self.out = number, out
        fix = f"Go on with: {going_on(command, out)}" if command else "Call it again."
        if out and not command:
            fix = f"Go on with the same options, out={out!r} and resume."
        super().__init__(f"Stopped by {signal.Signals(number).name}.", out, fix)
        self.exit_code = 128 + number

    def told(self, command: Sequence[str]) -> Stopped:
        """The same, naming the command to go on with."""
        return Stopped(self.number, self.out, command)


def going_on(command: Sequence[str], out: str) -> str:
    """The command line that goes on with a stopped one: its own words and where it had got to."""
    import shlex

    words = list(command)
    if out:
        if not any(word == "--out" or word.startswith("--out=") for word in words):
            words += ["--out", out]
        words += [] if "--resume" in words else ["--resume"]
    return shlex.join(words)


class Listener:
    """What hears the signals: the handler of both while `listening` runs."""

    def __init__(self) -> None:
        self.asked = 0
        """the signal that was heard; 0: none"""
        self._waits = False
        self._since = 0.0

    def __call__(self, number: int, frame: object) -> None:
        """Note a signal and, where work need not be ended in order, interrupt it."""
        if self.asked:
            if time.monotonic() - self._since >= _ONE_REQUEST:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return
        self.asked, self._since = number, time.monotonic()
        self._interrupt()

    @contextmanager
    def patient(self, waits: bool = True) -> Iterator[None]:
        """While inside, signals are only noted; at its end one that was noted interrupts.

        Args:
            waits: False for a part of such work that may be interrupted after all.
        """
        before, self._waits = self._waits, waits
        try:
            self._interrupt()
            yield
        finally:
            self._waits = before
        self._interrupt()

    def _interrupt(self) -> None:
        if self.asked and not self._waits:
            raise Interrupt(self.asked)


@contextmanager
def listening(out: str = "") -> Iterator[Listener]:
    """While inside, SIGTERM and SIGINT end the work in order; inside another, that one listens on.

    Signals reach the main thread alone, so elsewhere nothing is heard; one that the caller of the
    process ignores, as shells do for work in the background, stays ignored.

    Args:
        out: Folder of the work, to be named in `Stopped`.

    Raises:
        Stopped: In place of the interrupt.
    """
    try:
        with _installed() as listener:
            yield listener
            with listener.patient(False):
                pass  # a signal whose interrupt was lost, as within a destructor
    except Interrupt as stop:
        raise Stopped(stop.number, out) from None
    except Stopped as stop:
        raise Stopped(stop.number, out or stop.out) from None


@contextmanager
def _installed() -> Iterator[Listener]:
    outer, listener = signal.getsignal(signal.SIGTERM), Listener()
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    if isinstance(outer, Listener):
        yield outer
        return
    old = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number, handler in old.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, listener)
    try:
        yield listener
    finally:
        for number in heard:
            signal.signal(number, old[number])
