"""What goes with an item without any training: popularity, co-visitation, content, and their blend.

Each answers triggers with scores of all items. A model of item pairs that does not beat the blend
of co-visitation and content is not worth its training (spec mtmh §5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Int32s, Int64s
from tastemaker.data.pairs import Pairs
from tastemaker.metrics.item_to_item import Scores

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]

Measure = Literal["cosine", "pmi", "share"]
"""How a count of a pair is weighed against those of its items."""

_TIE_BREAK = 1e-6
"""Weight of popularity beside the largest co-visitation of 1: orders what nothing else does."""


@dataclass(frozen=True, eq=False)
class Popular:
    """The same for every trigger: the events of each item."""

    counts: Int64s
    """(I,) training events"""

    def __call__(self, triggers: Int32s) -> Vectors:
        """(Q, I) counts."""
        return np.tile(self.counts.astype(np.float32), (len(triggers), 1))


@dataclass(frozen=True, eq=False)
class CoVisited:
    """What followed the trigger in the histories, weighed by a measure of association.

    An item that never followed it comes after all that did, more popular ones first.
    """

    weights: sp.csr_array
    """(I, I) W[a, b] in [0, 1]: how strongly b follows a"""
    popularity: Floats
    """(I,) share of the most popular item's events"""

    @classmethod
    def fit(cls, pairs: Pairs, counts: Int64s, measure: Measure = "cosine") -> CoVisited:
        """Weigh the pairs of the training events.

        With c(a, b) the weight of a pair, c(a) that of all pairs of trigger a, c(b) that of all of
        target b and C that of all, `cosine` is c(a, b) / √(c(a)·c(b)), `pmi` is
        log(c(a, b)·C / (c(a)·c(b))) where that is above 0, by the largest one, and `share` is
        c(a, b) / c(a).

        Args:
            pairs: What followed what.
            counts: (I,) training events.
            measure: Which of them.
        """
        rows, columns = (codes.astype(np.int64) - 1 for codes in (pairs.triggers, pairs.targets))
        first = np.bincount(rows, pairs.weights, len(counts))[rows]
        second = np.bincount(columns, pairs.weights, len(counts))[columns]
        if measure == "cosine":
            values = pairs.weights / np.sqrt(first * second)
        elif measure == "share":
            values = pairs.weights / first
        else:
            lift = np.log(pairs.weights * pairs.weights.sum() / (first * second))
            values = np.maximum(lift, 0) / max(lift.max(initial=0), 1e-12)
        weights = sp.csr_array((values, (rows, columns)), (len(counts),) * 2)
        return cls(weights, counts / max(1, counts.max(initial=0)))

    def __call__(self, triggers: Int32s) -> Vectors:
        """(Q, I) weights, and a little popularity."""
        table: Floats = self.weights[triggers.astype(np.int64) - 1].toarray()
        return (table + _TIE_BREAK * self.popularity).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ContentNeighbours:
    """The cosine of what is written about the items."""

    vectors: Vectors
    """(I, D) of length one, or zero"""

    def __call__(self, triggers: Int32s) -> Vectors:
        """(Q, I) cosines."""
        cosines: Vectors = self.vectors[triggers.astype(np.int64) - 1] @ self.vectors.T
        return cosines


@dataclass(frozen=True, eq=False)
class PostHocBlend:
    """(1−g)·z(engagement) + g·z(content), z per trigger over the other items; needs no training."""

    engagement: Scores
    content: Scores
    relevance: float
    """g in [0, 1], weight of content"""

    def __call__(self, triggers: Int32s) -> Vectors:
        """(Q, I) blended scores."""
        parts = [standardised(one(triggers), triggers) for one in (self.engagement, self.content)]
        blended: Floats = (1 - self.relevance) * parts[0] + self.relevance * parts[1]
        return blended.astype(np.float32)


def standardised(scores: Vectors, triggers: Int32s) -> Floats:
    """(Q, I) scores with mean 0 and deviation 1 over the items other than the row's trigger.

    A row of equal scores becomes 0, and so does the trigger's own score.
    """
    wide = scores.astype(np.float64)
    own: tuple[Any, Any] = (np.arange(len(wide)), triggers.astype(np.int64) - 1)
    others = np.ones(wide.shape, bool)
    others[own] = False
    mean = wide.mean(1, keepdims=True, where=others)
    deviation = wide.std(1, keepdims=True, where=others)
    flat = deviation <= 1e-12 * np.maximum(1, np.abs(mean))
    table: Floats = np.where(flat, 0, (wide - mean) / np.where(flat, 1, deviation))
    table[own] = 0
    return table
