"""What an approximate index reaches, measured against exact search, and set to what is wanted.

No default of a library is trusted: the least effort is taken whose recall, less its standard error,
is what was asked for, on queries that are no vectors of the index.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tastemaker.index.exact import Floats, Ids, Lists

Kind = Literal["exact", "hnsw", "ivf"]

QUERIES = 500
"""Most queries that are measured with."""
_OTHER = 1 / 3
"""Share of another vector in a query that is drawn."""


@dataclass(frozen=True)
class Calibration:
    """What an index is, and what it reached when it was last measured."""

    kind: Kind
    """exact, or by a graph (hnsw) or cells (ivf)"""
    parameters: dict[str, int]
    """what it was built with, and `effort`: ef of a graph, nprobe of cells"""
    wanted: float
    """recall that was asked for"""
    reached: float
    """mean share of the best that were found"""
    error: float
    """its standard error over queries"""
    at: int
    """how many are the best"""
    queries: int
    """queries that it was measured with"""
    vectors: int
    """vectors that there were"""
    build_seconds: float
    """CPU-seconds that building took, measuring apart"""
    bytes: int
    """bytes that the index held"""

    @property
    def met(self) -> bool:
        """Whether it reached what was asked for."""
        return self.reached >= self.wanted


@dataclass(frozen=True)
class Reached:
    """The effort that was chosen, and its recall."""

    effort: int
    recall: float
    error: float


def draw_queries(vectors: Floats, rows: Ids, seed: int) -> Floats:
    """Queries between vectors, so that none is merely a vector: two thirds one, a third another.

    Args:
        vectors: (n, D).
        rows: Those that are drawn from; at most as many queries are drawn.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    count = min(QUERIES, len(rows))
    one, other = rng.choice(rows, count, replace=False), rng.choice(rows, count)
    mixed = (1 - _OTHER) * vectors[one] + _OTHER * vectors[other]
    return np.ascontiguousarray(mixed, np.float32)


def recalls(found: Lists, exact: Lists) -> Floats:
    """(Q,) share of the best that were found; one that scores as the last of them is as good.

    Args:
        found: (Q, k) ids and scores.
        exact: (Q, k) of exact search.
    """
    there = np.maximum((exact[0] >= 0).sum(1), 1)
    last = exact[1][np.arange(len(there)), there - 1]
    good = ((found[0] >= 0) & (found[1] >= last[:, None])).sum(1)
    share: Floats = np.where(exact[0][:, 0] < 0, 1, np.minimum(good / there, 1)).astype(np.float32)
    return share


def least_effort(
    search: Callable[[int], Lists], exact: Lists, efforts: Sequence[int], wanted: float
) -> Reached:
    """The first effort that reaches what is wanted; the best one where none does."""
    best = Reached(efforts[0], -1, 0)
    for effort in efforts:
        share = recalls(search(effort), exact).astype(np.float64)
        error = float(share.std() / math.sqrt(len(share)))
        reached = Reached(effort, float(share.mean()), error)
        if reached.recall - error >= wanted:
            return reached
        best = max(best, reached, key=lambda one: one.recall)
    return best
