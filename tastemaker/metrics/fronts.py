"""Trading one thing for another: what a family of lists reaches, as an area with an interval.

A method with a dial gives a point (x, y) for each of its settings, both better when larger. Its
front is what no other point of it beats in both, and its hypervolume the area between the front and
a fixed reference point: a single number that grows when either gets better anywhere on the dial.

The area is of means over users, so it is resampled with them (protocol §3.6): whole users are drawn
again, all points move together, and the area is measured anew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.metrics.comparisons import Difference
from tastemaker.metrics.intervals import RESAMPLES, resampled_means

Floats = npt.NDArray[np.float64]


def front(points: Floats) -> npt.NDArray[np.bool_]:
    """(n,) points of (n, 2) that no other beats: none is as good in both and better in one."""
    gaps: Floats = points[None] - points[:, None]  # (n, n, 2)
    beaten = (gaps.min(2) >= 0) & (gaps.max(2) > 0)
    return np.asarray(~beaten.any(1), bool)


def hypervolume(points: Floats, reference: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Area that (..., n, 2) points dominate above a reference point: (...).

    A point below the reference in either coordinate adds nothing.
    """
    above = np.maximum(points - np.asarray(reference), 0.0)
    order = np.argsort(-above[..., 0], axis=-1)
    x, y = (np.take_along_axis(above[..., axis], order, -1) for axis in (0, 1))
    # From the largest x down, each step is as high as the best y so far.
    widths = x - np.concatenate([x[..., 1:], np.zeros_like(x[..., :1])], -1)
    area: Floats = (widths * np.maximum.accumulate(y, -1)).sum(-1)
    return area


def compare_fronts(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    reference: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """Difference of two hypervolumes, each the mean over seeds of that of its points.

    Args:
        a: (S, n, 2, U) values of each seed, point and coordinate for the same users.
        b: (S, m, 2, U) likewise; the points may be fewer or more.
        reference: What the areas stand on.
        seed: Of the resampling.
        resamples: Of the users.

    Raises:
        BadInput: If users or seeds differ, or a value is not finite.
    """
    left, right = (np.asarray(one, np.float64) for one in (a, b))
    if left.ndim != 4 or left[:, :0].shape != right[:, :0].shape or left.shape[2] != 2:
        what = f"Points of shapes {left.shape} and {right.shape}."
        fix = "Give (seeds, points, 2, users) of the same seeds and users."
        raise BadInput(what, "fronts", fix)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise BadInput("A value is not finite.", "fronts", "Leave those users out.")

    def areas(points: Floats) -> Floats:
        return hypervolume(points.mean(-1), reference)  # (S,)

    per_seed = areas(left) - areas(right)
    drawn = _resampled(left, reference, seed, resamples)
    drawn = drawn - _resampled(right, reference, seed, resamples)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Difference(
        difference=float(per_seed.mean()),
        ci95=(float(low), float(high)),
        per_seed=tuple(map(float, per_seed)),
        reference=float(areas(right).mean()),
    )


def _resampled(points: Floats, reference: tuple[float, float], seed: int, times: int) -> Floats:
    """(B,) hypervolumes, means over seeds, of B resampled sets of users."""
    seeds, count, _, users = points.shape
    means = resampled_means(points.reshape(-1, users).T, seed, times)
    drawn: Floats = hypervolume(means.reshape(times, seeds, count, 2), reference).mean(1)
    return drawn
