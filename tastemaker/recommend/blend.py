"""Blend: a neural model and counting models, fused with weights fitted on validation.

Counting is strong on small data and costs seconds, so what a user gets by default should never be
worse than counting (protocol §4, performance §4.2):

    s = w₀·log softmax(neural) + w₁·log(markov + .02·popularity share) + w₂·EASE

The weights maximise NDCG@10 on validation over a grid, then over a finer one around the best.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.splits import Queries
from tastemaker.metrics.ranking import Recommender

SMOOTHING = 0.02
"""Weight of popularity where the Markov counts are silent."""
MOST_USERS = 10_000
"""Validation users that weights are fitted on."""
_CHUNK = 128
_MASKED = -1e9
_COARSE = (0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0)
_FINE = (0.6, 0.8, 1.0, 1.25, 1.6)


@dataclass(frozen=True)
class LogSoftmax:
    """A neural model's scores as log-probabilities."""

    model: Recommender

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) log-probabilities."""
        return torch.log_softmax(self.model.score(contexts), 1)


@dataclass(frozen=True)
class LogMarkov:
    """Logarithm of Markov counts, smoothed by popularity so that it is finite everywhere."""

    markov: Recommender
    popularity: Recommender

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) logarithms."""
        counts = self.popularity.score(contexts)
        share = counts / counts.sum(1, keepdim=True).clamp(min=1e-12)
        return torch.log(self.markov.score(contexts) + SMOOTHING * share + 1e-12)


class Blend:
    """A weighted sum of parts; a `Recommender`."""

    def __init__(self, parts: Mapping[str, Recommender], weights: Mapping[str, float]) -> None:
        """Fuse `parts` (each already on a common scale) with one weight each."""
        self.parts, self.weights = dict(parts), dict(weights)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) weighted sums; parts of weight 0 are not computed."""
        total: Tensor | None = None
        for name, weight in self.weights.items():
            if weight:
                part = self.parts[name].score(contexts).mul_(weight)
                total = part if total is None else total.add_(part)
        if total is None:
            raise ValueError("a blend needs a weight above 0")
        return total


def fit_weights(
    parts: Mapping[str, Recommender],
    queries: Queries,
    candidates: np.ndarray,
    filter_seen: bool = True,
) -> tuple[dict[str, float], float]:
    """Weights of the parts that maximise NDCG@10 on validation.

    Args:
        parts: Name → model on a common scale; the first keeps weight 1 (or 0).
        queries: Validation queries; the first `MOST_USERS` of a fixed order are used.
        candidates: (I,) items that may be recommended.
        filter_seen: Leave out what a context holds.

    Returns:
        The weights and the NDCG@10 they reach.
    """
    if len(queries) > MOST_USERS:
        rows = np.random.default_rng(0).choice(len(queries), MOST_USERS, replace=False)
        queries = queries.take(np.sort(rows))
    first, *others = parts
    coarse = [(1.0, *rest) for rest in itertools.product(_COARSE, repeat=len(others))]
    coarse += [
        (0.0, *rest) for rest in itertools.product((0.0, 1.0, 3.0, 10.0), repeat=len(others))
    ]
    grid = [weights for weights in coarse if any(weights)]
    best, _ = _best(parts, queries, candidates, filter_seen, grid)
    around = [[w] if at == 0 else [w * f for f in _FINE] for at, w in enumerate(best)]
    fine = list(dict.fromkeys([best, *itertools.product(*around)]))
    best, value = _best(parts, queries, candidates, filter_seen, fine)
    return dict(zip((first, *others), best, strict=True)), value


@torch.inference_mode()
def _best(
    parts: Mapping[str, Recommender],
    queries: Queries,
    candidates: np.ndarray,
    filter_seen: bool,
    grid: Sequence[tuple[float, ...]],
) -> tuple[tuple[float, ...], float]:
    """The grid point of the highest mean NDCG@10; the earlier of equals."""
    totals = np.zeros(len(grid))
    barred = torch.from_numpy(~candidates)
    for start in range(0, len(queries), _CHUNK):
        chunk = queries.take(np.arange(start, min(start + _CHUNK, len(queries))))
        contexts = chunk.contexts
        scores = torch.stack([part.score(contexts) for part in parts.values()])
        scores[:, :, barred] = _MASKED
        if filter_seen:
            rows = torch.from_numpy(np.repeat(np.arange(len(contexts)), contexts.lengths))
            scores[:, rows, torch.from_numpy(contexts.items.astype(np.int64)) - 1] = _MASKED
        gains = _gains(chunk, scores.shape[2])
        for at, weights in enumerate(grid):
            total = torch.einsum("p,pbi->bi", torch.tensor(weights), scores)
            totals[at] += _ndcg(total, gains)
    at = int(totals.argmax())
    return tuple(grid[at]), float(totals[at] / max(1, len(queries)))


def _gains(queries: Queries, num_items: int) -> Tensor:
    """(B, I) true where an item is a target."""
    gains = torch.zeros(len(queries), num_items, dtype=torch.bool)
    rows = np.repeat(np.arange(len(queries)), np.diff(queries.target_offsets))
    gains[torch.from_numpy(rows), torch.from_numpy(queries.target_items.astype(np.int64)) - 1] = (
        True
    )
    return gains


def _ndcg(scores: Tensor, gains: Tensor, k: int = 10) -> float:
    """Sum over rows of NDCG@k."""
    discount = 1 / torch.log2(torch.arange(2.0, k + 2))
    top = scores.topk(min(k, scores.shape[1]), 1).indices
    gained = (gains.gather(1, top) * discount[: top.shape[1]]).sum(1)
    ideal = discount.cumsum(0)[gains.sum(1).clamp(1, k) - 1]
    return float((gained / ideal).sum())
