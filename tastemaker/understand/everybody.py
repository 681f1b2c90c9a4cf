"""Everybody: what all users together chose, by which one user's own is told from what is common.

Of k of a user's N chosen items in a group, where a share p of what all others chose is in it,

    lift = (k/N) / p        strength = ±√(2 [k ln(k/(Np)) + (N−k) ln((N−k)/(N(1−p)))])

positive where k/N > p: how many standard errors lie between the user and everybody else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.data.declaration import POLARITIES, is_positive
from tastemaker.data.groupings import Grouping
from tastemaker.data.signals import Signals

YES = sum(map(is_positive, POLARITIES))
"""Columns of `POLARITIES` that say yes; they stand first, and those that say no mirror them."""


@dataclass(frozen=True, eq=False)
class Everybody:
    """All users of a log together, and its items by name and group."""

    grouping: Grouping
    """of the log's items"""
    codes: Mapping[str, int]
    """item id → code, from 1"""
    titles: Sequence[str]
    """(I,) what items are called, in the order of their codes"""
    chosen: npt.NDArray[np.float64]
    """(G,) pairs of a user and an item of the group that somebody chose"""
    pairs: int
    """pairs of a user and an item that somebody chose"""

    @classmethod
    def of(cls, signals: Signals, grouping: Grouping, titles: Sequence[str]) -> Everybody:
        """Count a log.

        Args:
            signals: Of all users.
            grouping: Of the log's items.
            titles: (I,) in the order of codes.
        """
        chosen = signals.items[signals.seen[:, :YES].any(1)]
        each = np.bincount(chosen, minlength=signals.log.num_items + 1)[1:]
        by_group = grouping.membership.T @ each.astype(np.float64)
        return cls(grouping, signals.log.item_codes, titles, by_group, len(chosen))

    def compared(
        self, group: int, inside: int, chosen: int
    ) -> tuple[float, float, float | None, float]:
        """A user's share of a group, that of everybody else, lift, and strength.

        Args:
            group: Column of the grouping.
            inside: Items of the group that the user chose.
            chosen: All items that the user chose.
        """
        rest = max(self.pairs - chosen, 0)
        theirs = min(max(float(self.chosen[group]) - inside, 0.0), rest)
        share, others = inside / max(chosen, 1), theirs / max(rest, 1)
        # Half an item more than there are, so that what nobody else chose is not infinitely rare.
        expected = (theirs + 0.5) / (rest + 1)
        gain = _surprise(inside, chosen * expected)
        gain += _surprise(chosen - inside, chosen * (1 - expected))
        strength = math.copysign(math.sqrt(max(2 * gain, 0.0)), share - expected)
        return share, others, share / others if others else None, strength


def _surprise(count: int, expected: float) -> float:
    return count * math.log(count / expected) if count else 0.0
