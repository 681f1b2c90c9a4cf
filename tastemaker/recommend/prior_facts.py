"""What heads of human priors learned from: targets, weight in the loss; and items they know."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.prior_axes import Axes, upcoming
from tastemaker.recommend.prior_batches import PriorBatches, cell_weights
from tastemaker.recommend.prior_groups import counted_other
from tastemaker.recommend.prior_losses import horizon_weights, segments_of
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.seams import HeadFacts

ROWS = 128
"""Histories that are counted at a time."""


def facts_of(
    config: PriorsConfig, train: PriorBatches, num_items: int, parameters: int
) -> HeadFacts:
    """What each head of a model learns in an epoch.

    Args:
        config: Options of the model.
        train: Steps of training; their negatives are not drawn.
        num_items: I.
        parameters: Of the heads and what chooses between them.
    """
    axes, lessons, offsets = train.axes, train.lessons, config.offsets
    cells = [lesson.cells(axes) for lesson in lessons]
    held = [torch.zeros(count, offsets, dtype=torch.int64) for count in cells]
    for batch in train.batches.epoch(0):
        ahead = upcoming(targets_of(batch), offsets)
        for counts, lesson in zip(held, lessons, strict=True):
            counts += train.counted(batch, ahead, lesson)
    horizon = horizon_weights(offsets).float()
    segments = segments_of(offsets, config.segments)
    nearest = [counts[:, 0].float() for counts in held]
    weights = torch.split(cell_weights(nearest, config.weighting == "uniform"), cells)
    targets, shares = [], []
    for lesson, counts, weight in zip(lessons, held, weights, strict=True):
        to = segments if lesson.horizon else torch.zeros_like(segments)
        targets.append(_gathered(counts, to))
        shares.append(_gathered(weight[:, None] * horizon / len(lessons), to))
    known = _known(axes, num_items, config.composition == "additive")
    return HeadFacts(known, torch.cat(targets), torch.cat(shares), parameters, _other(axes))


def _other(axes: Axes) -> dict[str, tuple[int, int, str]]:
    """Axis → its members in no group but `other`."""
    listed = [(axis, counted_other(axis.grouping)) for axis in axes.listed]
    return {
        axis.name: (count, axis.grouping.num_members, axis.of) for axis, count in listed if count
    }


def _gathered(values: Tensor, segments: Tensor) -> Tensor:
    """(cells, P) → flat (cells·S,) sums over the offsets of each segment."""
    whole = values.new_zeros(len(values), int(segments.max()) + 1)
    return whole.index_add(1, segments, values).flatten()


def _known(axes: Axes, num_items: int, additive: bool) -> Tensor:
    """(H,) items that each head knows."""
    heads = sum(axes.sizes) if additive else math.prod(axes.sizes)
    known = torch.full((heads,), num_items)
    if axes.items is None:
        return known
    sizes = np.diff(axes.items.grouping.membership.tocsc().indptr).astype(np.int64)
    own = torch.from_numpy(sizes)
    if additive:
        known[: len(own)] = own
        return known
    return own.repeat_interleave(heads // len(own))
