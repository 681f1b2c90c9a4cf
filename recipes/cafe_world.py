"""Scenes of the recipe on CAFe: garments parted so that no picture of one is in two parts.

Scenes to train on differ between seeds; those to test on do not, so that seeds are compared scene
by scene.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tastemaker.data.idx import read_pictures
from tastemaker.embed.pair_batches import Pair
from tastemaker.models.vlm_rows import Picture
from tastemaker.worlds.scene_words import Absent, caption, questions
from tastemaker.worlds.scenes import PLACES, SIZES, SceneOptions, Scenes, scenes
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
    """Each scene with its caption, and what is asked of it.

    Absent things are drawn in another way in each of four scenes, else a kind alone would tell the
    answer: a popular one would be there more often than not.
    """
    turns: list[list[tuple[str, str]]] = [[(CAPTION, said)] for said in captions(world)]
    for number, split in enumerate(SPLITS):
        for one in questions(world, split, seed=seed):
            if one.scene % len(SPLITS) == number:
                turns[one.scene].append((one.text, "yes" if one.yes else "no"))
    return [Pair(picture(world, number), own[0][1], tuple(own)) for number, own in enumerate(turns)]


def texts(world: Scenes, prompts: Sequence[str]) -> list[str]:
    """All that a tokenizer has to know."""
    asked = [one.text for one in questions(world, "random")]
    return [*captions(world), *asked, *prompts, CAPTION, "yes", "no"]
