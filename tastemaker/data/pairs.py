"""Pairs: which item followed which within a user's history, and how much that says.

Within a user, item i and then item j among the next W events, or within some minutes where the log
has times, are an occurrence of the directed pair (i, j). An occurrence at gap g (1: the very next
event) of a user with n events weighs

    1 / log2(1 + g) · 1 / √n

so that what is near says more than what is far, and nobody says much by choosing a lot. The weight
of a pair is the sum over its occurrences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.data.contexts import Contexts, Int32s, Int64s
from tastemaker.errors import BadInput

Floats = npt.NDArray[np.float64]

WINDOW = 5
"""Events after an item that are paired with it."""
CAP = 5_000
"""Occurrences that a user gives, at most."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """P directed pairs of items, each once, ordered by trigger and then by target."""

    triggers: Int32s
    """(P,) item codes 1..I, what came first"""
    targets: Int32s
    """(P,) item codes 1..I, what followed"""
    weights: Floats
    """(P,) above 0"""

    def __len__(self) -> int:
        """Number of pairs P."""
        return len(self.triggers)

    def bounds(self, num_items: int) -> Int64s:
        """(I+2,) the pairs of trigger i are number bounds[i] to bounds[i + 1] - 1."""
        counts = np.bincount(self.triggers, minlength=num_items + 1)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def target_shares(self, num_items: int) -> Floats:
        """(I+1,) share of the pairs whose target is item i, by code; they sum to 1.

        It is the probability q that item i is the target of a pair drawn from all alike.
        """
        counts = np.bincount(self.targets, minlength=num_items + 1).astype(np.float64)
        shares: Floats = counts / max(1, len(self))
        return shares


def co_engaged(
    contexts: Contexts, window: int = WINDOW, minutes: float = 0.0, cap: int = CAP
) -> Pairs:
    """What followed what in some histories.

    Args:
        contexts: Training events, one row a user, oldest first.
        window: Next events that are paired with an item, W.
        minutes: Later events within so many minutes are paired with it too; 0, or a log in order
            alone: only the window.
        cap: Most occurrences of a user: the nearest ones and, of one gap, the newest.

    Raises:
        BadInput: If an option is out of range.
    """
    for name, value, least in (("window", window, 1), ("minutes", minutes, 0), ("cap", cap, 1)):
        if not least <= value <= 10**9:
            what, fix = f"{name} = {value} pairs nothing.", f"Give {least} or more."
            raise BadInput(what, f"option {name}", fix)
    lengths = contexts.lengths
    owner = np.repeat(np.arange(len(contexts)), lengths)
    shares = 1 / np.sqrt(np.maximum(lengths, 1))
    size = int(contexts.items.max(initial=0)) + 1
    keys, weights = [np.zeros(0, np.int64)], [np.zeros(0)]
    for gap, starts in _occurrences(contexts, owner, window, minutes, cap):
        first, then = contexts.items[starts], contexts.items[starts + gap]
        keys.append(first.astype(np.int64) * size + then)
        weights.append(shares[owner[starts]] / np.log2(1 + gap))
    return _summed(np.concatenate(keys), np.concatenate(weights), size)


def _occurrences(
    contexts: Contexts, owner: Int64s, window: int, minutes: float, cap: int
) -> Iterator[tuple[int, Int64s]]:
    """Gap, and number of each event that is paired with the one so many places later."""
    ends, items = contexts.offsets[1:][owner], contexts.items
    left = np.full(len(contexts), cap, np.int64)
    times = contexts.times if minutes > 0 else None
    starts, gap = np.arange(len(owner), dtype=np.int64), 0
    while len(starts):
        gap += 1
        starts = starts[starts + gap < ends[starts]]
        if gap > window:
            if times is None:
                return
            # Times rise within a row: what is too far apart stays so at every larger gap.
            starts = starts[times[starts + gap] - times[starts] <= 60 * minutes]
        starts = starts[left[owner[starts]] > 0]
        given = starts[items[starts] != items[starts + gap]]
        given = given[_from_newest(owner[given]) < left[owner[given]]]
        left -= np.bincount(owner[given], minlength=len(left))
        if len(given):
            yield gap, given


def _from_newest(owner: Int64s) -> Int64s:
    """How many later ones have the same owner, of (n,) rising owners."""
    last = np.searchsorted(owner, owner, side="right") - 1
    later: Int64s = last - np.arange(len(owner))
    return later


def _summed(keys: Int64s, weights: Floats, size: int) -> Pairs:
    """Each pair once, with the sum of its weights; `keys` are trigger · size + target."""
    order = np.argsort(keys, kind="stable")
    keys, weights = keys[order], weights[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    sums = np.add.reduceat(weights, first) if len(first) else weights
    triggers, targets = np.divmod(keys[first], size)
    return Pairs(triggers.astype(np.int32), targets.astype(np.int32), sums)
