"""Labelled examples as a client holds them, and as the server's auxiliary set: inputs and a class.

Every epoch goes through all examples once, in an order that depends on (seed, epoch) alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.contexts import Int64s
from tastemaker.errors import BadInput

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors


@dataclass(frozen=True, eq=False)
class ExampleStep:
    """B examples of one step, or a part of them; a seam `Step`."""

    inputs: Tensor
    """(B, …) float32"""
    labels: Tensor
    """(B,) int64"""
    target_count: int
    """examples of the whole step"""
    rows: Int64s | None = None
    """(B,) which examples of the client's these are"""

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[ExampleStep]:
        """What process `rank` of `world` computes.

        Args:
            rank: Number of the process.
            world: Number of processes.
            small: Makes no difference: a step of examples is small.
        """
        if world == 1:
            return [self]
        rows = None if self.rows is None else self.rows[rank::world]
        inputs, labels = self.inputs[rank::world], self.labels[rank::world]
        return [replace(self, inputs=inputs, labels=labels, rows=rows)]

    def to(self, device: torch.device) -> ExampleStep:
        """The same on another device."""
        if self.inputs.device == device:
            return self
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device))


@dataclass(frozen=True, eq=False)
class Examples:
    """N labelled examples; a seam `ClientData`."""

    inputs: Tensor
    """(N, …) float32"""
    labels: Tensor
    """(N,) int64 class, from 0"""

    def __post_init__(self) -> None:
        """Refuse what is no set of labelled examples.

        Raises:
            BadInput: If there are not as many labels as inputs, or a value is not finite.
        """
        if len(self.inputs) != len(self.labels) or self.labels.dim() != 1:
            what = f"There are {len(self.inputs)} inputs and {tuple(self.labels.shape)} labels."
            raise BadInput(what, "examples", "Give each input one label.")
        if not torch.isfinite(self.inputs).all():
            bad = (~torch.isfinite(self.inputs.flatten(1)).all(1)).nonzero().flatten()
            where = f"examples {bad[:8].tolist()}"
            raise BadInput("Inputs are not finite.", where, "Fill in or leave out these examples.")

    @property
    def examples(self) -> int:
        """How many there are."""
        return len(self.labels)

    def batches(self, rows: int, seed: int) -> ExampleSteps:
        """Epochs of steps of `rows` examples each; the last of an epoch may be smaller."""
        return ExampleSteps(self, rows, seed)

    def seen(self) -> Tensors:
        """No table of such a model is averaged by row."""
        return {}

    def of(self, rows: Int64s) -> Examples:
        """Some of them, as a copy."""
        chosen = torch.from_numpy(rows)
        return Examples(self.inputs[chosen], self.labels[chosen])

    @cached_property
    def whole(self) -> ExampleStep:
        """All of them as one step, in their own order."""
        return ExampleStep(self.inputs, self.labels, self.examples, np.arange(self.examples))


@dataclass(frozen=True, eq=False)
class ExampleSteps:
    """What a client trains on; a seam `Steps`."""

    data: Examples
    rows: int
    """examples in a step"""
    seed: int

    def __len__(self) -> int:
        """Steps in an epoch."""
        return -(-self.data.examples // self.rows)

    def epoch(self, number: int, skip: int = 0) -> Iterator[ExampleStep]:
        """Steps of epoch `number`, from step `skip` on."""
        order = np.random.default_rng([self.seed, number]).permutation(self.data.examples)
        drawn = torch.from_numpy(order)
        inputs, labels = self.data.inputs[drawn], self.data.labels[drawn]
        for start in range(skip * self.rows, len(order), self.rows):
            here = slice(start, start + self.rows)
            rows = order[here]
            yield ExampleStep(inputs[here], labels[here], len(rows), rows)
