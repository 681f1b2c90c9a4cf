"""How well evidence agrees with what users answered: shares, kappa and rank correlation.

Of n pairs of user and interest, with a the share where verdict and answer are the same,

    kappa = (a − e) / (1 − e)    e = chance agreement: Σ over yes and no of both sides' shares
    rho   = Pearson correlation of the ranks of evidence and answer, ties at their mean rank

The user is the cluster: users are resampled, with all their pairs. Ranks are those of all pairs and
are not made anew in a resample. What a resample does not define, such as a precision where nothing
is verified, is left out of its interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tastemaker.metrics.intervals import resampled_means

Floats = npt.NDArray[np.float64]
RESAMPLES = 2_000
"""Bootstrap resamples."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval over users."""

    value: float
    ci95: tuple[float, float]
    users: int
    """users that it rests on"""

    def to_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        return asdict(self) | {"ci95": list(self.ci95)}


@dataclass(frozen=True)
class Pairs:
    """Pairs of user and interest that were both asked about and can be looked up."""

    users: npt.NDArray[np.int64]
    """(n,) number of the user, from 0"""
    evidence: Floats
    """(n,) how much evidence the interest has; above 0: it is verified"""
    answers: Floats
    """(n,) what the user answered"""
    yes: npt.NDArray[np.bool_]
    """(n,) whether that is a yes"""


NAMES = ("agreement", "precision", "recall", "kappa", "rank_correlation", "within_users")
"""Measures, as tables show them."""
Measure = Callable[[Floats], Floats]
"""(B, M) means of M columns → (B,) the measure; NaN where it is not defined."""


def agreement(
    pairs: Pairs, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate | None]:
    """Every measure of `NAMES`; None where the pairs do not define it.

    `precision` is the share of yes among answers about verified interests, `recall` the share of
    verified interests among those answered yes; `within_users` is the mean of the users' own rank
    correlations, over users with different answers and different evidence.
    """
    verified = pairs.evidence > 0
    both, neither = verified & pairs.yes, ~verified & ~pairs.yes
    cells = np.stack([both, verified & ~pairs.yes, ~verified & pairs.yes, neither], 1)
    table = _by_user(pairs.users, cells.astype(np.float64))
    x, y = (_ranks(side) for side in (pairs.evidence, pairs.answers))
    moments = _by_user(pairs.users, np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], 1))
    measures: dict[str, tuple[Floats, Measure]] = {
        "agreement": (table, lambda m: _share(m[:, 0] + m[:, 3], m.sum(1))),
        "precision": (table, lambda m: _share(m[:, 0], m[:, 0] + m[:, 1])),
        "recall": (table, lambda m: _share(m[:, 0], m[:, 0] + m[:, 2])),
        "kappa": (table, _kappa),
        "rank_correlation": (moments, _pearson),
        "within_users": (_within(pairs), lambda m: m[:, 0]),
    }
    return {
        name: _estimate(rows, measure, resamples, seed)
        for name, (rows, measure) in measures.items()
    }


def _estimate(table: Floats, measure: Measure, resamples: int, seed: int) -> Estimate | None:
    """A measure of the means of (U, M) sums, with its interval."""
    if not len(table):
        return None
    value = float(measure(table.mean(0, keepdims=True))[0])
    if not np.isfinite(value):
        return None
    drawn = measure(resampled_means(table, seed, resamples))
    low, high = np.percentile(drawn[np.isfinite(drawn)], [2.5, 97.5])
    return Estimate(value, (float(low), float(high)), len(table))


def _by_user(users: npt.NDArray[np.int64], rows: Floats) -> Floats:
    """(U, M) sums of each user's (n, M) rows."""
    sums = np.zeros((int(users.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, users, rows)
    return sums


def _ranks(values: Floats) -> Floats:
    """Ranks about 0, in units of their spread, small whatever their number."""
    ranks = np.asarray(rankdata(values), np.float64)
    return np.asarray((ranks - ranks.mean()) / max(1, len(ranks)), np.float64)


def _within(pairs: Pairs) -> Floats:
    """(U', 1) rank correlation of each user for whom there is one."""
    found = []
    for user in range(int(pairs.users.max(initial=-1)) + 1):
        own = pairs.users == user
        x, y = (_ranks(side[own]) for side in (pairs.evidence, pairs.answers))
        if x.any() and y.any():
            found.append(float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())))
    return np.array(found, np.float64).reshape(-1, 1)


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=whole > 1e-12)
    return share


def _kappa(m: Floats) -> Floats:
    total = m.sum(1)
    same = _share(m[:, 0] + m[:, 3], total)
    chance = _share(
        (m[:, 0] + m[:, 1]) * (m[:, 0] + m[:, 2]) + (m[:, 2] + m[:, 3]) * (m[:, 1] + m[:, 3]),
        total**2,
    )
    return _share(same - chance, 1 - chance)


def _pearson(m: Floats) -> Floats:
    n, x, y, xx, yy, xy = m.T
    spread = np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0)
    return _share(n * xy - x * y, np.sqrt(spread))
