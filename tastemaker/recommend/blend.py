"""Blend: any number of models, fused with weights fitted on validation.

Counting is strong on small data and costs seconds, so what a user gets by default should never be
worse than counting (protocol §4, performance §4.2):

    s = w₀·log softmax(neural) + w₁·log(markov + .02·popularity share) + w₂·EASE

`PARTS` says which counting models stand beside a neural one, and how each is brought to a common
scale. The weights maximise NDCG@10 on validation over a grid, then over a finer one around the
best; of more than three parts one weight is changed at a time, for as long as that gains.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts, Int32s, Int64s
from tastemaker.data.queries import Queries
from tastemaker.metrics.ranking import UNRANKABLE, multi_target, ranks, single_target, top_k
from tastemaker.seams import Recommender

SMOOTHING = 0.02
"""Weight of popularity where the Markov counts are silent."""
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


@dataclass(frozen=True)
class Part:
    """A counting model's place in the blend."""

    name: str
    scaled: Callable[..., Recommender]
    """brings it to the common scale, given the model and those beside it"""
    beside: tuple[str, ...] = ()
    """models mixed in, so that alone in the blend it ranks otherwise than by itself"""


PARTS = (
    Part("markov-last-5", LogMarkov, ("popularity",)),
    Part("ease", lambda ease: ease),
)
"""What is blended with a neural model, where a run has it."""


def parts_of(
    neural: str, neural_model: Recommender, counting: Mapping[str, Recommender]
) -> dict[str, Recommender]:
    """What the blend of some models is made of: name → model on the common scale.

    Args:
        neural: Name of the neural model.
        neural_model: The model.
        counting: Name → fitted counting model; a part that lacks one is left out.
    """
    parts: dict[str, Recommender] = {neural: LogSoftmax(neural_model)}
    for part in PARTS:
        needed = (part.name, *part.beside)
        if counting.keys() >= {*needed}:
            parts[part.name] = part.scaled(*(counting[name] for name in needed))
    return parts


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
    around = [[w] if at == 0 else [w * f for f in _FINE] for at, w in enumerate(top)]
    return best(list(dict.fromkeys([top, *itertools.product(*around)])))


def _climbed(best: Best, count: int) -> tuple[Point, float]:
    """From the best part alone, or all alike, by the best change of one weight at a time.

    Each change scores the parts once, whatever their number, and at most `_CHANGES` a part are made
    among the coarse weights and as many among the finer ones.
    """
    alone = [tuple(float(at == one) for at in range(count)) for one in range(count)]
    top, value = best([*alone, (1.0,) * count])
    for fine in (False, True):
        for _ in range(_CHANGES * count):
            near = [
                (*top[:at], w, *top[at + 1 :]) for at in range(count) for w in _near(top, at, fine)
            ]
            before = value
            top, value = best(list(dict.fromkeys([top, *(point for point in near if any(point))])))
            if value <= before:
                break
    return top, value


def _near(point: Point, at: int, fine: bool) -> Sequence[float]:
    """Weights to try of one part; the first has weight 1 or 0."""
    if at == 0:
        return () if fine else (0.0, 1.0)
    return [point[at] * factor for factor in _FINE] if fine else _COARSE


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
        for own, part in zip(scores, parts.values(), strict=True):
            own.copy_(part.score(contexts))
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
