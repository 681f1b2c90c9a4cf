"""Steps of next items with what heads of human priors need beside: negatives and counts of groups.

Negatives of a group are trained items of the group, each alike, or in part of all items (spec
priors §3.4, mix ratio ρ); they depend on (seed, epoch, step) alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Int32s
from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.prior_axes import Axes, Axis, upcoming
from tastemaker.recommend.prior_losses import Members, frequency_weights


@dataclass(frozen=True)
class PriorBatch(Batch):
    """A batch of next items, with what heads need beside."""

    rivals: Tensor | None = None
    """(C+1, K) int64 item codes: negatives of each group of items, and last of no group"""
    member_counts: Tensor | None = None
    """(n, P) int64 members of each cell of each lesson at each offset, in the *global* batch"""
    offset_counts: Tensor | None = None
    """(P,) int64 targets at each offset, in the *global* batch"""


@dataclass(frozen=True)
class Lesson:
    """What one loss is of: heads where these axes cross, and the horizons or not."""

    axes: tuple[int, ...]
    """numbers of the priors"""
    horizon: bool
    """whether each segment of offsets has heads of its own"""

    def sizes(self, axes: Axes) -> tuple[int, ...]:
        """Groups on each of its priors."""
        return tuple(axes.sizes[axis] for axis in self.axes)

    def cells(self, axes: Axes) -> int:
        """Combinations of groups of its priors."""
        return math.prod(self.sizes(axes))


def lessons_of(axes: Axes, additive: bool) -> list[Lesson]:
    """One lesson for heads where all axes cross; or one for each axis, whose losses are averaged.

    The lesson of a prior alone takes all offsets; that of horizons alone takes all targets.
    """
    priors = range(len(axes.listed))
    if not additive:
        return [Lesson(tuple(priors), True)]
    return [*(Lesson((axis,), False) for axis in priors), Lesson((), True)]


@dataclass(frozen=True, eq=False)
class PriorBatches:
    """Batches of a backbone with negatives of each group of items."""

    batches: NextItemBatches
    axes: Axes = field(repr=False)
    """on the CPU"""
    lessons: Sequence[Lesson]
    offsets: int = 1
    """P"""
    negatives: int = 512
    """K"""
    in_group: float = 1.0
    """share ρ of a group's negatives that are of the group; the others are of all items"""
    seed: int = 0

    def __len__(self) -> int:
        """Steps in an epoch."""
        return len(self.batches)

    def epoch(self, number: int, skip: int = 0) -> Iterator[PriorBatch]:
        """Batches of epoch `number`, from step `skip` on."""
        for step, batch in enumerate(self.batches.epoch(number, skip), start=skip):
            ahead = upcoming(targets_of(batch), self.offsets)
            counts = torch.cat([self.counted(batch, ahead, lesson) for lesson in self.lessons])
            rivals = self._drawn(np.random.default_rng([self.seed, number, step, 2]))
            totals = (ahead > 0).sum((0, 1))
            yield PriorBatch(
                **vars(batch), rivals=rivals, member_counts=counts, offset_counts=totals
            )

    def counted(self, batch: Batch, ahead: Tensor, lesson: Lesson) -> Tensor:
        """(cells, P) members of each cell of a lesson; a cell has several horizons."""
        return self._members(batch, ahead, lesson).counts(lesson.sizes(self.axes), self.offsets)

    def prevalence(self) -> tuple[list[Tensor], list[Tensor]]:
        """Of training: (cells,) targets of each lesson's cells, and (C,) π_c of each prior."""
        held = [torch.zeros(lesson.cells(self.axes)) for lesson in self.lessons]
        shares = [torch.zeros(axis.size) for axis in self.axes.listed]
        positions = 0
        for batch in self.batches.epoch(0):
            ahead = upcoming(targets_of(batch), self.offsets)
            positions += int((ahead[..., 0] > 0).sum())
            for total, lesson in zip(held, self.lessons, strict=True):
                total += self.counted(batch, ahead[..., :1], lesson)[:, 0]
            for total, axis in zip(shares, self.axes.listed, strict=True):
                total += _futures(batch, ahead, axis)
        return held, [share / max(1, positions) for share in shares]

    def _members(self, batch: Batch, ahead: Tensor, lesson: Lesson) -> Members:
        axes = [self.axes.listed[axis] for axis in lesson.axes]
        return Members.of(ahead, [(axis, axis.members_of(batch, ahead)) for axis in axes])

    def _drawn(self, rng: np.random.Generator) -> Tensor:
        """(C+1, K) trained items, of each group as far as ρ says."""
        own = round(self.in_group * self.negatives)
        whole = self._pools[-1]
        every = whole[rng.integers(0, len(whole), self.negatives - own)]
        rows = []
        for pool in self._pools:
            pool = pool if len(pool) else whole
            rows.append(np.concatenate([pool[rng.integers(0, len(pool), own)], every]))
        return torch.from_numpy(np.stack(rows).astype(np.int64))

    @cached_property
    def _pools(self) -> list[Int32s]:
        """Trained items of each group of items, and last of all."""
        trained = np.unique(self.batches.contexts.items)
        axis = self.axes.items
        if axis is None:
            return [trained]
        places = axis.by_group(torch.from_numpy(trained.astype(np.int64)))
        return [*(trained[own.numpy()] for own in places), trained]


def _futures(batch: Batch, ahead: Tensor, axis: Axis) -> Tensor:
    """(C,) positions whose next P targets contain a group."""
    pairs = Members.of(ahead, [(axis, axis.members_of(batch, ahead))])
    distinct = torch.unique(pairs.rows * axis.size + pairs.codes[:, 0])
    return torch.bincount(distinct % axis.size, minlength=axis.size).float()


def cell_weights(held: Sequence[Tensor], uniform: bool) -> Tensor:
    """(n,) w_c of the cells of all lessons, one after another; those of a lesson sum to 1."""
    return torch.cat([frequency_weights(counts, uniform) for counts in held]).float()
