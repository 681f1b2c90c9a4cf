"""Scores → the lists that users are shown, many users at a time.

Without a boost a list is exactly the model's own ranking of what may be recommended: best first,
equal scores by the lower item code. The score that is shown says where an item lies between the
lowest (0) and the highest (1) of all that may be recommended to the user, whatever the wishes; it
never rises along a list, and says nothing about other users or models. A boost adds its weight to
that score and ranks by the sum.

Where heads of the model are named, it ranks as they say: scores as steered, shown on the scale of
the same user's scores unsteered, so that they can lie below 0 or above 1 and still never rise.

Where items are to lie apart, the best of that ranking are taken in another order (`spread.py`):
then scores can rise along a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.metrics.ranking import check_scores, top_k
from tastemaker.run.spread import POOL, Spread
from tastemaker.seams import Headed, Recommender, Steering


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of B users, of at most K items each."""

    items: npt.NDArray[np.int64]
    """(B, K) item codes, best first; 0 where no item is left"""
    scores: npt.NDArray[np.float64]
    """(B, K) in [0, 1] plus boosts, never rising along a row; steered ones also outside"""
    heads: npt.NDArray[np.int64] | None = None
    """(B, K) head that speaks for each item, -1 for none; None: no model with heads took part"""


@dataclass(frozen=True, eq=False)
class Choice:
    """What may be listed, and what is favoured, for every user alike."""

    candidates: Tensor
    """(I,) items that may be recommended to anybody"""
    wished: Tensor | None
    """(I,) items that this request allows; None: all"""
    boosts: Tensor | None
    """(I,) float64 added to each item's score; None: nothing is favoured"""
    first: int
    """places passed over"""
    k: int
    steering: Steering | None = None
    """which heads speak and which are favoured; None: as the model ranks by itself"""
    spread: Spread | None = None
    """how far apart the listed items are to be; None: the ranking alone decides"""


@torch.inference_mode()
def best_items(
    model: Recommender,
    contexts: Contexts,
    barred: Sequence[Contexts],
    choice: Choice,
    heads: Headed | None = None,
) -> Lists:
    """The best items of some users.

    Args:
        model: What scores them.
        contexts: What each of B users chose before.
        barred: Items not to recommend, each with a row for every one of the same users.
        choice: What may be listed, and how much of it; steered, if it is, are `heads`.
        heads: The model with named heads that takes part in the ranking, to say which head speaks
            for each item; None: there is none.

    Raises:
        NumericFault: If a score is NaN or +infinite.
    """
    return _scored(model, contexts, barred, choice, heads).listed(choice)


@torch.inference_mode()
def best_of_each(
    model: Recommender,
    contexts: Contexts,
    barred: Sequence[Contexts],
    choices: Sequence[Choice],
    heads: Headed | None = None,
) -> list[Lists]:
    """As `best_items`, with a choice for each user, all of one steering; lists of one row each."""
    scored = _scored(model, contexts, barred, choices[0], heads)
    if len(choices) == 1:
        return [scored.listed(choices[0])]
    return [scored.row(row).listed(choice) for row, choice in enumerate(choices)]


@dataclass(frozen=True, eq=False)
class _Scored:
    """What a model says of all items to B users, before anything is wished."""

    scores: Tensor
    """(B, I) float32; −inf for what may not be recommended; the caller's to overwrite"""
    low: Tensor
    """(B, 1) float64 lowest of what may be recommended, as nobody is steered"""
    high: Tensor
    """(B, 1) float64 the highest"""
    speakers: Tensor | None
    """(B, I) head that speaks for each item"""

    def row(self, row: int) -> _Scored:
        """The same of one user."""
        own = slice(row, row + 1)
        speakers = None if self.speakers is None else self.speakers[own]
        return _Scored(self.scores[own], self.low[own], self.high[own], speakers)

    def listed(self, choice: Choice) -> Lists:
        """The best items of what is wished."""
        scores = self.scores
        if choice.wished is not None:
            scores.masked_fill_(~choice.wished, -torch.inf)
        last = choice.first + choice.k
        most = min(last if choice.spread is None else max(last, POOL), scores.shape[1])
        if choice.boosts is None:
            codes = top_k(scores, most)
            shown = _placed(scores.gather(1, (codes - 1).clamp(min=0)), self.low, self.high)
        else:
            placed = _placed(scores, self.low, self.high) + choice.boosts
            codes, shown = _boosted(scores, placed, most)
        if choice.spread is not None:
            order = torch.from_numpy(choice.spread.orders(codes.numpy(), shown.numpy(), last))
            codes, shown = codes.gather(1, order), shown.gather(1, order)
        shown[codes == 0] = torch.nan
        listed, shown = codes[:, choice.first : last], shown[:, choice.first : last]
        lists = Lists(listed.numpy(), shown.numpy())
        if self.speakers is None:
            return lists
        speaking = self.speakers.cpu().gather(1, (listed - 1).clamp(min=0))
        return replace(lists, heads=speaking.masked_fill(listed == 0, -1).numpy())


def _scored(
    model: Recommender,
    contexts: Contexts,
    barred: Sequence[Contexts],
    choice: Choice,
    heads: Headed | None,
) -> _Scored:
    steering = choice.steering if heads is not None else None
    speakers = None
    if heads is None or steering is not None:
        scores = model.score(contexts)
    elif heads is model:
        scores, speakers = heads.spoken(contexts)
    else:
        scores, speakers = model.score(contexts), heads.spoken(contexts)[1]
    scores = _without_barred(scores, contexts, barred, choice)
    # Differences in double precision: in single, two scores apart can become equal.
    low = scores.masked_fill(scores == -torch.inf, torch.inf).amin(1, keepdim=True).double()
    high = scores.amax(1, keepdim=True).double()
    if heads is not None and steering is not None:
        span = (high - low).clamp(min=0).float().flatten()
        scores, speakers = heads.spoken(contexts, steering, span)
        scores = _without_barred(scores, contexts, barred, choice)
    return _Scored(scores, low, high, speakers)


def _without_barred(
    scores: Tensor, contexts: Contexts, barred: Sequence[Contexts], choice: Choice
) -> Tensor:
    """Checked float32 scores on the CPU, −inf for what may not be recommended to a user."""
    scores = scores.float().cpu()  # where wishes and boosts are
    check_scores(scores, contexts.users)
    scores.masked_fill_(~choice.candidates, -torch.inf)
    for out in barred:
        rows = torch.from_numpy(np.repeat(np.arange(len(out)), out.lengths))
        scores[rows, torch.from_numpy(out.items.astype(np.int64)) - 1] = -torch.inf
    return scores


def _placed(scores: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(B, K) float64 place of each score between `low` and `high` (B, 1); 1 where all are equal."""
    placed = (scores.double() - low) / (high - low)
    return torch.where(high > low, placed, torch.where(scores == -torch.inf, -torch.inf, 1.0))


def _boosted(scores: Tensor, shown: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(B, k) codes and sums, by sum, then by the model's own score, then by the lower code."""
    # Only what reaches the k-th largest sum needs to be put in order.
    reached = shown >= shown.topk(k, 1).values[:, -1:]
    columns = shown.topk(int(reached.sum(1).max()), 1).indices.sort(1).values
    for by in (scores, shown):
        order = by.gather(1, columns).sort(stable=True, dim=1, descending=True).indices
        columns = columns.gather(1, order)
    columns = columns[:, :k]
    sums = shown.gather(1, columns)
    return torch.where(sums == -torch.inf, 0, columns + 1), sums
