"""Fidelity: how like a real log a synthetic one is, and that it holds no copy of it.

Marginals are compared by total variation, half the sum of absolute differences of shares, or by the
Kolmogorov-Smirnov distance, the largest difference of two distribution functions: 0 the same, 1
nothing in common. Copies are looked for with items told apart by their place in the order of
popularity alone: the longest run of events that stands in both logs, beside the longest that a
real log shares whose users' events were shuffled, which is what chance gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import POLARITIES
from tastemaker.worlds.behaviour import Behaviour, concentrations

Floats = npt.NDArray[np.float64]
Distance = Literal["Kolmogorov-Smirnov", "total variation"]
TELLING = 5
"""Events that a history needs before its being the same in both logs says anything."""
_LONGEST = 64
"""Runs are followed no farther."""


@dataclass(frozen=True)
class Marginal:
    """One property of both logs."""

    name: str
    real: float
    """mean over users or gaps; of shares, the largest of the real log"""
    synthetic: float
    distance: float
    """0 to 1"""
    measure: Distance


@dataclass(frozen=True)
class Fidelity:
    """A synthetic log beside the real one."""

    marginals: tuple[Marginal, ...]
    shared_run: int
    """events of the longest run that stands in both"""
    shared_by_chance: int
    """the same with the events of each real user shuffled"""
    shared_histories: int
    """synthetic users with as many as `TELLING` events who have the very history of a real one"""

    def to_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        return asdict(self) | {"marginals": [asdict(one) for one in self.marginals]}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """What a terminal shows: name, real, synthetic, distance with its measure."""
        lines = [
            (one.name, f"{one.real:,.3g}", f"{one.synthetic:,.3g}",
             f"{one.distance:.3f} ({one.measure})")
            for one in self.marginals
        ]  # fmt: skip
        return [
            *lines,
            ("longest shared run", f"{self.shared_by_chance} by chance", f"{self.shared_run}", ""),
            ("histories of a real user", "", f"{self.shared_histories}", ""),
        ]


def fidelity(real: Behaviour, synthetic: Behaviour, seed: int = 0) -> Fidelity:
    """Compare two logs; the seed is of the shuffling."""
    both = (real, synthetic)
    kinds = [
        {str(name): share for name, share in zip(POLARITIES, shares, strict=True)}
        for shares in (_shares(one.by_polarity.sum(0)) for one in both)
    ]
    ranked = [
        {str(place): share for place, share in enumerate(_shares(np.sort(one.popularity)[::-1]))}
        for one in both
    ]
    again = [{"again": one.repeats, "new": 1 - one.repeats} for one in both]
    marginals = [
        _samples("events of a user", *(one.log.lengths for one in both)),
        _of_shares("polarities", *kinds),
        _samples("positive share of a user", *(_positive(one) for one in both)),
        _of_shares("items by popularity", *ranked),
        _of_shares("categories", *(one.category_shares() for one in both)),
        _samples("concentration of a user", *(concentrations(one.by_category) for one in both)),
        _of_shares("items met again", *again),
    ]
    if len(real.gaps) and len(synthetic.gaps):
        marginals.append(_samples("seconds between events", real.gaps, synthetic.gaps))
    rng = np.random.default_rng(seed)
    mixed = np.lexsort((rng.random(len(real.owners)), real.owners))
    ranks = real.ranks()
    own = (synthetic.ranks(), synthetic.owners)
    return Fidelity(
        tuple(marginals),
        longest_run((ranks, real.owners), own),
        longest_run((ranks[mixed], real.owners), own),
        _same_histories(real, synthetic),
    )


def longest_run(one: tuple[Int64s, Int64s], other: tuple[Int64s, Int64s]) -> int:
    """Length of the longest run of items that users of both logs have.

    Args:
        one: (N,) items and (N,) their users, users side by side.
        other: Likewise.
    """
    items = np.concatenate([one[0], other[0]])
    owners = np.concatenate([one[1], other[1] + one[1].max(initial=0) + 1])
    second = np.arange(len(items)) >= len(one[0])
    runs, starts = items, np.arange(len(items))
    for length in range(1, _LONGEST + 1):
        if length > 1:
            # A run is the run before it and one more event of the same user.
            able = starts + length - 1 < len(items)
            starts, runs = starts[able], runs[able]
            inside = owners[starts] == owners[starts + length - 1]
            starts, runs = starts[inside], runs[inside]
            runs = runs * (items.max(initial=0) + 1) + items[starts + length - 1]
        _, runs = np.unique(runs, return_inverse=True)
        shared = np.intersect1d(runs[~second[starts]], runs[second[starts]])
        kept = np.isin(runs, shared)
        starts, runs = starts[kept], runs[kept].astype(np.int64)
        if not len(shared):
            return length - 1
    return _LONGEST


def _same_histories(real: Behaviour, synthetic: Behaviour) -> int:
    def histories(one: Behaviour) -> list[bytes]:
        parts = np.split(one.ranks(), one.log.offsets[1:-1])
        return [part.tobytes() for part in parts if len(part) >= TELLING]

    known = set(histories(real))
    return sum(history in known for history in histories(synthetic))


def _positive(one: Behaviour) -> Floats:
    table = one.by_polarity
    return np.asarray(table[:, :2].sum(1) / np.maximum(table.sum(1), 1), np.float64)


def _shares(counts: Int64s) -> list[float]:
    shares: list[float] = (counts / max(1, counts.sum())).tolist()
    return shares


def _of_shares(name: str, real: Mapping[str, float], other: Mapping[str, float]) -> Marginal:
    apart = sum(abs(real.get(key, 0.0) - other.get(key, 0.0)) for key in {*real, *other}) / 2
    most = max(real, key=lambda key: real[key])
    return Marginal(name, real[most], other.get(most, 0.0), apart, "total variation")


def _samples(name: str, real: npt.ArrayLike, other: npt.ArrayLike) -> Marginal:
    one, two = np.asarray(real, np.float64), np.asarray(other, np.float64)
    mean, made = (float(each.mean()) if len(each) else 0.0 for each in (one, two))
    return Marginal(name, mean, made, largest_difference(one, two), "Kolmogorov-Smirnov")


def largest_difference(one: Floats, other: Floats) -> float:
    """Kolmogorov-Smirnov distance of two samples; 1 where only one has values."""
    if not len(one) or not len(other):
        return float(len(one) != len(other))
    grid = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(each), grid, "right") / len(each) for each in (one, other)]
    return float(np.abs(below[0] - below[1]).max())
