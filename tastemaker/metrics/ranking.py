"""Ranks, lists and accuracy: pure functions of scores and targets (protocol §3.3–3.4).

Ties are pessimistic where a rank is counted and go to the lower id where a list is made. −inf
means "may not be recommended"; NaN and +inf are faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.batches import Contexts
from tastemaker.errors import NumericFault

Floats = npt.NDArray[np.float64]


class Recommender(Protocol):
    """Anything that can score the catalogue for some users."""

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) float scores; column j is item code j + 1; −inf is never recommended.

        The tensor is the caller's to overwrite: return a fresh one, not a view of fitted tables.
        """
        ...


def check_scores(scores: Tensor, users: npt.NDArray[np.int64]) -> None:
    """Stop on NaN or +inf.

    Args:
        scores: (B, I).
        users: (B,) user codes, for the message.

    Raises:
        NumericFault: Naming rows and the first column.
    """
    # A row holds NaN or +inf exactly when its maximum does; −inf is a legal mask.
    highest = scores.amax(1)
    if not bool((highest < torch.inf).all()):
        bad = (~(scores < torch.inf)).nonzero()
        rows = sorted({int(users[at]) for at in bad[:, 0].tolist()})
        raise NumericFault(
            f"{len(bad):,} scores are NaN or infinite.",
            f"users (codes) {rows[:8]}, first at item code {int(bad[0, 1]) + 1}",
            "The model is broken: train it again, with a lower learning rate.",
        )


def ranks(scores: Tensor, targets: Tensor) -> Tensor:
    """Rank of one target a row: 1 + scores above it + other scores equal to it.

    Args:
        scores: (B, I) float32, I < 2^24.
        targets: (B,) columns; a masked target ranks last, after all items: a miss at any k.

    Returns:
        (B,) int64 ranks in 1..I, or I + 1 for a masked target.
    """
    own = scores.gather(1, targets[:, None])
    # The target itself is one of those not below it, which makes the count a rank.
    rank = _count(torch.ge(scores, own, out=torch.empty_like(scores)))
    return rank.masked_fill(own[:, 0] == -torch.inf, scores.shape[1] + 1)


def ties(scores: Tensor, targets: Tensor) -> Tensor:
    """(B,) true where another item has the target's score; arguments as for `ranks`."""
    own = scores.gather(1, targets[:, None])
    equal = _count(torch.eq(scores, own, out=torch.empty_like(scores)))
    return (equal > 1) & (own[:, 0] > -torch.inf)


def _count(mask: Tensor) -> Tensor:
    """Ones in each row of a 0/1 float matrix, exact below 2^24; 3–8 times as fast as `sum`."""
    return (mask @ mask.new_ones(mask.shape[1])).long()


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
    # topk is free in its choice among equals, so a row with equals at or inside the end is redone.
    # One place past the end shows whether the end cuts through equals; masked ones never matter.
    equal = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] > -torch.inf)
    tied = equal.any(1).nonzero().flatten()
    columns = columns[:, :k].clone()
    if len(tied):
        columns[tied] = _distinct_keys(scores[tied]).topk(k, 1).indices
    return torch.where(values[:, :k] == -torch.inf, 0, columns + 1)


def _distinct_keys(scores: Tensor) -> Tensor:
    """(B, I) int64 that order as the scores do and, among equals, by falling column."""
    # Adding 0 turns −0 into +0. The bits of a positive float rise with it, of a negative one fall.
    bits = (scores + 0.0).view(torch.int32).long()
    ordered = torch.where(bits < 0, -(2**31) - bits, bits)
    return ordered * 2**32 - torch.arange(scores.shape[1], device=scores.device)


def single_target(rank: npt.NDArray[np.int64], ks: Sequence[int]) -> dict[str, Floats]:
    """HR, NDCG and MRR at each k from the rank of one target a user: (U,) each."""
    found: dict[str, Floats] = {}
    for k in ks:
        hit = (rank <= k).astype(np.float64)
        found[f"hr@{k}"] = hit
        found[f"ndcg@{k}"] = hit / np.log2(rank + 1)
        found[f"mrr@{k}"] = hit / rank
    return found


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
    found: dict[str, Floats] = {}
    for k in ks:
        top, places = hits[:, :k], positions[:k]
        ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[np.minimum(targets, k) - 1]
        first = np.where(top.any(1), top.argmax(1) + 1, np.inf)
        found[f"hr@{k}"] = top.any(1).astype(np.float64)
        found[f"ndcg@{k}"] = (top / np.log2(places + 1)).sum(1) / ideal
        found[f"mrr@{k}"] = 1 / first
        found[f"recall@{k}"] = top.sum(1) / targets
    return found
