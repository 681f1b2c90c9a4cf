"""Prompts with a known answer, on which a model's votes are right, wrong, or say nothing.

A third of the prompts is *consistent* (the correct answer has most of the votes), a third
*spurious* (a wrong one has somewhat more than the correct), a third *hopeless* (all have as many).
Every prompt needs one of a few skills and tempts with one of a few misconceptions: what is learnt
of a skill on prompts of one kind helps those of the others, and so with misconceptions. So a rule
that follows the majority is right on the first kind and misled on the second, and what becomes of
the third shows which of the two was learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput

Kind = Literal["consistent", "spurious", "hopeless"]
KINDS: tuple[Kind, ...] = ("consistent", "spurious", "hopeless")


@dataclass(frozen=True)
class VoterOptions:
    """Sizes of the world, and how sure the untrained model is."""

    prompts: int = 90
    """to learn from; as many are held out"""
    answers: int = 12
    """candidates of a prompt"""
    traits: int = 10
    """skills, and as many misconceptions; the more, the less prompts have in common"""
    consistent: float = 0.6
    """chance of the correct answer on a consistent prompt"""
    misled: float = 0.45
    """of the wrong one on a spurious prompt"""
    known: float = 0.35
    """of the correct one there"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a world without one of its kinds."""
        if self.prompts < len(KINDS) or self.answers < 3 or self.traits < 1:
            what = f"{self.prompts} prompts, {self.answers} answers and {self.traits} traits."
            raise BadInput(what, "voters", "Give at least 3 prompts, 3 answers and 1 trait.")
        chances = (self.consistent, self.misled, self.known)
        if min(chances) <= 0 or self.consistent >= 1 or self.misled + self.known >= 1:
            what = f"The chances {chances} leave nothing for other answers."
            raise BadInput(what, "voters", "Give chances above 0 whose sum on a prompt is below 1.")


@dataclass(frozen=True)
class Voters:
    """P prompts to learn from, then as many held out, with A candidate answers each."""

    chances: npt.NDArray[np.float64]
    """(2P, A) of the untrained model's answers"""
    correct: npt.NDArray[np.int64]
    """(2P,) the right answer; for measuring alone"""
    tempting: npt.NDArray[np.int64]
    """(2P,) the wrong answer of the misconception"""
    kinds: npt.NDArray[np.int64]
    """(2P,) places in `KINDS`"""
    features: npt.NDArray[np.float64]
    """(2P, A, 2 traits): 1 at the correct answer's skill and at the tempting one's misconception"""

    @property
    def prompts(self) -> int:
        """Prompts to learn from, P."""
        return len(self.correct) // 2

    def of_kind(self, kind: Kind) -> npt.NDArray[np.bool_]:
        """(P,) which of the prompts to learn from are of that kind."""
        of: npt.NDArray[np.bool_] = self.kinds[: self.prompts] == KINDS.index(kind)
        return of


def voters(options: VoterOptions) -> Voters:
    """Make the world of a seed."""
    rng, of = np.random.default_rng(options.seed), options
    total, rows = 2 * of.prompts, np.arange(2 * of.prompts)
    kinds = np.tile(np.arange(of.prompts) % len(KINDS), 2)
    places = rng.permuted(np.tile(np.arange(of.answers), (total, 1)), axis=1)
    correct, tempting = places[:, 0], places[:, 1]
    skills, misconceptions = rng.integers(of.traits, size=(2, total))
    features = np.zeros((total, of.answers, 2 * of.traits))
    features[rows, correct, skills] = 1
    features[rows, tempting, of.traits + misconceptions] = 1
    chances = np.full((total, of.answers), 1 / of.answers)
    consistent, spurious = (kinds == place for place in (0, 1))
    chances[consistent] = (1 - of.consistent) / (of.answers - 1)
    chances[spurious] = (1 - of.misled - of.known) / (of.answers - 2)
    chances[rows[consistent], correct[consistent]] = of.consistent
    chances[rows[spurious], correct[spurious]] = of.known
    chances[rows[spurious], tempting[spurious]] = of.misled
    return Voters(chances, correct, tempting, kinds, features)
