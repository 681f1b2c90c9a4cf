"""Two heads, one list: what items go together by engagement and by meaning, with a dial between.

Each head gives unit vectors; the engagement head tells the item asked from (its trigger) from the
items that may follow (its targets), the relevance head does not. With the targets of both stored
side by side, one inner product is exactly the weighted sum of both scores, and its weight is chosen
by each query (spec mtmh §4):

    [(1−g)·u^e_trigger ; g·u^r] · [u^e_target ; u^r] = (1−g)·s^e + g·s^r
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ItemHeads:
    """What both heads say of n items; a row is of length one, or zero where its head is silent."""

    trigger: Vectors
    """(n, d) engagement, of an item that is asked from; zero without training events"""
    target: Vectors
    """(n, d) engagement, of an item that may follow; zero without training events"""
    relevance: Vectors
    """(n, r) meaning; zero for an item of which nothing is written"""

    def stored(self) -> Vectors:
        """(n, d + r) what an index holds: both targets side by side."""
        return np.concatenate([self.target, self.relevance], axis=1)

    def queries(self, rows: npt.NDArray[np.int64], relevance: float) -> Vectors:
        """(Q, d + r) what the items in `rows` ask, with weight `relevance` (g) on meaning.

        Args:
            rows: (Q,) row numbers.
            relevance: g in [0, 1].
        """
        parts = (1 - relevance) * self.trigger[rows], relevance * self.relevance[rows]
        return np.concatenate(parts, axis=1).astype(np.float32)
