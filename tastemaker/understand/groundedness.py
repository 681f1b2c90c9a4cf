"""Groundedness (IG): does cited evidence support an interest, and were a user's interests found?

Paper: GISTBench: Evaluating LLM User Understanding via Evidence-Based Interest Verification
(arXiv 2603.29112). Of interest j, F_j are the cited items that are relevant, n(T) the distinct ones
among them that the user saw with polarity T. The interest is verified iff F_j is not empty and

    n(I-) ≤ 3  and  n(E-) ≤ 2  and  [ n(I+) ≥ 3  or  n(E+) ≥ 2  or  (n(E+) ≥ 1 and n(I+) ≥ 2) ]

where what names a polarity that the data set lacks is dropped. With C the categories predicted, n_c
the interests in category c, and O the categories that the user is known to have,

    G_c  = verified_c / n_c
    IG_P = Σ_c G_c / |C|        IG_R = Σ_c G_c / |O|        IG_F1 = 2 IG_P IG_R / (IG_P + IG_R)

In `reference` mode IG_R sums over all of C, so that it can exceed 1 with an oracle that knows less;
in `strict` mode it sums over C ∩ O and is at most 1, and the raw number stands beside it.

Left out: who decides what is relevant; a judge does, or the truth of a planted world.
Checked: the table of the predicate, and the golden vectors of both modes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.understand.interests import Mode

Category = Hashable
"""What interests are grouped by: a number of a taxonomy, or the name of the interest itself."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """How much evidence verifies an interest."""

    implicit_positive: int = 3
    """items that are enough alone"""
    explicit_positive: int = 2
    """items that are enough alone"""
    both_explicit: int = 1
    """explicitly positive items that are enough with `both_implicit`"""
    both_implicit: int = 2
    """implicitly positive items that are enough with `both_explicit`"""
    most_implicit_negative: int = 3
    """items beyond which nothing is verified"""
    most_explicit_negative: int = 2
    """items beyond which nothing is verified"""

    def enough(self, kinds: Collection[Polarity]) -> list[dict[Polarity, int]]:
        """Least numbers by polarity, any one of which is enough, in a data set that has `kinds`."""
        arms: list[dict[Polarity, int]] = [
            {"implicit_positive": self.implicit_positive},
            {"explicit_positive": self.explicit_positive},
            {"explicit_positive": self.both_explicit, "implicit_positive": self.both_implicit},
        ]
        return [arm for arm in arms if all(kind in kinds for kind in arm)]

    def limits(self, kinds: Collection[Polarity]) -> dict[Polarity, int]:
        """Greatest number by negative polarity, in a data set that has `kinds`."""
        most: dict[Polarity, int] = {
            "implicit_negative": self.most_implicit_negative,
            "explicit_negative": self.most_explicit_negative,
        }
        return {kind: number for kind, number in most.items() if kind in kinds}

    def requirements(self, kinds: Collection[Polarity]) -> list[str]:
        """The same as sentences, for a prompt that tells a model how it will be checked."""
        ways = [
            " and ".join(f"at least {number} {kind} items" for kind, number in arm.items())
            for arm in self.enough(kinds)
        ]
        limits = self.limits(kinds).items()
        return [
            "Each interest cites " + ", or ".join(ways) + ".",
            *(f"Each interest cites at most {number} {kind} items." for kind, number in limits),
        ]


def verified(
    counts: Int64s, kinds: Collection[Polarity], thresholds: Thresholds | None = None
) -> npt.NDArray[np.bool_]:
    """Whether interests with these counts of distinct relevant items are verified.

    Args:
        counts: (…, 4) n(T) of each interest over F_j, in the order of `POLARITIES`; all zeros
            where F_j is empty.
        kinds: Polarities that the data set has; counts of others are not looked at.
        thresholds: Default: those of the paper.

    Returns:
        (…) bool.
    """
    thresholds = thresholds or Thresholds()
    number = {kind: counts[..., column] for column, kind in enumerate(POLARITIES)}
    enough = np.zeros(counts.shape[:-1], bool)
    for arm in thresholds.enough(kinds):
        enough |= np.logical_and.reduce([number[kind] >= least for kind, least in arm.items()])
    for kind, most in thresholds.limits(kinds).items():
        enough &= number[kind] <= most
    there: npt.NDArray[np.bool_] = counts.sum(-1) > 0
    return enough & there


@dataclass(frozen=True)
class Groundedness:
    """IG of one user."""

    precision: float
    """IG_P, 0 to 1"""
    recall: float
    """IG_R"""
    raw_recall: float
    """IG_R as the reference counts it, which may exceed 1"""
    f1: float
    """IG_F1 of precision and recall"""


def shares_verified(
    categories: Sequence[Category], checked: Sequence[bool]
) -> dict[Category, float]:
    """G_c of each predicted category: the share of its interests that are verified."""
    verdicts: dict[Category, list[bool]] = {}
    for category, verdict in zip(categories, checked, strict=True):
        verdicts.setdefault(category, []).append(bool(verdict))
    return {category: sum(each) / len(each) for category, each in verdicts.items()}


def groundedness(
    categories: Sequence[Category],
    checked: Sequence[bool],
    known: Collection[Category] | int,
    mode: Mode = "strict",
) -> Groundedness:
    """IG_P, IG_R and IG_F1 of one user.

    Args:
        categories: (J,) c(j) of each interest predicted.
        checked: (J,) whether it is verified.
        known: O, the categories that the user is known to have, or only how many; without any
            recall is 0.
        mode: How recall is counted.
    """
    shares = shares_verified(categories, checked)
    total, many = sum(shares.values()), known if isinstance(known, int) else len(set(known))
    precision = total / len(shares) if shares else 0.0
    raw = total / many if many else 0.0
    recall = raw
    if mode == "strict":
        both = total if isinstance(known, int) else sum(shares.get(one, 0.0) for one in set(known))
        recall = min(both / many, 1.0) if many else 0.0
    return Groundedness(precision, recall, raw, harmonic(precision, recall))


def harmonic(one: float, other: float) -> float:
    """Harmonic mean of two numbers that are not negative; 0 where both are 0."""
    return 2 * one * other / (one + other) if one + other else 0.0
