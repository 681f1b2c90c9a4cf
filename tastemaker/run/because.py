"""Why an item: the items of the history without which it would have stood lower.

Each of the newest items of the history is left out in turn, with all its events; what a listed item
then loses of the model's score is what that one speaks for it:

    score(history) − score(history without item j)

Nothing else of the model is asked, so this holds for any that scores. What is shown is the largest
losses, not all: items of a history also speak together, and against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts, along
from tastemaker.run.answers import Chosen, Recommendation
from tastemaker.run.lists import Choice
from tastemaker.seams import Headed, Recommender

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

ASKED = 20
"""Newest events whose items are left out in turn, each of which costs a score."""
NAMED = 3
"""Items of the history that are named for an item, at most."""

Int64s = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


def reasons_of(
    saved: OpenedRun,
    model: str,
    context: Contexts,
    choice: Choice,
    codes: Int64s,
    items: Sequence[Recommendation],
) -> tuple[Recommendation, ...]:
    """Recommended items with what of the history speaks most for each.

    Args:
        saved: The run.
        model: Name of the model that ranked.
        context: One row, the history.
        choice: What was asked for, which may steer heads.
        codes: (K,) codes of the items.
        items: The items.

    Raises:
        NumericFault: If a score is not a number.
    """
    ranker = saved.ranker(model)
    left_out, losses = contributions(ranker.model, context, codes, choice, ranker.heads)
    ids, titles = saved.shelf.ids, saved.shelf.titles
    named = [Chosen(ids[int(code) - 1], titles[int(code) - 1]) for code in left_out]
    return tuple(
        replace(item, because=tuple(named[row] for row in most(losses[:, place])))
        for place, item in enumerate(items)
    )


@torch.inference_mode()
def contributions(
    model: Recommender,
    context: Contexts,
    codes: Int64s,
    choice: Choice | None = None,
    heads: Headed | None = None,
) -> tuple[Int64s, Doubles]:
    """What items of a history add to the scores of listed items.

    Args:
        model: What scores.
        context: One row, the history; not empty.
        codes: (K,) codes of the listed items.
        choice: What was asked for, which may steer `heads`.
        heads: The model with named heads that takes part.

    Returns:
        (J,) codes of the different items of the newest events, the newest first, and (J, K) by how
        much the score of each listed item falls without each.
    """
    newest = context.items[::-1][:ASKED]
    _, first = np.unique(newest, return_index=True)
    left_out = newest[np.sort(first)].astype(np.int64)
    rows = Contexts.joined([context, *(_without(context, int(code)) for code in left_out)])
    # Memories of users are of their own histories, and not of these.
    rows = replace(rows, users=np.full(len(rows), -1))
    scores = _scores(model, rows, choice, heads)[:, torch.from_numpy(codes - 1)].double().numpy()
    return left_out, scores[0] - scores[1:]


def most(losses: Doubles) -> list[int]:
    """Rows of the largest losses above 0, the largest first, of equal ones the newest."""
    order = np.argsort(-losses, kind="stable")[:NAMED]
    return [int(row) for row in order if losses[row] > 0]


def _without(context: Contexts, code: int) -> Contexts:
    kept = context.items != code
    flat = {name: column[kept] for name, column in along(context, "event")}
    return replace(context, offsets=np.array([0, int(kept.sum())], np.int64), **flat)


def _scores(
    model: Recommender, rows: Contexts, choice: Choice | None, heads: Headed | None
) -> Tensor:
    """(B, I) scores as they ranked, on the CPU."""
    scores = model.score(rows).float().cpu()
    if heads is None or choice is None or choice.steering is None:
        return scores
    may = scores[:1, choice.candidates]
    span = (may.amax(1) - may[may > -torch.inf].amin()).clamp(min=0).repeat(len(rows))
    return heads.spoken(rows, choice.steering, span)[0].float().cpu()
