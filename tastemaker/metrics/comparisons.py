"""Is A better than B? Paired comparisons, permutations and verdicts (protocol §3.7–3.8).

Both are compared on the same users and seeds, so that what is hard for all takes no part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.metrics.beyond_accuracy import coverage
from tastemaker.metrics.intervals import CELLS, RESAMPLES, Floats, by_seed, interval, same_shape

Verdict = Literal["holds", "fails", "undecided", "underpowered"]

WIDEST = 0.05
"""Widest relative half-width at which an open question counts as undecided."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A − B in anything that seeds and resampled users give a value of."""

    difference: float
    """mean over seeds; of a comparison also over users"""
    ci95: tuple[float, float]
    per_seed: tuple[float, ...]
    """difference of each seed"""
    reference: float
    """mean of B"""

    @property
    def seeds_agreeing(self) -> int:
        """Seeds whose difference has the sign of the mean one; 0 if that is 0."""
        same = np.sign(self.per_seed) == np.sign(self.difference)
        return int(same.sum()) if self.difference else 0

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.ci95[1] - self.ci95[0]) / 2


@dataclass(frozen=True, kw_only=True)
class Comparison(Difference):
    """A − B on the same users and seeds: the mean of d, a user's mean over seeds of A − B."""

    relative: float
    """difference / mean of B; 0 where that is 0"""
    p: float
    """two-sided sign-flip permutation"""
    better: float
    equal: float
    worse: float
    """shares of users for whom A is above, equal to, below B"""
    users: int

    def to_json(self) -> dict[str, object]:
        """All fields and properties as JSON values."""
        return asdict(self) | {
            "ci95": list(self.ci95),
            "per_seed": list(self.per_seed),
            "seeds_agreeing": self.seeds_agreeing,
            "half_width": self.half_width,
        }


def compare(
    a: npt.ArrayLike, b: npt.ArrayLike, seed: int = 0, resamples: int = RESAMPLES
) -> Comparison:
    """Paired comparison.

    Args:
        a: (S, U) or (U,) per-user values of S seeds.
        b: The same users and seeds.
        seed: Of the resampling.
        resamples: Of the bootstrap and of the permutation.

    Raises:
        BadInput: If the shapes differ, there are no users, or a value is not finite.
    """
    left, right = by_seed(a, "A"), by_seed(b, "B")
    same_shape({"A": left.shape, "B": right.shape})
    seeds = left - right
    d = seeds.mean(0)
    whole = interval(d, seed, resamples)
    baseline = float(right.mean())
    return Comparison(
        difference=whole.mean,
        ci95=whole.ci95,
        relative=whole.mean / baseline if baseline else 0.0,
        p=sign_flip(d, seed, resamples),
        better=float((d > 0).mean()),
        equal=float((d == 0).mean()),
        worse=float((d < 0).mean()),
        per_seed=tuple(float(mean) for mean in seeds.mean(1)),
        users=len(d),
        reference=baseline,
    )


def sign_flip(d: Floats, seed: int = 0, flips: int = RESAMPLES) -> float:
    """Two-sided p that |mean d| is this large when each user's sign is a coin toss."""
    moved = d[d != 0]  # the others change no sum
    if not len(moved):
        return 1.0
    rng, extreme, rows = np.random.default_rng([seed, 1]), 0, max(1, CELLS // len(moved))
    # A hair below, so that a flip equal to the observation counts despite rounding.
    observed = abs(moved.sum()) - 1e-12 * np.abs(moved).sum()
    for start in range(0, flips, rows):
        shape = (min(rows, flips - start), len(moved))
        signs = rng.integers(0, 2, shape, dtype=np.uint8).astype(np.float64)
        extreme += int((np.abs(2 * (signs @ moved) - moved.sum()) >= observed).sum())
    return (extreme + 1) / (flips + 1)


def holm(ps: Mapping[str, float]) -> dict[str, float]:
    """Holm-corrected p values of one table."""
    highest, corrected = 0.0, {}
    for rank, (name, p) in enumerate(sorted(ps.items(), key=lambda named: named[1])):
        highest = max(highest, min(1.0, (len(ps) - rank) * p))
        corrected[name] = highest
    return {name: corrected[name] for name in ps}


def verdict(
    pair: Difference, claim: Literal["above", "below"] = "above", widest: float = WIDEST
) -> Verdict:
    """The one rule of every recipe (protocol §3.8), for three or for five paired seeds.

    `holds`: the interval excludes 0 on the claimed side and all seeds (of five or more: four in
    five) agree; `fails`: the same on the other side; else `undecided` where the half-width is at
    most `widest` of B, and `underpowered` where it is wider. Fewer than three seeds settle
    nothing, and with fewer than five an open verdict asks for five.
    """
    seeds = len(pair.per_seed)
    needed = math.ceil(0.8 * seeds) if seeds >= 5 else max(3, seeds)
    low, high = pair.ci95
    if (low > 0 or high < 0) and pair.seeds_agreeing >= needed:
        return "holds" if (low > 0) == (claim == "above") else "fails"
    return "undecided" if pair.half_width <= widest * abs(pair.reference) else "underpowered"


def coverage_permutation(
    a: npt.NDArray[np.int32],
    b: npt.NDArray[np.int32],
    num_items: int,
    flips: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Difference in coverage of two sets of lists (U, k), and its p when users swap A and B.

    64 flips at a time: each user draws a word whose bits are 64 tosses, and an item is covered in
    those flips where the words of its users, joined by "or", have a 1.
    """
    same_shape({"lists of A": a.shape, "lists of B": b.shape})
    observed = coverage(a, num_items) - coverage(b, num_items)
    both = np.concatenate([a.ravel(), b.ravel()])
    order = np.argsort(both, kind="stable")
    # Padding sorts first and starts no segment, so it is never counted.
    starts = np.flatnonzero(np.diff(both[order], prepend=0))
    entries_of_a = order < a.size
    users = order % a.size // a.shape[1]
    rng, gaps = np.random.default_rng(seed), []
    for _ in range(0, flips, 64):
        words = rng.integers(0, 2**64, len(a), dtype=np.uint64)[users]
        words = np.where(entries_of_a, words, ~words)
        gaps.append(_covered(words, starts) - _covered(~words, starts))
    apart = np.abs(np.concatenate(gaps)[:flips])
    extreme = int((apart >= round(abs(observed) * num_items)).sum())
    return observed, (extreme + 1) / (flips + 1)


def _covered(words: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64]) -> Floats:
    """(64,) items covered in each flip; `starts` is where each item's words begin."""
    joined = np.bitwise_or.reduceat(words, starts) if len(starts) else words[:0]
    bits = np.unpackbits(joined.view(np.uint8).reshape(-1, 8), axis=1)
    covered: Floats = bits.sum(0, dtype=np.float64)
    return covered
