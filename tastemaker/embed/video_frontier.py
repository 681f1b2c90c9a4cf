"""The best configuration for each budget, on a grid.

Every configuration that a budget pays for is predicted, and the least error wins, so the error of
the frontier never rises with the budget, nor when the grid has more points. Of those whose
difference from the best spans 0 between refits the cheapest stands first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tastemaker.embed.video_cost import Cost
from tastemaker.embed.video_forms import Floats, Places, PowerSum
from tastemaker.errors import BadInput

BAND = (0.05, 0.95)
"""Quantiles of the refits between which an interval of 90 % lies."""


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
    own = errors[:, places]
    middle = np.median(own, axis=0)
    order = np.lexsort((spent[places], middle))
    chosen = int(order[0])
    above = np.quantile(own - own[:, [chosen]], BAND[0], axis=0)
    equal = [int(p) for p in np.flatnonzero(above <= 0) if p != chosen]
    equal.sort(key=lambda p: (spent[places[p]], middle[p]))
    first, times = np.unique(own.argmin(axis=1), return_counts=True)
    low, high = np.quantile(own[:, chosen], BAND)
    return Best(
        int(places[chosen]),
        float(middle[chosen]),
        (float(low), float(high)),
        float(spent[places[chosen]]),
        tuple(int(places[p]) for p in equal),
        {int(places[p]): float(t / len(own)) for p, t in zip(first, times, strict=True)},
    )


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
