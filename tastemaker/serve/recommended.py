"""What was recommended since a run was opened: how often each item, how much of the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tastemaker.run.answers import Answer
from tastemaker.serve.opened import Opened


@dataclass(frozen=True)
class Counted:
    """What was recommended by one run."""

    lists: int
    items: int
    """different ones"""
    catalogue: int
    """items that can be recommended"""
    most: tuple[tuple[str, str, int], ...]
    """id, title and count of those that were recommended most"""
    places: int
    """in all of the lists together"""

    @property
    def coverage(self) -> float | None:
        """Part of the catalogue that was recommended to anybody; None: there is nothing to."""
        return self.items / self.catalogue if self.catalogue else None

    @property
    def concentration(self) -> float | None:
        """Part of all places that `most` take; None: there are none."""
        return sum(count for _, _, count in self.most) / self.places if self.places else None


class Recommended:
    """Counts what is recommended, by the run that is asked: eight bytes an item."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Opened | None = None
        self._counts = np.zeros(0, np.int64)
        self._lists = 0

    def count(self, run: Opened, answer: Answer) -> None:
        """Count one list; another run's than the last begins anew."""
        codes = run.saved.interactions.item_codes
        rows = [codes[item.item] - 1 for item in answer.items if item.item in codes]
        with self._lock:
            self._turn_to(run)
            self._lists += 1
            self._counts[rows] += 1

    def counted(self, run: Opened, most: int) -> Counted:
        """What a run recommended so far.

        Args:
            run: That answers now.
            most: How many of the items that were recommended most.
        """
        with self._lock:
            self._turn_to(run)
            counts, lists = self._counts.copy(), self._lists
        best = _largest(counts, most)
        ids, titles = run.saved.interactions.item_ids, run.saved.shelf.titles
        named = tuple((str(ids[row]), titles[row], int(counts[row])) for row in best)
        return Counted(lists, int(np.count_nonzero(counts)), len(counts), named, int(counts.sum()))

    def _turn_to(self, run: Opened) -> None:
        if run is not self._run:
            self._run, self._lists = run, 0
            self._counts = np.zeros(run.saved.interactions.num_items, np.int64)


def _largest(counts: np.ndarray, most: int) -> Sequence[int]:
    """Rows with the largest counts, those with none left out; of equal ones the first."""
    rows = np.flatnonzero(counts)
    order = np.argsort(-counts[rows], kind="stable")[:most]
    return [int(row) for row in rows[order]]
