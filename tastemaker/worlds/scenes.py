"""Scenes: one to three things on a noisy canvas, of which everything is known.

A canvas has four places; a thing has a kind, a size and a place. Kinds are drawn with unequal
frequencies and many with a partner, so that what is usual can be told from what is there. A kind
and size can be kept out of training together, so that a test may ask for what was never seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.worlds.sprites import PIXELS, Grey, Sprites

PLACES = ("top-left", "top-right", "bottom-left", "bottom-right")
SIZES = ("small", "large")
SMALL = 18
"""Pixels of a small thing; a large one has those of its sprite."""
CELL = 32
"""Pixels of a place, high and wide; the canvas is twice that."""


@dataclass(frozen=True)
class Thing:
    """One thing of a scene."""

    kind: int
    """which of the sprites' names"""
    large: bool
    place: int
    """which of `PLACES`"""


@dataclass(frozen=True)
class SceneOptions:
    """What scenes hold."""

    scenes: int = 1000
    most: int = 3
    """things of a scene, 1 to 4"""
    together: float = 0.5
    """chance that a second thing is the first one's partner"""
    noise: float = 0.1
    """deviation of the canvas's grey, of 1"""
    without: tuple[tuple[int, bool], ...] = ()
    """(kind, large) that no scene holds"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no scene."""
        sound = self.scenes >= 1 and 1 <= self.most <= len(PLACES)
        if not sound or not 0 <= self.together <= 1 or not 0 <= self.noise <= 1:
            fix = "Give 1 or more scenes, 1 to 4 things, and shares from 0 to 1."
            raise BadInput("These options make no scene.", "scenes", fix)


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures and what is in them."""

    images: npt.NDArray[np.uint8]
    """(N, 64, 64)"""
    things: tuple[tuple[Thing, ...], ...]
    """(N,) of each scene, by place"""
    sprites: Sprites

    def __len__(self) -> int:
        return len(self.things)


def scenes(sprites: Sprites, options: SceneOptions) -> Scenes:
    """Draw scenes; each is a function of the seed and its number, however many are drawn."""
    drawn, known = [], []
    for number in range(options.scenes):
        rng = np.random.default_rng([options.seed, number])
        things = _things(sprites, options, rng)
        known.append(things)
        drawn.append(_canvas(sprites, things, options.noise, rng))
    return Scenes(np.stack(drawn), tuple(known), sprites)


def _things(sprites: Sprites, options: SceneOptions, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Kinds, sizes and places, no kind twice."""
    kinds: list[int] = []
    many = int(rng.integers(1, options.most + 1))
    while len(kinds) < many:
        kind = int(rng.choice(len(sprites.names), p=sprites.rarity))
        if len(kinds) == 1 and rng.random() < options.together:
            kind = sprites.partners[kinds[0]]
        if kind not in kinds:
            kinds.append(kind)
    places = sorted(rng.permutation(len(PLACES))[:many].tolist())
    order = rng.permutation(many)
    return tuple(
        Thing(kinds[order[n]], _large(kinds[order[n]], options, rng), place)
        for n, place in enumerate(places)
    )


def _large(kind: int, options: SceneOptions, rng: np.random.Generator) -> bool:
    large = bool(rng.random() < 0.5)
    if (kind, large) not in options.without:
        return large
    if (kind, not large) in options.without:
        raise BadInput(f"Kind {kind} is kept out in both sizes.", "scenes", "Leave one of them in.")
    return not large


def _canvas(
    sprites: Sprites, things: tuple[Thing, ...], noise: float, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    canvas = 0.2 + noise * rng.standard_normal((2 * CELL, 2 * CELL)).astype(np.float32)
    for thing in things:
        images = sprites.images[thing.kind]
        sprite = images[rng.integers(len(images))]
        sprite = sprite if thing.large else shrunk(sprite, SMALL)
        free = CELL - len(sprite)
        row, column = divmod(thing.place, 2)
        top = row * CELL + int(rng.integers(free + 1))
        left = column * CELL + int(rng.integers(free + 1))
        patch = canvas[top : top + len(sprite), left : left + len(sprite)]
        np.maximum(patch, sprite, out=patch)
    return (255 * canvas.clip(0, 1)).astype(np.uint8)


def shrunk(sprite: Grey, pixels: int) -> Grey:
    """(pixels, pixels) of a sprite, each the mean of the area that it covers."""
    edges = np.linspace(0, PIXELS, pixels + 1)
    grid = np.arange(PIXELS)
    low = np.maximum(edges[:-1, None], grid)
    high = np.minimum(edges[1:, None], grid + 1)
    share = np.maximum(high - low, 0) * pixels / PIXELS
    return np.asarray(share @ sprite @ share.T, np.float32)
