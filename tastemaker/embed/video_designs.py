"""Which runs to make: a star around a centre, or configurations that cost the same.

The grid is that of the paper. With its own constants of cost, no point of it costs 2 TFLOPs, though
that is one of its budgets: grid, constants and budgets are parameters here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tastemaker.embed.video_cost import Cost
from tastemaker.embed.video_forms import Floats
from tastemaker.embed.video_frontier import grid_of
from tastemaker.errors import BadInput

PARAMETERS, FRAMES, TOKENS = (
    (1e9, 2.8e9, 7.5e9), (4, 8, 12, 16, 32), (4, 16, 25, 36, 49, 100, 196),
)  # fmt: skip
SIZES, BUDGETS = (0.25e6, 0.5e6, 1e6), (2e12, 5e12, 15e12, 30e12)
TOLERANCE = (0.15, 0.02)
"""How far below and above a budget a configuration still counts as costing it."""


def paper_grid() -> Floats:
    """(105, 3) the configurations of the paper."""
    return grid_of(PARAMETERS, FRAMES, TOKENS)


def star(centre: Sequence[float], grid: Floats, sizes: Sequence[float]) -> tuple[Floats, Floats]:
    """One factor at a time, at each number of examples.

    Args:
        centre: N, T and V of a configuration of the grid.
        grid: (G, 3) configurations.
        sizes: Numbers of fine-tuning examples.

    Returns:
        (m, 3) configurations and (m,) examples.

    Raises:
        BadInput: If the centre is not in the grid.
    """
    same = np.isclose(grid, np.asarray(centre, np.float64))
    if not same.all(axis=1).any():
        what = f"{tuple(centre)} is not in the grid."
        raise BadInput(what, "centre", "Take one of its configurations.")
    arms = grid[same.sum(axis=1) >= 2]
    return np.tile(arms, (len(sizes), 1)), np.repeat(np.asarray(sizes, np.float64), len(arms))


def isoflop(
    budget: float, grid: Floats, cost: Cost, tolerance: tuple[float, float] = TOLERANCE
) -> Floats:
    """(m, 3) configurations that cost about a budget, the cheapest first; perhaps none.

    Args:
        budget: FLOPs of one video.
        grid: (G, 3) configurations.
        cost: Of a configuration.
        tolerance: Shares of the budget that may be left or overdrawn.
    """
    spent = cost.flops(grid)
    near = (spent >= budget * (1 - tolerance[0])) & (spent <= budget * (1 + tolerance[1]))
    chosen = np.flatnonzero(near)
    return grid[chosen[np.argsort(spent[chosen], kind="stable")]]
