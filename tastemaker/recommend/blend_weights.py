"""The weights of a blend, fitted so that its NDCG@10 on validation is highest.

Over a grid, then over a finer one around the best; of more than three parts one weight is changed
at a time, for as long as that gains. The first part keeps weight 1 (or 0): only proportions matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Int32s, Int64s
from tastemaker.data.queries import Queries
from tastemaker.metrics.ranking import UNRANKABLE, multi_target, ranks, single_target, top_k
from tastemaker.seams import Recommender

MOST_USERS = 10_000
"""Validation users that weights are fitted on."""
_CHUNK = 128
"""Users scored at a time."""
_CELLS = 2**18
"""Scores of a part that the grid passes over at a time: 1 MB."""
_MASKED = -1e9
_COARSE = (0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0)
_FINE = (0.6, 0.8, 1.0, 1.25, 1.6)
_CHANGES = 2

Point = tuple[float, ...]
"""A weight a part."""
Best = Callable[[Sequence[Point]], tuple[Point, float]]
"""The best of some points, the earlier of equals, and its NDCG@10."""


def fit_weights(
    parts: Mapping[str, Recommender],
    queries: Queries,
    candidates: np.ndarray,
    filter_seen: bool = True,
) -> tuple[dict[str, float], float]:
    """Weights of the parts that maximise NDCG@10 on validation.

    Args:
        parts: Name → model on a common scale, any number; the first keeps weight 1 (or 0).
        queries: Validation queries; the first `MOST_USERS` of a fixed order are used.
        candidates: (I,) items that may be recommended.
        filter_seen: Leave out what a context holds.

    Returns:
        The weights and the NDCG@10 they reach.
    """
    if len(queries) > MOST_USERS:
        rows = np.random.default_rng(0).choice(len(queries), MOST_USERS, replace=False)
        queries = queries.take(np.sort(rows))
    best = partial(_best, parts, queries, candidates, filter_seen)
    fitted, value = _climbed(best, len(parts)) if len(parts) > 3 else _searched(best, len(parts))
    return dict(zip(parts, fitted, strict=True)), value


def _searched(best: Best, count: int) -> tuple[Point, float]:
    """All combinations of coarse weights of few parts, then finer ones around the best."""
    coarse = [(1.0, *rest) for rest in itertools.product(_COARSE, repeat=count - 1)]
    coarse += [(0.0, *rest) for rest in itertools.product((0.0, 1.0, 3.0, 10.0), repeat=count - 1)]
    top, _ = best([weights for weights in coarse if any(weights)])
    around = [[w] if part == 0 else [w * f for f in _FINE] for part, w in enumerate(top)]
    return best(list(dict.fromkeys([top, *itertools.product(*around)])))


def _climbed(best: Best, count: int) -> tuple[Point, float]:
    """From the best part alone, or all alike, by the best change of one weight at a time.

    Each change scores the parts once, whatever their number, and at most `_CHANGES` a part are made
    among the coarse weights and as many among the finer ones.
    """
    alone = [tuple(float(part == only) for part in range(count)) for only in range(count)]
    top, value = best([*alone, (1.0,) * count])
    for fine in (False, True):
        for _ in range(_CHANGES * count):
            near = [
                (*top[:part], w, *top[part + 1 :])
                for part in range(count)
                for w in _near(top, part, fine)
            ]
            before = value
            top, value = best(list(dict.fromkeys([top, *(point for point in near if any(point))])))
            if value <= before:
                break
    return top, value


def _near(point: Point, part: int, fine: bool) -> Sequence[float]:
    """Weights to try of one part; the first has weight 1 or 0."""
    if part == 0:
        return () if fine else (0.0, 1.0)
    return [point[part] * factor for factor in _FINE] if fine else _COARSE


@torch.inference_mode()
def _best(
    parts: Mapping[str, Recommender],
    queries: Queries,
    candidates: np.ndarray,
    filter_seen: bool,
    grid: Sequence[Point],
) -> tuple[Point, float]:
    """The grid point of the highest mean NDCG@10; the earlier of equals."""
    totals = np.zeros(len(grid))
    measure = _one_target if (np.diff(queries.target_offsets) == 1).all() else _some_targets
    buffer = torch.empty(len(parts), min(_CHUNK, len(queries)), len(candidates))
    for start in range(0, len(queries), _CHUNK):
        chunk = queries.take(np.arange(start, min(start + _CHUNK, len(queries))))
        contexts, scores = chunk.contexts, buffer[:, : len(chunk)]
        for scores_of_part, part in zip(scores, parts.values(), strict=True):
            scores_of_part.copy_(part.score(contexts))
        masked = torch.from_numpy(~candidates).repeat(len(contexts), 1)
        if filter_seen:
            masked[_owners(contexts.offsets), _columns(contexts.items)] = True
        scores.masked_fill_(masked, _MASKED)
        # A few rows at a time stay in the cache while the whole grid passes over them.
        rows = max(1, _CELLS // len(candidates))
        for first in range(0, len(chunk), rows):
            some = np.arange(first, min(first + rows, len(chunk)))
            ndcg = measure(chunk.take(some), masked[some])
            totals += [ndcg(total) for total in _sums(scores[:, some], grid)]
    best = int(totals.argmax())
    return tuple(grid[best]), float(totals[best] / max(1, len(queries)))


def _sums(scores: Tensor, grid: Sequence[Point]) -> Iterator[Tensor]:
    """(B, I) weighted sum of (P, B, I) parts at each grid point, in the order `Blend` adds them.

    What a point has in common with the one before, its first weights, is not added again. A sum
    is overwritten by the next.
    """
    sums, product = torch.empty_like(scores), torch.empty_like(scores[0])
    before: Point = ()
    for weights in grid:
        same = [a == b for a, b in zip(weights, before, strict=False)]
        first = same.index(False) if False in same else len(same)
        for part in range(first, len(weights)):
            torch.mul(scores[part], weights[part], out=product if part else sums[0])
            if part:
                torch.add(sums[part - 1], product, out=sums[part])
        before = weights
        yield sums[-1]


def _one_target(queries: Queries, masked: Tensor) -> Callable[[Tensor], float]:
    """From (B, I) scores to their sum of NDCG@10, where each query has one target."""
    columns = _columns(queries.target_items)
    hidden = masked.gather(1, columns[:, None])[:, 0]

    def ndcg(scores: Tensor) -> float:
        rank = ranks(scores, columns).masked_fill(hidden, UNRANKABLE)
        return float(single_target(rank.numpy(), (10,))["ndcg@10"].sum())

    return ndcg


def _some_targets(queries: Queries, masked: Tensor) -> Callable[[Tensor], float]:
    """The same where queries have several."""
    wanted = torch.zeros_like(masked)
    wanted[_owners(queries.target_offsets), _columns(queries.target_items)] = True
    counts = wanted.sum(1).numpy()
    wanted &= ~masked

    def ndcg(scores: Tensor) -> float:
        hits = wanted.gather(1, top_k(scores, 10) - 1)
        return float(multi_target(hits.numpy(), counts, (10,))["ndcg@10"].sum())

    return ndcg


def _owners(offsets: Int64s) -> Tensor:
    """Row of each flat entry."""
    return torch.from_numpy(np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)))


def _columns(items: Int32s) -> Tensor:
    """Column of each item code."""
    return torch.from_numpy(items.astype(np.int64) - 1)
