"""Scenes of the recipe on CAFe: garments parted so that no picture of one is in two parts.

Scenes to train on differ between seeds; those to test on do not, so that seeds are compared scene
by scene. Also what a tower of pictures learns first: the kind and size of the thing in each cell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.idx import read_pictures
from tastemaker.embed.pair_batches import Pair
from tastemaker.models.vlm_rows import Asked, Picture
from tastemaker.worlds.scene_words import Absent, caption, questions
from tastemaker.worlds.scenes import PLACES, SIZES, SceneOptions, Scenes, Thing, scenes
from tastemaker.worlds.sprites import Sprites, garments, parted, shapes

SPLITS: tuple[Absent, ...] = ("random", "popular", "adversarial", "lookalike")
CAPTION = "what is there ?"
GARMENTS = 20_000
"""Pictures of the training file that scenes to train on are made of."""
TUNING, TESTED = 7_001, 7_002
"""Seeds of scenes to choose with and to test on; those to train on have their run's."""


@lru_cache
def sprites() -> tuple[Sprites, Sprites, Sprites]:
    """Garments to train with, to choose with and to test with; the last two of the test file."""
    folder = Path(os.environ["TASTEMAKER_DATA"]) / "fashion-mnist"
    train, other = read_pictures(folder, "train"), read_pictures(folder, "t10k")
    held = parted(garments(other.images, other.labels), 0.5)
    return garments(train.images[:GARMENTS], train.labels[:GARMENTS]), held[0], held[1]


@lru_cache
def plain() -> tuple[Sprites, Sprites, Sprites]:
    """Plain shapes, parted the same, for whoever has no garments."""
    train, held = parted(shapes(40), 0.5)
    return (train, *parted(held, 0.5))


@dataclass(frozen=True)
class Sizes:
    """How much of a world there is."""

    train: int = 6_000
    test: int = 1_000
    told: int = 500
    """scenes, of those to test on, that are captioned and asked about"""
    shapes: bool = False
    """whether scenes are of plain shapes"""

    def learnt(self, seed: int) -> Scenes:
        """Scenes to train on."""
        return scenes(self._sprites()[0], SceneOptions(scenes=self.train, seed=seed))

    def measured(self, validate: bool = False) -> Scenes:
        """Scenes to test on, or to choose with."""
        seed = TUNING if validate else TESTED
        own = self._sprites()[1 if validate else 2]
        return scenes(own, SceneOptions(scenes=self.test, seed=seed))

    def _sprites(self) -> tuple[Sprites, Sprites, Sprites]:
        return plain() if self.shapes else sprites()


def picture(world: Scenes, number: int) -> Picture:
    """(64, 64, 3) of a scene."""
    return np.broadcast_to(world.images[number][..., None], (*world.images.shape[1:], 3))


def captions(world: Scenes) -> list[str]:
    """What is said of each scene."""
    return [caption(things, world.sprites.names) for things in world.things]


def truth(world: Scenes) -> list[list[tuple[str, ...]]]:
    """Name, size and place of each thing of each scene."""
    names = world.sprites.names
    return [
        [(names[one.kind], SIZES[one.large], PLACES[one.place]) for one in things]
        for things in world.things
    ]


def pairs(world: Scenes, seed: int) -> list[Pair]:
    """Each scene with its caption, and what is asked of it: absent things are drawn at random."""
    turns: list[list[tuple[str, str]]] = [[(CAPTION, said)] for said in captions(world)]
    for one in questions(world, "random", seed=seed):
        turns[one.scene].append((one.text, "yes" if one.yes else "no"))
    return [Pair(picture(world, number), own[0][1], tuple(own)) for number, own in enumerate(turns)]


def texts(world: Scenes, prompts: Sequence[str]) -> list[str]:
    """All that a tokenizer has to know."""
    asked = [one.text for one in questions(world, "random")]
    return [*captions(world), *asked, *prompts, CAPTION, "yes", "no"]


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
