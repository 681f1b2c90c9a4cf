"""The best configuration for each budget, on a grid.

Every configuration that a budget pays for is predicted, and the least error wins, so the error of
the frontier never rises with the budget, nor when the grid has more points. Of those whose
difference from the best spans 0 between refits the cheapest stands first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.embed.video_cost import Cost
from tastemaker.embed.video_forms import Floats, Places, PowerSum
from tastemaker.errors import BadInput

BAND = (0.05, 0.95)
"""Quantiles of the refits between which an interval of 90 % lies."""
_BLOCK = 8192
"""Configurations that are compared at a time."""


@dataclass(frozen=True, eq=False)
class Best:
    """What is best for one budget; places are rows of the grid."""

    place: int
    error: float
    """median over refits"""
    band: tuple[float, float]
    flops: float
    ties: tuple[int, ...]
    """others that may be as good, the cheapest first"""
    chances: dict[int, float]
    """place → share of refits in which it is the best, of all that ever are"""


def grid_of(parameters: object, frames: object, tokens: object) -> Floats:
    """(G, 3) every combination of sizes, frames and tokens."""
    axes = [np.unique(np.asarray(axis, np.float64)) for axis in (parameters, frames, tokens)]
    made: Floats = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return made


def affordable(spent: Floats, budget: float, grid: Floats) -> Places:
    """Places of the grid that a budget pays for.

    Raises:
        BadInput: If it pays for none; says what the smallest costs.
    """
    places = np.flatnonzero(spent <= budget * (1 + 1e-12))
    if not len(places):
        cheapest = int(spent.argmin())
        n, t, v = grid[cheapest]
        what = (
            f"{budget:.4g} FLOPs pay for no configuration: the smallest, {n:.4g} parameters, "
            f"{t:g} frames of {v:g} tokens, costs {spent[cheapest]:.4g}."
        )
        raise BadInput(what, "--flops", f"Give at least {spent[cheapest]:.4g}, or a finer grid.")
    return places


def naive(places: Places, grid: Floats) -> int:
    """Place of the largest model of some configurations, and of those the one of the most frames.

    Args:
        places: Such as those that a budget pays for.
        grid: (G, 3) configurations.
    """
    return int(places[np.lexsort(grid[places].T[::-1])[-1]])


def best(errors: Floats, spent: Floats, budget: float, grid: Floats) -> Best:
    """The best that a budget pays for.

    Args:
        errors: (R, G) of each refit and configuration.
        spent: (G,) FLOPs.
        budget: FLOPs.
        grid: (G, 3) configurations.

    Raises:
        BadInput: If the budget pays for none.
    """
    places = affordable(spent, budget, grid)
    places = places[np.argsort(spent[places], kind="stable")]  # of equals the cheapest is first
    middle = np.concatenate([np.median(errors[:, some], axis=0) for some in _blocks(places)])
    chosen = int(middle.argmin())
    own = errors[:, [places[chosen]]]
    equal = [
        int(place)
        for some in _blocks(places)
        for place in some[_reach(errors[:, some] - own)]
        if place != places[chosen]
    ]
    row = dict(zip(places.tolist(), middle.tolist(), strict=True)) if equal else {}
    equal.sort(key=lambda place: (spent[place], row[place]))
    firsts = [some[errors[:, some].argmin(axis=1)] for some in _blocks(places)]
    least = np.stack([errors[np.arange(len(own)), first] for first in firsts]).argmin(axis=0)
    first, times = np.unique(np.stack(firsts)[least, np.arange(len(own))], return_counts=True)
    low, high = np.quantile(own, BAND)
    return Best(
        int(places[chosen]),
        float(middle[chosen]),
        (float(low), float(high)),
        float(spent[places[chosen]]),
        tuple(equal),
        {int(p): float(t / len(own)) for p, t in zip(first, times, strict=True)},
    )


def _blocks(places: Places) -> list[Places]:
    """Places in parts, so that a grid of any size takes little memory beside its errors."""
    return np.array_split(places, -(-len(places) // _BLOCK))


def _reach(above: Floats) -> npt.NDArray[np.bool_]:
    """(G,) of (R, G) differences: whether the lower end of their interval is at 0 or below."""
    reach: npt.NDArray[np.bool_] = above.min(axis=0) <= 0
    reach[reach] = np.quantile(above[:, reach], BAND[0], axis=0) <= 0
    return reach


def frontier(
    law: PowerSum, cost: Cost, grid: Floats, budgets: Floats, n: float
) -> tuple[Best, ...]:
    """The best of a grid for each budget.

    Args:
        law: R refits of an error.
        cost: Of a configuration.
        grid: (G, 3) configurations.
        budgets: FLOPs of one video.
        n: Fine-tuning examples.

    Raises:
        BadInput: If a budget pays for no configuration.
    """
    errors, spent = law(grid, n), cost.flops(grid)
    return tuple(best(errors, spent, float(budget), grid) for budget in budgets)


def nearest(spent: Floats, budget: float) -> tuple[int | None, int | None]:
    """Places of the dearest configuration that a budget pays for, and of the next dearer one."""
    order = np.argsort(spent, kind="stable")
    paid = int(np.searchsorted(spent[order], budget * (1 + 1e-12), side="right"))
    below = int(order[paid - 1]) if paid else None
    return below, int(order[paid]) if paid < len(order) else None
