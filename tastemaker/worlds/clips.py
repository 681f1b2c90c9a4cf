"""Clips: things that come, move and go, of which everything is known, and questions about them.

A clip has four places, and a thing moves within one of them: a kind, a size, and from when to when
it is there; all things of a clip go the same way. What is asked needs different things of a model:
`what` the small one is needs tokens, `how many` and `direction` need frames, `order` needs both.
The last word of a question tells its kind: that is where a small model reads the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.worlds.scenes import CELL, PLACES, shrunk
from tastemaker.worlds.sprites import Sprites

Kind = Literal["what", "how many", "order", "direction"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NEEDS: dict[Kind, str] = {
    "what": "detail", "how many": "time", "order": "both", "direction": "time",
}  # fmt: skip
"""What each kind of question cannot do without."""
DIRECTIONS = ("left", "right", "up", "down")
_STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
"""(rows, columns) of each."""
COUNTS = ("one", "two", "three")
SMALL, LARGE = 11, 20
"""Pixels of a thing."""
TRAVEL = 12
"""Pixels that it moves from when it comes to when it goes."""
_STAYS, _APART = 0.35, 0.2
"""Least part of the clip that a thing is there, and between the first two that come."""


@dataclass(frozen=True)
class Moving:
    """One thing of a clip."""

    kind: int
    """which of the sprites' names"""
    large: bool
    place: int
    """which of `PLACES`"""
    start: tuple[int, int]
    """row and column of its top left corner when it comes"""
    direction: int
    """which of `DIRECTIONS`"""
    comes: int
    """first frame that it is in"""
    goes: int
    """first frame that it is no longer in"""


@dataclass(frozen=True)
class ClipOptions:
    """What clips hold."""

    clips: int = 1000
    frames: int = 16
    noise: float = 0.08
    """deviation of the canvas's grey, of 1"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no clip."""
        if self.clips < 1 or self.frames < 8 or not 0 <= self.noise <= 1:
            fix = "Give 1 or more clips of 8 or more frames, and a noise from 0 to 1."
            raise BadInput("These options make no clip.", "clips", fix)


@dataclass(frozen=True, eq=False)
class Clips:
    """Films and what is in them."""

    frames: npt.NDArray[np.uint8]
    """(N, F, 64, 64)"""
    things: tuple[tuple[Moving, ...], ...]
    """(N,) of each clip, in the order in which they come"""
    names: tuple[str, ...]
    """(K,) what each kind is called"""

    def __len__(self) -> int:
        return len(self.things)


@dataclass(frozen=True)
class Asked:
    """A question about one clip."""

    clip: int
    kind: Kind
    text: str
    """words with a space between them"""
    answer: str
    """one of `answers`"""


def answers(names: Sequence[str]) -> tuple[str, ...]:
    """Everything that may be an answer."""
    return (*names, *COUNTS, *DIRECTIONS)


def corner_at(thing: Moving, frame: int) -> tuple[int, int]:
    """Row and column of its top left corner in one of the frames that it is in."""
    done = (frame - thing.comes) / max(1, thing.goes - thing.comes - 1)
    (top, left), (down, right) = thing.start, _STEPS[thing.direction]
    return top + round(done * TRAVEL * down), left + round(done * TRAVEL * right)


def clips(sprites: Sprites, options: ClipOptions) -> Clips:
    """Draw clips; each is a function of the seed and its number, however many are drawn."""
    size = (options.clips, options.frames, 2 * CELL, 2 * CELL)
    drawn, known = np.empty(size, np.uint8), []
    for number in range(options.clips):
        rng = np.random.default_rng([options.seed, number])
        things = _things(len(sprites.names), options.frames, rng)
        known.append(things)
        drawn[number] = _film(sprites, things, options, rng)
    return Clips(drawn, tuple(known), sprites.names)


def _things(kinds: int, frames: int, rng: np.random.Generator) -> tuple[Moving, ...]:
    """One to three things of different kinds and places, of which exactly one is small."""
    many = int(rng.integers(1, len(COUNTS) + 1))
    which, places = rng.permutation(kinds)[:many], rng.permutation(len(PLACES))[:many]
    way, small = int(rng.integers(len(DIRECTIONS))), int(rng.integers(many))
    stays, apart = round(frames * _STAYS), round(frames * _APART)
    comes = [0, *(apart + rng.integers(frames - stays - apart + 1, size=many - 1))]
    made = []
    for k in range(many):
        goes = int(rng.integers(comes[k] + stays, frames + 1))
        start = _start(int(places[k]), way, LARGE if k != small else SMALL, rng)
        about = (int(which[k]), k != small, int(places[k]), start, way)
        made.append(Moving(*about, int(comes[k]), goes))
    return tuple(sorted(made, key=lambda thing: thing.comes))


def _start(place: int, way: int, size: int, rng: np.random.Generator) -> tuple[int, int]:
    """A corner from which a thing stays within its place, wherever it goes."""
    steps = _STEPS[way]
    free = [CELL - size - TRAVEL * abs(step) for step in steps]
    inside = [int(rng.integers(f + 1)) + TRAVEL * (s < 0) for f, s in zip(free, steps, strict=True)]
    row, column = divmod(place, 2)
    return row * CELL + inside[0], column * CELL + inside[1]


def _film(
    sprites: Sprites, things: Sequence[Moving], options: ClipOptions, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    size = (options.frames, 2 * CELL, 2 * CELL)
    film = 0.2 + options.noise * rng.standard_normal(size).astype(np.float32)
    for thing in things:
        images = sprites.images[thing.kind]
        sprite = shrunk(images[rng.integers(len(images))], LARGE if thing.large else SMALL)
        for frame in range(thing.comes, thing.goes):
            top, left = corner_at(thing, frame)
            patch = film[frame, top : top + len(sprite), left : left + len(sprite)]
            np.maximum(patch, sprite, out=patch)
    return (255 * film.clip(0, 1)).astype(np.uint8)


def questions(made: Clips, kinds: Sequence[Kind] = KINDS) -> list[Asked]:
    """One question of each kind about every clip that has an answer to it, clip by clip.

    Of a single thing it is not asked what came first.
    """
    asked = []
    for number, things in enumerate(made.things):
        for kind in kinds:
            if kind != "order" or len(things) > 1:
                asked.append(Asked(number, kind, *_asked(kind, things, made.names)))
    return asked


def _asked(kind: Kind, things: Sequence[Moving], names: Sequence[str]) -> tuple[str, str]:
    """Text and answer."""
    if kind == "what":
        small = next(thing for thing in things if not thing.large)
        return "what is small", names[small.kind]
    if kind == "how many":
        return "how many things", COUNTS[len(things) - 1]
    if kind == "order":
        return "what came first", names[things[0].kind]
    return "where do things go", DIRECTIONS[things[0].direction]


def chance(asked: Sequence[Asked]) -> dict[Kind, float]:
    """Kind of question → share of right answers of always giving the most frequent one."""
    shares: dict[Kind, float] = {}
    for kind in KINDS:
        given = [one.answer for one in asked if one.kind == kind]
        if given:
            shares[kind] = max(map(given.count, set(given))) / len(given)
    return shares
