"""What it costs to look at a video once: vision tower, projector and language model.

Prefill only, per video: FLOPs = 2 T (M P + Q P + N V), where T frames of P patches each pass a
vision tower of M and a projector of Q parameters, and V pooled tokens a frame pass a language model
of N. Decoding, the memory of keys and values and the tokens of the question are left out. Attention
is left out here too; `video_architecture` counts it, from the shapes of real models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tastemaker.embed.video_forms import Floats, PowerSum
from tastemaker.errors import BadInput

MOST = 1e30
"""Of any size, and one over it the least: with more, costs overflow."""
TUNING = 3
"""Passes of a language model that an example of fine-tuning costs: forward, and backward twice."""


class Cost(Protocol):
    """FLOPs of looking at one video, by (G, 3) configurations of N, T and V."""

    def flops(self, x: Floats) -> Floats:
        """(G,) FLOPs in all."""

    def vision(self, x: Floats) -> Floats:
        """(G,) those of the vision tower and the projector."""


@dataclass(frozen=True)
class VideoCost:
    """The cost from counts; by default that of SoViT-400M at 768 patches a frame."""

    vision_parameters: float = 0.43e9
    """M"""
    patches: float = 768.0
    """P, tokens of a frame inside the vision tower"""
    projector_parameters: float = 0.0
    """Q"""

    def __post_init__(self) -> None:
        """Refuse counts that nothing has.

        Raises:
            BadInput: Naming the count.
        """
        for name, value in vars(self).items():
            if not 0 <= value <= MOST:
                what, fix = f"{name} = {value} is no count.", f"Give a number from 0 to {MOST:g}."
                raise BadInput(what, f"--{name.replace('_', '-')}", fix)

    def vision(self, x: Floats) -> Floats:
        """FLOPs of vision tower and projector."""
        each = (self.vision_parameters + self.projector_parameters) * self.patches
        spent: Floats = 2 * x[..., 1] * each
        return spent

    def flops(self, x: Floats) -> Floats:
        """FLOPs of one video in all."""
        return self.vision(x) + lm_only(x)

    def powers(self) -> PowerSum:
        """The same as a sum of powers, which the continuous frontier is solved with."""
        each = (self.vision_parameters + self.projector_parameters) * self.patches
        logs, powers = [np.log(2.0)], [[1.0, 1.0, 1.0, 0.0]]
        if each:
            logs, powers = [*logs, np.log(2 * each)], [*powers, [0.0, 1.0, 0.0, 0.0]]
        return PowerSum(np.array([logs]), np.array([powers]))


def lm_only(x: Floats) -> Floats:
    """2 N T V: FLOPs of the language model alone, which earlier work budgets by."""
    spent: Floats = 2 * x[..., 0] * x[..., 1] * x[..., 2]
    return spent


def vision_share(cost: Cost, x: Floats) -> Floats:
    """Part of the FLOPs that goes into seeing."""
    share: Floats = cost.vision(x) / cost.flops(x)
    return share


def tuning_flops(cost: Cost, x: Floats, n: float) -> Floats:
    """FLOPs of fine-tuning on n examples once, with the vision tower frozen."""
    seen = cost.vision(x)
    spent: Floats = n * (seen + TUNING * (cost.flops(x) - seen))
    return spent
