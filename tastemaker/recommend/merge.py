"""Two heads, one list: what items go together by engagement and by meaning, with a dial between.

Each head gives unit vectors; the engagement head tells the item asked from (its trigger) from the
items that may follow (its targets), the relevance head does not. With the targets of both stored
side by side, one inner product is exactly the weighted sum of both scores, and its weight is chosen
by each query (spec mtmh §4):

    [(1−g)·u^e_trigger ; g·u^r] · [u^e_target ; u^r] = (1−g)·s^e + g·s^r
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

DIAL = 0.5
"""Weight g on relevance where a request names none."""


@dataclass(frozen=True, eq=False)
class ItemHeads:
    """What both heads say of n items; a row is of length one, or zero where its head is silent."""

    trigger: Vectors
    """(n, d) engagement, of an item that is asked from; zero without training events"""
    target: Vectors
    """(n, d) engagement, of an item that may follow; zero without training events"""
    relevance: Vectors
    """(n, r) meaning; zero for an item of which nothing is written"""

    @property
    def width(self) -> int:
        """Numbers that are stored of an item, d + r."""
        return int(self.target.shape[1] + self.relevance.shape[1])

    def stored(self) -> Vectors:
        """(n, d + r) what an index holds: both targets side by side."""
        return np.concatenate([self.target, self.relevance], axis=1)

    def queries(
        self, rows: npt.NDArray[np.int64], relevance: float | npt.NDArray[np.float64]
    ) -> Vectors:
        """(Q, d + r) what the items in `rows` ask, with weight `relevance` (g) on meaning.

        Args:
            rows: (Q,) row numbers.
            relevance: g in [0, 1], of all or (Q,) of each.
        """
        on_meaning = np.asarray(relevance, np.float64)[..., None]
        on_engagement = (1 - on_meaning).astype(np.float32)
        on_meaning = on_meaning.astype(np.float32)
        parts = on_engagement * self.trigger[rows], on_meaning * self.relevance[rows]
        return np.concatenate(parts, axis=1)


@runtime_checkable
class Dialled(Protocol):
    """Options of a model with a dial."""

    @property
    def relevance(self) -> float:
        """The usual weight g on relevance."""
        ...


@runtime_checkable
class TwoHeaded(Protocol):
    """A model that says of every item what goes with it."""

    def item_heads(self) -> ItemHeads:
        """Both heads of n items: code 1 in row 0 and on, then items that the log never saw."""
        ...


class Neighbours(NamedTuple):
    """Items beside one item, and what each head says of them."""

    items: npt.NDArray[np.int32]
    """(k,) rows, best first"""
    engagement: npt.NDArray[np.float32]
    """(k,) s^e; 0 where the engagement head is silent"""
    relevance: npt.NDArray[np.float32]
    """(k,) s^r; 0 where the relevance head is silent"""
    dial: float | None
    """weight g on relevance that they are ranked with; None: neither head knows the item"""

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """(k,) what ranks them."""
        return weighed(self.engagement, self.relevance, self.dial or 0.0)


def weighed(
    engagement: Vectors, relevance: Vectors, dial: float | npt.NDArray[np.float64]
) -> Vectors:
    """(1−g)·s^e + g·s^r in single precision: never falls where both scores rise."""
    return np.float32(1 - dial) * engagement + np.float32(dial) * relevance


def best_first(scores: Vectors, items: npt.NDArray[np.int32], k: int) -> npt.NDArray[np.int64]:
    """Places of the k best scores, best first, equal ones by the lower item."""
    if k < len(scores) // 4:
        last = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= last)
        return places[np.lexsort((items[places], -scores[places]))[:k]]
    return np.lexsort((items, -scores))[:k]


def quota(
    engaging: Sequence[int],
    similar: Sequence[int],
    k: int,
    from_engagement: int | None = None,
    trigger: int = -1,
) -> list[int]:
    """Take k items in turn from both heads' lists, each item once, never the one asked from.

    Args:
        engaging: Items by engagement, best first.
        similar: Items by relevance, best first.
        k: Number of items; fewer where both lists end.
        from_engagement: How many come from engagement; None: half, the larger one.
        trigger: The item asked from.
    """
    first = (k + 1) // 2 if from_engagement is None else min(from_engagement, k)
    chosen: dict[int, None] = {}
    lists = iter(engaging), iter(similar)
    for shares in ((first, k - first), (k, k)):  # once a list has ended, the other one goes on
        left = list(shares)
        while len(chosen) < k and any(left):
            for head in (0, 1):
                new = (item for item in lists[head] if item != trigger and item not in chosen)
                item = next(new, None) if left[head] and len(chosen) < k else None
                left[head] = 0 if item is None else left[head] - 1
                if item is not None:
                    chosen[item] = None
    return list(chosen)


def standardised(both: Neighbours, k: int, dial: float) -> npt.NDArray[np.int32]:
    """(k,) items by (1−g)·z(s^e) + g·z(s^r), both scores at mean 0 and deviation 1 in this union.

    Args:
        both: The union of both heads' lists.
        k: Number of items; at most the length of either list, so that g = 0 and g = 1 give it.
        dial: g in [0, 1].
    """
    scores = weighed(_standard(both.engagement), _standard(both.relevance), dial)
    return both.items[best_first(scores, both.items, k)]


def _standard(scores: Vectors) -> Vectors:
    """Mean 0 and deviation 1, in double precision; all 0 where all are equal."""
    wide = scores.astype(np.float64)
    deviation = wide.std() if len(wide) else 0.0
    standard: Vectors = (wide - wide.mean()) / deviation if deviation > 0 else np.zeros_like(wide)
    return standard
