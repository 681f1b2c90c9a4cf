"""What heads of human priors learned from: targets, weight in the loss; and items they know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.prior_axes import upcoming
from tastemaker.seams import HeadFacts

if TYPE_CHECKING:
    from tastemaker.recommend.priors import Priors

_ROWS = 128
"""Histories counted at a time."""


def facts_of(model: Priors, train: Contexts) -> HeadFacts:
    """What each head of a model learns in an epoch.

    Args:
        model: The model, whose weights of groups are set as in training.
        train: Training events, one row a user.
    """
    made, config, sizes = model.batches(train, _ROWS), model.config, model.axes.sizes
    cells = [math.prod(sizes[axis] for axis in lesson.axes) for lesson in model.lessons]
    held = [torch.zeros(count, config.offsets, dtype=torch.int64) for count in cells]
    for batch in made.batches.epoch(0):
        ahead = upcoming(targets_of(batch), config.offsets)
        for counts, lesson in zip(held, model.lessons, strict=True):
            counts += made.counted(batch, ahead, lesson)
    horizon, segments = model.horizon.cpu(), model.segments.cpu()
    weights = torch.split(model.cell_weights.cpu(), cells)
    targets, shares = [], []
    for lesson, counts, weight in zip(model.lessons, held, weights, strict=True):
        share = weight[:, None] * horizon / len(held)
        to = segments if lesson.horizon else torch.zeros_like(segments)
        targets.append(_gathered(counts, to))
        shares.append(_gathered(share, to))
    parameters = sum(
        values.numel() for part in (model.heads, model.gates) for values in part.parameters()
    )
    return HeadFacts(_known(model), torch.cat(targets), torch.cat(shares), parameters)


def _gathered(values: Tensor, segments: Tensor) -> Tensor:
    """(cells, P) → flat (cells·S,) sums over the offsets of each segment."""
    whole = values.new_zeros(len(values), int(segments.max()) + 1)
    return whole.index_add(1, segments, values).flatten()


def _known(model: Priors) -> Tensor:
    """(H,) items that each head knows."""
    heads, axis = len(model.head_names), model.axes.items
    known = torch.full((heads,), model.num_items)
    if axis is None:
        return known
    sizes = torch.from_numpy(np.diff(axis.grouping.membership.tocsc().indptr).astype(np.int64))
    if model.additive:
        known[: axis.size] = sizes
        return known
    return sizes.repeat_interleave(heads // axis.size)
