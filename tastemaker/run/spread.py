"""Lists whose items lie apart: of the best ones, next comes who is both good and unlike the others.

Maximal marginal relevance (Carbonell and Goldstein, 1998): after the best item comes, again and
again, the one with the largest

    (1 − d)·score − d·(largest cosine with an item that is listed already)

of the `POOL` best, equal ones as they are ranked. d = 0 is the ranking itself, d = 1 asks for items
that are as unlike as can be. The start of a list does not depend on its length, so pages follow
each other; behind the pool the ranking goes on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]

POOL = 1_000
"""Best items that compete for a place."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How far apart the items of a list are to be."""

    weight: float
    """d, in [0, 1]"""
    vectors: Vectors
    """(I, D) unit vectors; zero for an item of which nothing is known, unlike any other"""

    def orders(self, codes: Int64s, scores: Doubles, k: int) -> Int64s:
        """(B, K) places of ranked lists in the order in which they are shown.

        Args:
            codes: (B, K) item codes, best first; 0 where no item is left.
            scores: (B, K) what they are worth.
            k: Places that are shown.
        """
        return np.stack([self.order(*row, k) for row in zip(codes, scores, strict=True)])

    def order(self, codes: Int64s, scores: Doubles, k: int) -> Int64s:
        """(K,) the same of one list."""
        count = min(POOL, int((codes > 0).sum()))
        apart = spread(scores[:count], self.vectors[codes[:count] - 1], self.weight, k)
        left = np.ones(len(codes), bool)
        left[apart] = False
        return np.concatenate([apart, np.flatnonzero(left)])


def spread(scores: Doubles, vectors: Vectors, weight: float, k: int) -> Int64s:
    """(min(k, n),) places of ranked items, so that they lie apart; the best one first.

    Args:
        scores: (n,) never rising.
        vectors: (n, D) of length one, or zero.
        weight: d, in [0, 1].
        k: Places wanted.
    """
    wide = vectors.astype(np.float64)
    worth = (1 - weight) * scores
    nearest = np.full(len(scores), -np.inf)
    free = np.ones(len(scores), bool)
    chosen: list[int] = []
    place = 0
    while len(chosen) < min(k, len(scores)):
        chosen.append(place)
        free[place] = False
        nearest = np.maximum(nearest, wide @ wide[place])
        place = int(np.argmax(np.where(free, worth - weight * nearest, -np.inf)))
    return np.array(chosen, np.int64)


def unit(vectors: npt.NDArray[np.floating]) -> Vectors:
    """(I, D) the same directions at length one; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 0, vectors / np.maximum(lengths, 1e-30), 0).astype(np.float32)
