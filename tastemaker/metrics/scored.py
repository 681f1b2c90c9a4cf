"""Scores of some users at a time, candidates only, and where in them targets and seen items stand.

Nothing is read off them here: ranks, lists and ties are `evaluate`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.metrics.ranking import check_scores
from tastemaker.seams import Recommender

Candidates = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Scores of B users with what they are to be compared to."""

    scores: Tensor
    """(B, I) float32, −inf for what is no candidate"""
    owners: Tensor
    """flat row of each target"""
    columns: Tensor
    """flat column of each target"""
    seen: Tensor
    """flat position in `scores` of each context item"""

    def leave_out_seen(self) -> None:
        """Mask what the contexts hold, in place."""
        self.scores.view(-1).index_fill_(0, self.seen, -torch.inf)

    def target_scores(self) -> Tensor:
        """Score of each target."""
        return self.scores[self.owners, self.columns]


def scores_of(
    model: Recommender, queries: Queries, users: int, candidates: Candidates | None
) -> Iterator[Scored]:
    """What a model says of each query, in their order, some `users` at a time.

    Args:
        model: Anything with `score`.
        queries: Contexts and targets.
        users: Queries scored at a time, B.
        candidates: (I,) items that may be recommended; None: all.

    Raises:
        NumericFault: If a score is NaN or +inf.
        BadInput: If the model's catalogue is not that of the queries.
    """
    barred: Tensor | None = None
    for start in range(0, len(queries), users):
        stop = min(start + users, len(queries))
        contexts = queries.contexts.slice(start, stop)
        scores = model.score(contexts).float().contiguous()
        _check_catalogue(scores, contexts, queries, candidates)
        check_scores(scores, contexts.users)
        if candidates is not None:
            if barred is None:
                barred = torch.from_numpy(np.flatnonzero(~candidates)).to(scores.device)
            scores.index_fill_(1, barred, -torch.inf)
        bounds = queries.target_offsets[start : stop + 1]
        owners = np.repeat(np.arange(stop - start), np.diff(bounds))
        rows = np.repeat(np.arange(stop - start), contexts.lengths)
        flat = (
            owners,
            queries.target_items[bounds[0] : bounds[-1]].astype(np.int64) - 1,
            rows * scores.shape[1] + contexts.items - 1,
        )
        yield Scored(scores, *(torch.from_numpy(indices).to(scores.device) for indices in flat))


def _check_catalogue(
    scores: Tensor, contexts: Contexts, queries: Queries, candidates: Candidates | None
) -> None:
    """A code outside 1..I would mask an item of another user's row, so none is let through."""
    num_items = scores.shape[-1]
    listed = num_items if candidates is None else len(candidates)
    low = min(contexts.items.min(initial=1), queries.target_items.min())
    high = max(contexts.items.max(initial=1), queries.target_items.max())
    if tuple(scores.shape) != (len(contexts), listed) or low < 1 or high > num_items:
        raise BadInput(
            f"The model gave scores of shape {tuple(scores.shape)} for {len(contexts)} users, a "
            f"candidate mask of {listed:,} items and item codes from {low} to {high:,}.",
            "model",
            "Score (B, I) with the catalogue the queries were made from; codes run from 1 to I.",
        )
