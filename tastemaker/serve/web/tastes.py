"""What a user likes by group, beside everybody: shares of what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.errors import BadInput
from tastemaker.run.saved import SavedRun


@dataclass(frozen=True)
class Taste:
    """A group of items."""

    name: str
    items: int
    """of the user's chosen items, those in the group"""
    share: float
    """the same as a share, 0 to 1"""
    others: float
    """share of the group in all that everybody chose"""

    @property
    def lift(self) -> str:
        """How much more or less of it the user has, in words; empty where it is much the same."""
        if self.items < 2 or not self.others:
            return ""
        times = self.share / self.others
        if times >= 1.25:
            return f"{times:.1f} × everybody"
        return "less than everybody" if times <= 0.75 else ""


@dataclass(frozen=True, eq=False)
class Tastes:
    """The groups of a run, and how much of each everybody chose."""

    grouping: Grouping | None
    """None: items have no categories"""
    others: npt.NDArray[np.float64]
    """(G,) share of each group in all that was chosen"""

    @classmethod
    def of(cls, saved: SavedRun) -> Tastes:
        """Count a run's log."""
        try:
            grouping = saved.grouping
        except BadInput:
            return cls(None, np.empty(0))
        log = saved.interactions
        times = np.bincount(log.items, minlength=log.num_items + 1)[1:].astype(np.float64)
        inside = grouping.membership.T.astype(np.float64) @ times
        return cls(grouping, inside / max(float(times.sum()), 1))

    @property
    def names(self) -> tuple[str, ...]:
        """Groups by name, without the one of what is in none."""
        names = () if self.grouping is None else self.grouping.names
        return tuple(sorted(name for name in names if name != OTHER))

    def of_user(self, chosen: Sequence[int] | npt.NDArray[np.int32], k: int) -> list[Taste]:
        """The k largest groups of what a user chose.

        Args:
            chosen: Codes of items; each counts once.
            k: Most groups.
        """
        rows = np.unique(np.asarray(chosen, np.int64)) - 1
        if self.grouping is None or not len(rows):
            return []
        inside = np.asarray(self.grouping.membership[rows].sum(0)).ravel().astype(np.int64)
        order = [g for g in np.argsort(-inside, kind="stable").tolist() if inside[g]]
        names = self.grouping.names
        found = [
            Taste(names[g], int(inside[g]), float(inside[g]) / len(rows), float(self.others[g]))
            for g in order
            if names[g] != OTHER
        ]
        return found[:k]
