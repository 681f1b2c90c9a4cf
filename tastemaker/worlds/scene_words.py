"""What is said of a scene, what is asked of it, and what a caption that was written claims.

A caption is `two : a small sneaker at top-left and a large trouser at bottom-left`. A question is
`is there a sneaker ?`; the absent things it asks for are drawn at random, or are those seen most
often, seen most often with what is there, or most like what is there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.worlds.scenes import PLACES, SIZES, Scenes, Thing

Absent = Literal["random", "popular", "adversarial", "lookalike"]
"""Which absent things are asked for."""
Floats = npt.NDArray[np.float64]
COUNTS = ("one", "two", "three", "four")


@dataclass(frozen=True)
class Question:
    """A question about one scene, that yes or no answers."""

    scene: int
    kind: int
    text: str
    yes: bool


@dataclass(frozen=True)
class Claims:
    """What a caption says."""

    count: str
    """its first word"""
    things: tuple[tuple[str, str, str], ...]
    """(size, name, place) of each thing"""


def caption(things: Sequence[Thing], names: Sequence[str]) -> str:
    """The caption of a scene."""
    said = [f"a {SIZES[t.large]} {names[t.kind]} at {PLACES[t.place]}" for t in things]
    return f"{COUNTS[len(things) - 1]} : {' and '.join(said)}"


def question(kind: int, names: Sequence[str]) -> str:
    """Whether a kind of thing is there."""
    return f"is there a {names[kind]} ?"


def claims(text: str, names: Sequence[str]) -> Claims | None:
    """What a caption says; None: it is none of this grammar."""
    count, colon, rest = text.strip().partition(" : ")
    size, name, place = ("|".join(map(re.escape, words)) for words in (SIZES, names, PLACES))
    form = re.compile(rf"a ({size}) ({name}) at ({place})")
    read = [form.fullmatch(part.strip()) for part in rest.split(" and ")]
    if not colon or count not in COUNTS or not all(read):
        return None
    return Claims(count, tuple((one[1], one[2], one[3]) for one in read if one))


def questions(scenes: Scenes, absent: Absent, each: int = 3, seed: int = 0) -> list[Question]:
    """As many questions about what is there as about what is not, scene by scene.

    Args:
        scenes: Of which at least one holds a thing.
        absent: Which absent things are asked for.
        each: Most of either of a scene; there are no more than things in it.
        seed: Of what is drawn.
    """
    names = scenes.sprites.names
    often, beside = _frequencies(scenes)
    asked = []
    for number, things in enumerate(scenes.things):
        rng = np.random.default_rng([seed, number])
        present = [thing.kind for thing in things]
        some = [int(k) for k in rng.permutation(present)[:each]]
        others = np.array([k for k in range(len(names)) if k not in present])
        rng.shuffle(others)
        if absent == "popular":
            others = others[np.argsort(-often[others], kind="stable")]
        elif absent == "adversarial":
            others = others[np.argsort(-beside[present].sum(axis=0)[others], kind="stable")]
        elif absent == "lookalike":
            alike = {scenes.sprites.lookalikes[k] for k in present}
            others = others[np.argsort([k not in alike for k in others], kind="stable")]
        pairs = zip(some, others[: len(some)].tolist(), strict=False)
        for kind, other in pairs:
            asked.append(Question(number, kind, question(kind, names), True))
            asked.append(Question(number, other, question(other, names), False))
    return asked


def _frequencies(scenes: Scenes) -> tuple[Floats, Floats]:
    """(K,) scenes that hold each kind, and (K, K) those that hold two kinds together."""
    many = len(scenes.sprites.names)
    often, beside = np.zeros(many), np.zeros((many, many))
    for things in scenes.things:
        kinds = list(Counter(thing.kind for thing in things))
        often[kinds] += 1
        beside[np.ix_(kinds, kinds)] += 1
    np.fill_diagonal(beside, 0)
    return often, beside
