"""Everybody: what all users together chose, by which one user's own is told from what is common.

Of k of a user's N chosen items in a group, where a share p of what all others chose is in it,

    lift = (k/N) / p        strength = ±√(2 [k ln(k/(Np)) + (N−k) ln((N−k)/(N(1−p)))])

positive where k/N > p: how many standard errors lie between the user and everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.data.declaration import POLARITIES, is_positive
from tastemaker.data.groupings import Grouping
from tastemaker.data.signals import Signals

Floats = npt.NDArray[np.float64]
FloatsOrOne = Floats | np.float64
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
        strength = float(strengths(*map(np.float64, (inside, chosen, theirs, rest))))
        return share, others, share / others if others else None, strength


def strengths(
    inside: FloatsOrOne, chosen: FloatsOrOne, theirs: FloatsOrOne, rest: FloatsOrOne
) -> Floats:
    """Standard errors between users and everybody else, of any shape.

    Args:
        inside: k, items of a group that the user chose.
        chosen: N, all items that the user chose.
        theirs: Items of the group that all others chose.
        rest: All items that all others chose.
    """
    # Half an item more than there are, so that what nobody else chose is not infinitely rare.
    expected = (theirs + 0.5) / (rest + 1)
    gain = _surprise(inside, chosen * expected)
    gain = gain + _surprise(chosen - inside, chosen * (1 - expected))
    sizes: Floats = np.sqrt(np.maximum(2 * gain, 0))
    return np.copysign(sizes, inside - chosen * expected)


def _surprise(count: FloatsOrOne, expected: FloatsOrOne) -> Floats:
    """count·ln(count / expected), 0 where nothing is counted."""
    there = np.maximum(count, 1)
    found: Floats = np.where(count > 0, count * np.log(there / np.where(count > 0, expected, 1)), 0)
    return found
