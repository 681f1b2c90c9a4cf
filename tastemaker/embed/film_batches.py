"""What small video models are trained on: rows of a table, gathered a step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Int64s


@dataclass(frozen=True, eq=False)
class FilmStep:
    """B rows of one step, or a part of them; a seam `Step`."""

    inputs: Tensor
    """(B, …) pictures or features"""
    words: Tensor
    """(B, L) int64 words of the question, 0 for none before it; L may be 0"""
    labels: Tensor
    """(B,) or (B, P) int64 right answers"""
    target_count: int
    """rows of the whole step"""
    rows: Int64s | None = None
    """(B,) which rows these are"""

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[FilmStep]:
        """What process `rank` of `world` computes; `small` makes no difference."""
        if world == 1:
            return [self]
        own = slice(rank, None, world)
        rows = None if self.rows is None else self.rows[own]
        tensors = (self.inputs[own], self.words[own], self.labels[own])
        return [FilmStep(*tensors, self.target_count, rows)]

    def to(self, device: torch.device) -> FilmStep:
        """The same on another device."""
        if self.inputs.device == device:
            return self
        inputs, words, labels = (t.to(device) for t in (self.inputs, self.words, self.labels))
        return replace(self, inputs=inputs, words=words, labels=labels)


@dataclass(frozen=True, eq=False)
class FilmSteps:
    """Epochs over all rows, each in an order that depends on (seed, epoch) alone; seam `Steps`."""

    inputs: Callable[[Int64s], Tensor]
    """row numbers → their inputs"""
    words: Tensor
    """(N, L)"""
    labels: Tensor
    """(N,) or (N, P)"""
    batch: int
    """rows of a step; the last of an epoch may have fewer"""
    seed: int = 0

    def __len__(self) -> int:
        """Steps in an epoch."""
        return -(-len(self.labels) // self.batch)

    def epoch(self, number: int, skip: int = 0) -> Iterator[FilmStep]:
        """Steps of epoch `number`, from step `skip` on."""
        order = np.random.default_rng([self.seed, number]).permutation(len(self.labels))
        for start in range(skip * self.batch, len(order), self.batch):
            yield self.of(order[start : start + self.batch])

    def in_order(self) -> Iterator[FilmStep]:
        """Every row once, as they stand: to measure by."""
        for start in range(0, len(self.labels), 4 * self.batch):
            yield self.of(np.arange(start, min(start + 4 * self.batch, len(self.labels))))

    def of(self, rows: Int64s) -> FilmStep:
        """Some rows."""
        chosen = torch.from_numpy(rows)
        return FilmStep(self.inputs(rows), self.words[chosen], self.labels[chosen], len(rows), rows)
