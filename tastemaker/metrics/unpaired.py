"""Is one group better than another? Differences of two groups of different users.

Each user is in one group, as in an experiment that runs, so nothing is paired and only sizes, means
and variances count. Shares have Newcombe's interval (1998, method 10: Wilson's of each group,
joined), other means Welch's.

An interval of 95 % holds for one look. `any_time` may be looked at after every user: the asymptotic
confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021, arXiv 2103.06476),

    |difference − truth| ≤ se · √( 2 (tρ² + 1) / (tρ²) · log( √(tρ² + 1) / α ) )   for all t at once

with probability 1 − α, where t users were counted and se is the standard error after them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri, stdtrit

LEVEL = 0.95
POWER = 0.8
TIGHTEST = 10_000
"""Users of both groups at which `any_time` is narrowest beside an interval of one look."""

Ends = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """What counts of one group's values."""

    users: int
    mean: float
    variance: float
    """of one user (n − 1); 0 for fewer than two"""

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Sample:
        """Of (U,) values, one a user."""
        row = np.asarray(values, np.float64)
        users = len(row)
        variance = float(row.var(ddof=1)) if users > 1 else 0.0
        return cls(users, float(row.mean()) if users else 0.0, variance)

    @property
    def of_mean(self) -> float:
        """Variance of the mean."""
        return self.variance / self.users if self.users else 0.0


def share_interval(one: Sample, level: float = LEVEL) -> Ends | None:
    """Wilson's interval of a share, of values 0 and 1; None without users."""
    if not one.users:
        return None
    z, n, p = _normal(level), one.users, one.mean
    middle, rest = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    scale = 1 + z * z / n
    return max(0.0, (middle - rest) / scale), min(1.0, (middle + rest) / scale)


def share_difference(one: Sample, other: Sample, level: float = LEVEL) -> Ends | None:
    """Newcombe's interval of one share minus another; None where a group has no users."""
    mine, theirs = share_interval(one, level), share_interval(other, level)
    if mine is None or theirs is None:
        return None
    p, q = one.mean, other.mean
    below = math.hypot(p - mine[0], theirs[1] - q)
    above = math.hypot(mine[1] - p, q - theirs[0])
    return p - q - below, p - q + above


def mean_interval(one: Sample, level: float = LEVEL) -> Ends | None:
    """Student's interval of a mean; None where the values say nothing of how they scatter."""
    nothing = Sample(2, 0.0, 0.0)  # which scatters not at all
    return mean_difference(one, nothing, level)


def mean_difference(one: Sample, other: Sample, level: float = LEVEL) -> Ends | None:
    """Welch's interval of one mean minus another; None where no value differs from another."""
    error = standard_error(one, other)
    if error is None:
        return None
    freedom = error**4 / sum(
        group.of_mean**2 / (group.users - 1) for group in (one, other) if group.variance
    )
    rest = float(stdtrit(freedom, (1 + level) / 2)) * error
    middle = one.mean - other.mean
    return middle - rest, middle + rest


def any_time(
    one: Sample, other: Sample, level: float = LEVEL, tightest: int = TIGHTEST
) -> Ends | None:
    """Interval of one mean minus another that holds at all looks together; see the module.

    Args:
        one: Group as it stands now.
        other: The group it is compared with.
        level: Share of experiments in which no look is wrong.
        tightest: Users at which it is narrowest; to be chosen before the first look.
    """
    error = standard_error(one, other)
    if error is None:
        return None
    alpha, users = 1 - level, one.users + other.users
    wide = -2 * math.log(alpha)
    scaled = users * (wide + math.log(wide + 1)) / tightest + 1  # tρ² + 1
    rest = error * math.sqrt(2 * scaled / (scaled - 1) * math.log(math.sqrt(scaled) / alpha))
    middle = one.mean - other.mean
    return middle - rest, middle + rest


def detectable(one: Sample, other: Sample, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest difference of means that so many users show with a probability of `power`.

    Infinite where nothing is known of how the values scatter.
    """
    error = standard_error(one, other)
    return math.inf if error is None else (_normal(level) + float(ndtri(power))) * error


def standard_error(one: Sample, other: Sample) -> float | None:
    """Of one mean minus another; None where there are too few users or all values are equal."""
    if min(one.users, other.users) < 2 or not (one.variance or other.variance):
        return None
    return math.sqrt(one.of_mean + other.of_mean)


def sample_ratio(users: Sequence[int], shares: Sequence[float]) -> float:
    """P of group sizes this far from what was planned (chi-square); tiny: something is broken.

    Args:
        users: Of each group.
        shares: Planned for each, in any scale.
    """
    planned = np.asarray(shares, np.float64)
    if not sum(users) or len(users) < 2 or not (planned > 0).all():
        return 1.0
    expected = planned / planned.sum() * sum(users)
    return float(chdtrc(len(users) - 1, ((np.asarray(users) - expected) ** 2 / expected).sum()))


def _normal(level: float) -> float:
    return float(ndtri((1 + level) / 2))
