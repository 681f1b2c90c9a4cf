"""Ranks, lists and accuracy: pure functions of scores and targets (protocol §3.3–3.4).

Ties are pessimistic where a rank is counted and go to the lower id where a list is made. −inf
means "may not be recommended"; NaN and +inf are faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.errors import NumericFault

Floats = npt.NDArray[np.float64]

UNRANKABLE = 2**31 - 1
"""Rank of a masked target: a miss at any k. I + 1 would be a hit where k is above I."""
_BLOCK = 2**20
"""Scores compared at a time: 4 MB."""


def check_scores(scores: Tensor, users: npt.NDArray[np.int64]) -> None:
    """Stop on NaN or +inf.

    Args:
        scores: (B, I).
        users: (B,) user codes, for the message; ids are not at hand here.

    Raises:
        NumericFault: Naming the positions of users in the log and the first item's.
    """
    # A row holds NaN or +inf exactly when its maximum does; −inf is a legal mask.
    highest = scores.amax(1)
    if not bool((highest < torch.inf).all()):
        bad = (~(scores < torch.inf)).nonzero()
        rows = sorted({int(users[row]) for row in bad[:, 0].tolist()})
        raise NumericFault(
            f"Scores that are NaN or infinite: {len(bad):,}.",
            f"users at positions {rows[:8]} of the log, first at the item at position "
            f"{int(bad[0, 1])}; positions count from 0 and are no ids",
            "The model is broken: train it again, with a lower learning rate.",
        )


def ranks(scores: Tensor, targets: Tensor) -> Tensor:
    """Rank of one target a row: 1 + scores above it + other scores equal to it.

    Args:
        scores: (B, I) float32, I < 2^24.
        targets: (B,) columns.

    Returns:
        (B,) int64 ranks in 1..I, or `UNRANKABLE` for a masked target.
    """
    target_scores = scores.gather(1, targets[:, None])
    # The target itself is one of those not below it, which makes the count a rank.
    rank = _count(torch.ge, scores, target_scores)
    return rank.masked_fill(target_scores[:, 0] == -torch.inf, UNRANKABLE)


def ties(scores: Tensor, targets: Tensor) -> Tensor:
    """(B,) true where another item has the target's score; arguments as for `ranks`."""
    target_scores = scores.gather(1, targets[:, None])
    return (_count(torch.eq, scores, target_scores) > 1) & (target_scores[:, 0] > -torch.inf)


def _count(compares: Callable[..., Tensor], scores: Tensor, target_scores: Tensor) -> Tensor:
    """(B,) int64 scores of each row for which `compares(score, target_score)`.

    Multiplying a 0/1 matrix by ones is several times as fast as summing a mask, and exact below
    2^24; a few rows at a time stay in the cache.
    """
    rows = max(1, _BLOCK // scores.shape[1])
    mask, ones = torch.empty_like(scores[:rows]), scores.new_ones(scores.shape[1])
    blocks = zip(torch.split(scores, rows), torch.split(target_scores, rows), strict=True)
    return torch.cat([compares(s, o, out=mask[: len(s)]) @ ones for s, o in blocks]).long()


def top_k(scores: Tensor, k: int) -> Tensor:
    """The k best columns of each row, best first, equal scores by the lower column.

    Args:
        scores: (B, I) float32 without NaN.
        k: At most I are given.

    Returns:
        (B, k) int64 item codes (column + 1); 0 where fewer than k may be recommended.
    """
    k = min(k, scores.shape[1])
    values, columns = scores.topk(min(k + 1, scores.shape[1]), 1)
    # topk is free in its choice among equals. One place past the end shows whether the end cuts
    # through equals; masked ones never matter.
    equal = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] > -torch.inf)
    cut = equal[:, k - 1 : k].any(1).nonzero().flatten()
    values, columns = values[:, :k], columns[:, :k].clone()
    for some in torch.split(cut, max(1, _BLOCK // scores.shape[1])) if len(cut) else ():
        columns[some] = _lowest_of_last(scores[some], values[some], columns[some])
    tied = equal.any(1).nonzero().flatten()
    if len(tied):
        columns[tied] = _lower_first(scores, tied, columns[tied])
    return torch.where(values == -torch.inf, 0, columns + 1)


def _lowest_of_last(scores: Tensor, values: Tensor, columns: Tensor) -> Tensor:
    """Refill the places whose value is the last one with the lowest columns that have it."""
    last = values[:, -1:]
    places = values == last
    falling = -torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device)
    count = places.sum(1, keepdim=True)
    most = int(count.max())
    lowest = torch.where(scores == last, falling, -torch.inf).topk(most, 1).indices
    # The equal places close each row: place j takes the (j − first equal place)-th lowest.
    place = torch.arange(values.shape[1], device=scores.device) - (values.shape[1] - count)
    return torch.where(places, lowest.gather(1, place.clamp(min=0)), columns)


def _lower_first(scores: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The same columns of some rows, best first, equal scores by the lower column."""
    columns = columns.sort(1).values
    order = scores[rows[:, None], columns].sort(stable=True, dim=1, descending=True).indices
    return columns.gather(1, order)


def single_target(rank: npt.NDArray[np.int64], ks: Sequence[int]) -> dict[str, Floats]:
    """HR, NDCG and MRR at each k from the rank of one target a user: (U,) each."""
    metrics: dict[str, Floats] = {}
    for k in ks:
        hit = (rank <= k).astype(np.float64)
        metrics[f"hr@{k}"] = hit
        metrics[f"ndcg@{k}"] = hit / np.log2(rank + 1)
        metrics[f"mrr@{k}"] = hit / rank
    return metrics


def multi_target(
    hits: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64], ks: Sequence[int]
) -> dict[str, Floats]:
    """HR, NDCG, MRR and Recall at each k of lists against several targets.

    Args:
        hits: (U, K) whether position j of the list is a target.
        targets: (U,) number of distinct targets, at least 1.
        ks: Cut-offs; K is at least the largest, or the catalogue.
    """
    positions = np.arange(1, hits.shape[1] + 1)
    metrics: dict[str, Floats] = {}
    for k in ks:
        top, places = hits[:, :k], positions[:k]
        ideal: Floats = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[np.minimum(targets, k) - 1]
        hit: Floats = (top.sum(1) > 0).astype(np.float64)
        metrics[f"hr@{k}"] = hit
        gained: Floats = (top / np.log2(places + 1)).sum(1)
        metrics[f"ndcg@{k}"] = gained / ideal
        metrics[f"mrr@{k}"] = hit / (top.argmax(1) + 1)
        recalled: Floats = top.sum(1) / targets
        metrics[f"recall@{k}"] = recalled
    return metrics
