"""What a tower of pictures learns first in the recipe on CAFe: what is in each cell, and how large.

Else a tiny model would have to learn to see from captions alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from cafe_world import picture
from torch import Tensor, nn

from tastemaker.models.vlm_rows import Asked
from tastemaker.worlds.scenes import PLACES, Scenes, Thing


@dataclass(frozen=True, eq=False)
class CellStep:
    """Pictures and the thing in each of their cells; the seam `Step`."""

    pictures: Tensor
    """(B, 3, H, W) as the model takes them"""
    labels: Tensor
    """(B, 4) 0: nothing; else 1 + twice the kind, and 1 more if it is large"""
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]

    @property
    def target_count(self) -> int:
        """Cells of the step."""
        return self.labels.numel()

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[CellStep]:
        """The step whole: one process trains."""
        return [self]

    def to(self, device: torch.device) -> CellStep:
        """The same on another device."""
        return CellStep(self.pictures.to(device), self.labels.to(device), self.rows)


@dataclass(frozen=True, eq=False)
class CellSteps:
    """One epoch of scenes, in order; the seam `Steps`."""

    tower: CellTower
    world: Scenes
    batch: int

    def __len__(self) -> int:
        """Steps in an epoch."""
        return len(self.world) // self.batch

    def epoch(self, number: int, skip: int = 0) -> Iterator[CellStep]:
        """Steps from step `skip` on, in another order each epoch."""
        order = np.random.default_rng([number, 3]).permutation(len(self.world))
        for place in range(skip, len(self)):
            drawn = order[place * self.batch : (place + 1) * self.batch]
            labels = torch.tensor([cells(self.world.things[one]) for one in drawn])
            yield CellStep(self.tower.pixels(self.world, drawn), labels, drawn)


def cells(things: Sequence[Thing]) -> list[int]:
    """What is in each place."""
    labels = [0] * len(PLACES)
    for one in things:
        labels[one.place] = 1 + 2 * one.kind + one.large
    return labels


class CellTower(nn.Module):
    """The tower of a model with a linear reader of cells; a seam `Trainable`."""

    def __init__(self, vision: nn.Module, width: int, kinds: int) -> None:
        super().__init__()
        self.vision, self.read = [vision], nn.Linear(4 * width, 1 + 2 * kinds)
        self.tower = vision.tower

    def pixels(self, world: Scenes, drawn: Sequence[int]) -> Tensor:
        """(B, 3, H, W) of scenes, as the model takes them."""
        rows = self.vision[0].rows([Asked("", picture(world, one)) for one in drawn])
        return rows.pictures["pixel_values"]

    def forward(self, step: CellStep) -> Tensor:
        """The loss of a step."""
        return self.loss(step)

    def loss(self, step: CellStep) -> Tensor:
        """Mean cross-entropy over cells, what is empty included."""
        return F.cross_entropy(self.logits(step.pictures).flatten(0, 1), step.labels.flatten())

    def logits(self, pictures: Tensor) -> Tensor:
        """(B, 4, C) of each cell, from the quarter of the tower's features that lies there."""
        states = self.tower(pictures, output_hidden_states=True).hidden_states[-1]
        side = int(states.shape[1] ** 0.5)
        grid = states.unflatten(1, (2, side // 2, 2, side // 2)).permute(0, 1, 3, 2, 4, 5)
        pooled = grid.flatten(1, 2).flatten(2, 3)  # (B, 4, side²/4, width)
        return self.read(pooled.flatten(2))

    @torch.no_grad()
    def right(self, world: Scenes) -> dict[str, float]:
        """Share of cells of scenes that are read rightly, and of things whose kind is."""
        labels = torch.tensor([cells(things) for things in world.things])
        parts = torch.arange(len(world)).split(64)
        read = torch.cat(
            [self.logits(self.pixels(world, part.tolist())).argmax(-1) for part in parts]
        )
        kinds = ((read - 1) // 2 == (labels - 1) // 2)[labels > 0]
        return {
            "right": float((read == labels).double().mean()),
            "kinds": float(kinds.double().mean()),
        }
