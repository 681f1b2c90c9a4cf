"""How sure are we? Bootstrap intervals, paired comparisons and verdicts (protocol §3.6–3.8).

Users are resampled, never rows or seeds: the rows of one user are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.metrics.beyond_accuracy import coverage

Floats = npt.NDArray[np.float64]
Verdict = Literal["holds", "fails", "undecided", "underpowered"]

RESAMPLES = 10_000
"""Bootstrap resamples, and flips of a permutation."""
_CELLS = 4_000_000
"""Resamples × users held at a time: 32 MB of weights."""
WIDEST = 0.05
"""Widest relative half-width at which an open question counts as undecided."""


@dataclass(frozen=True)
class Interval:
    """A mean over users with its 95 % interval."""

    mean: float
    """of the users' means over seeds"""
    ci95: tuple[float, float]
    """2.5 and 97.5 percentiles of the resampled means"""
    users: int
    """U"""
    seeds: int
    """S"""
    seed_sd: float
    """standard deviation (n − 1) of the seeds' means; 0 for one seed"""

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self) | {"ci95": list(self.ci95)}


def intervals(
    values: Mapping[str, npt.ArrayLike], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """User bootstrap of several per-user arrays with the same weights.

    Args:
        values: Name → (U,) or (S, U) values of the same users and seeds.
        seed: Of the resampling.
        resamples: B, the number of resamples.

    Returns:
        Name → mean with the 2.5 and 97.5 percentiles of B resampled means.

    Raises:
        BadInput: If there are no users, the shapes differ, or a value is not finite.
    """
    checked = {name: _by_seed(value, name) for name, value in values.items()}
    if not checked:
        return {}
    _same_shape({name: value.shape for name, value in checked.items()})
    table = np.stack([value.mean(0) for value in checked.values()], 1)
    ends = np.percentile(resampled_means(table, seed, resamples), [2.5, 97.5], axis=0)
    found = {}
    for at, (name, value) in enumerate(checked.items()):
        low, high = (float(end) for end in ends[:, at])
        sd = float(value.mean(1).std(ddof=1)) if len(value) > 1 else 0.0
        found[name] = Interval(float(table[:, at].mean()), (low, high), len(table), len(value), sd)
    return found


def interval(values: npt.ArrayLike, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """User bootstrap of one (U,) or (S, U) array."""
    return intervals({"values": values}, seed, resamples)["values"]


def resampled_means(table: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """(B, M) means of (U, M) values under B multinomial weightings of the users.

    A weight is how often a user is drawn, so one matrix product gives the resampled means of all
    columns. Drawing and counting is ten times as fast as `multinomial`. Memory is bounded.
    """
    users, rng = len(table), np.random.default_rng(seed)
    means = np.empty((resamples, table.shape[1]))
    weights = np.empty((min(resamples, max(1, _CELLS // users)), users))
    for start in range(0, resamples, len(weights)):
        stop = min(start + len(weights), resamples)
        drawn = rng.integers(0, users, (stop - start, users), dtype=np.uint32)
        for row, picks in zip(weights, drawn, strict=False):
            row[:] = np.bincount(picks, minlength=users)
        means[start:stop] = weights[: stop - start] @ table / users
    return means


def _by_seed(values: npt.ArrayLike, name: str) -> Floats:
    """(S, U), checked."""
    found = np.atleast_2d(np.asarray(values, np.float64))
    if found.ndim != 2 or not found.size:
        raise BadInput(
            f"Values of shape {found.shape} hold no users.", name, "Give (U,) or (S, U) values."
        )
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise BadInput(f"{bad:,} per-user values are not finite.", name, "Leave those users out.")
    return found


def _same_shape(shapes: Mapping[str, tuple[int, ...]]) -> None:
    if len(set(shapes.values())) > 1:
        raise BadInput(
            "The shapes (seeds, users) differ.",
            ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:4]),
            "Compare the same users and the same seeds.",
        )


@dataclass(frozen=True)
class Comparison:
    """A − B on the same users and seeds."""

    difference: float
    """mean over users of d, a user's mean over seeds of A − B"""
    ci95: tuple[float, float]
    relative: float
    """difference / mean of B; 0 where that is 0"""
    p: float
    """two-sided sign-flip permutation"""
    better: float
    equal: float
    worse: float
    """shares of users for whom A is above, equal to, below B"""
    per_seed: tuple[float, ...]
    """mean difference of each seed"""
    users: int
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

    def to_json(self) -> dict[str, Any]:
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
    left, right = _by_seed(a, "A"), _by_seed(b, "B")
    _same_shape({"A": left.shape, "B": right.shape})
    seeds = left - right
    d = seeds.mean(0)
    found = interval(d, seed, resamples)
    baseline = float(right.mean())
    return Comparison(
        found.mean,
        found.ci95,
        found.mean / baseline if baseline else 0.0,
        sign_flip(d, seed, resamples),
        float((d > 0).mean()),
        float((d == 0).mean()),
        float((d < 0).mean()),
        tuple(float(one) for one in seeds.mean(1)),
        len(d),
        baseline,
    )


def sign_flip(d: Floats, seed: int = 0, flips: int = RESAMPLES) -> float:
    """Two-sided p that |mean d| is this large when each user's sign is a coin toss."""
    moved = d[d != 0]  # the others change no sum
    if not len(moved):
        return 1.0
    rng, extreme, rows = np.random.default_rng([seed, 1]), 0, max(1, _CELLS // len(moved))
    # A hair below, so that a flip equal to the observation counts despite rounding.
    observed = abs(moved.sum()) - 1e-12 * np.abs(moved).sum()
    for start in range(0, flips, rows):
        shape = (min(rows, flips - start), len(moved))
        kept = rng.integers(0, 2, shape, dtype=np.uint8).astype(np.float64)
        extreme += int((np.abs(2 * (kept @ moved) - moved.sum()) >= observed).sum())
    return (extreme + 1) / (flips + 1)


def holm(ps: Mapping[str, float]) -> dict[str, float]:
    """Holm-corrected p values of one table."""
    highest, corrected = 0.0, {}
    for rank, (name, p) in enumerate(sorted(ps.items(), key=lambda one: one[1])):
        highest = max(highest, min(1.0, (len(ps) - rank) * p))
        corrected[name] = highest
    return {name: corrected[name] for name in ps}


def verdict(
    found: Comparison, claim: Literal["above", "below"] = "above", widest: float = WIDEST
) -> Verdict:
    """The one rule of every recipe (protocol §3.8), for three or for five paired seeds.

    `holds`: the interval excludes 0 on the claimed side and all seeds (of five or more: four in
    five) agree; `fails`: the same on the other side; else `undecided` where the half-width is at
    most `widest` of B, and `underpowered` where it is wider. Fewer than three seeds settle
    nothing, and with fewer than five an open verdict asks for five.
    """
    seeds = len(found.per_seed)
    needed = math.ceil(0.8 * seeds) if seeds >= 5 else max(3, seeds)
    low, high = found.ci95
    if (low > 0 or high < 0) and found.seeds_agreeing >= needed:
        return "holds" if (low > 0) == (claim == "above") else "fails"
    return "undecided" if found.half_width <= widest * abs(found.reference) else "underpowered"


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
    _same_shape({"lists of A": a.shape, "lists of B": b.shape})
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


def bucketed(
    values: Mapping[str, Floats], labels: npt.NDArray[np.str_], order: Sequence[str]
) -> list[dict[str, Any]]:
    """Mean and interval of each array within each bucket of users.

    Args:
        values: Model → (U,) per-user values.
        labels: (U,) bucket of each user.
        order: Buckets in the order to show; empty ones are left out.
    """
    found = []
    for bucket in order:
        within = labels == bucket
        if within.any():
            inside = {name: value[within] for name, value in values.items()}
            cells = {name: one.to_json() for name, one in intervals(inside).items()}
            found.append({"bucket": bucket, "n": int(within.sum()), "models": cells})
    return found
