"""What is counted over a run once, and again when another run takes its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from tastemaker.serve.opened import Opened

T = TypeVar("T")


class PerRun(Generic[T]):
    """Something of the run that was asked last.

    Args:
        make: Counts it; two threads that ask at once may both do so.
    """

    def __init__(self, make: Callable[[Opened], T]) -> None:
        self._make = make
        self._kept: tuple[Opened, T] | None = None

    def of(self, run: Opened) -> T:
        """That of a run."""
        kept = self._kept
        if kept is None or kept[0] is not run:
            self._kept = kept = (run, self._make(run))
        return kept[1]
