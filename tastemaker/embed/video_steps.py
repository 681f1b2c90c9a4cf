"""What a little more would change: of budget, spent on one factor alone, and of data."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tastemaker.embed.video_budget import VideoLaw
from tastemaker.embed.video_cost import VideoCost, lm_only
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import EXAMPLES, FACTORS, Floats
from tastemaker.embed.video_frontier import BAND
from tastemaker.files import JsonObject

MORE = 0.1
"""Part of the FLOPs that is spent beside."""
PUBLISHED = {"parameters": -0.22, "frames": 0.17, "tokens": 0.79}
"""How the best configuration of the paper's sweep moved with data, as reported second-hand."""


def banded(values: Floats) -> JsonObject:
    """Median and 90 % interval of (R,) values of the refits."""
    low, high = np.quantile(values, BAND)
    return {"median": float(np.median(values)), "interval90": [float(low), float(high)]}


def spend_more(law: VideoLaw, cost: VideoCost, x: Floats, n: float) -> Floats:
    """(R, 3) change of the error with a tenth more FLOPs spent on N, on T or on V.

    Args:
        law: The error.
        cost: Of a configuration.
        x: (3,) where from.
        n: Fine-tuning examples.
    """
    spent, language = cost.flops(x), lm_only(x)
    factors = np.array([1 + MORE * spent / language, 1 + MORE, 1 + MORE * spent / language])
    there = np.concatenate([x[None], x * (1 + np.eye(3) * (factors - 1))])
    errors = law.refits(there, n)
    changes: Floats = errors[:, 1:] - errors[:, :1]
    return changes


def wanted(changes: Floats) -> str:
    """The factor on which more FLOPs lower the error most; `none` where none does."""
    middle = np.median(changes, axis=0)
    return FACTORS[int(middle.argmin())] if middle.min() < 0 else "none"


def move_with_data(
    fit: VideoFit, budget: float, n: float
) -> tuple[Literal["your fit", "literature"], JsonObject]:
    """Percent by which the best sizes grow with a percent more examples, by factor.

    From the paper where the runs were all on one number of examples, or the budget is at an end of
    the grid.
    """
    if fit.law.active[EXAMPLES]:
        moved = fit.law.elasticities(np.array([budget]), np.array([n]), fit.grid, fit.cost)
        if np.isfinite(moved).all():
            pairs = zip(FACTORS[:EXAMPLES], moved.T, strict=True)
            return "your fit", {name: banded(column) for name, column in pairs}
    return "literature", {name: {"median": value} for name, value in PUBLISHED.items()}
