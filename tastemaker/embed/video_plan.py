"""What a budget buys: nine answers, each of which says where it comes from.

What the user's runs decide comes from the fit. Constants of cost that were not given, and what the
runs do not vary, come from the literature: the cost of SoViT-400M, and how the best configuration
moved with data in the paper's own sweep.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tastemaker.embed.video_cost import MOST, VideoCost, lm_only, tuning_flops, vision_share
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import FACTORS, Floats
from tastemaker.embed.video_frontier import BAND, Best, affordable, best, naive, nearest
from tastemaker.embed.video_steps import banded, move_with_data, spend_more, wanted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject, shortened

Source = Literal["your fit", "literature", "your fit; cost from the literature"]
_RUNNERS = 3
TASKS = {"LongVideoBench": "frames", "PerceptionTest": "tokens"}
"""What tasks wanted most in the paper, as it was reported second-hand."""


@dataclass(frozen=True)
class PlanRequest:
    """What is asked."""

    flops: float
    """budget of one video"""
    examples: float
    """fine-tuning examples"""
    videos_per_month: float = 0.0
    """watched once deployed; 0: not known"""

    def __post_init__(self) -> None:
        """Refuse what plans nothing.

        Raises:
            BadInput: Naming the option.
        """
        for name, value in vars(self).items():
            least = 0 if name == "videos_per_month" else 1
            if not least <= value <= MOST:
                option = f"--{name.replace('_', '-')}"
                fix = f"Give a number from {least} to {MOST:g}."
                raise BadInput(f"{name} = {value} plans nothing.", option, fix)


@dataclass(frozen=True, eq=False)
class _Bought:
    """Everything that the lines are made of."""

    fit: VideoFit
    request: PlanRequest
    spent: Floats
    """(G,) FLOPs of each configuration"""
    errors: Floats
    """(R, G) of each refit"""
    chosen: Best

    @property
    def x(self) -> Floats:
        """(3,) the best configuration."""
        row: Floats = self.fit.grid[self.chosen.place]
        return row

    @property
    def costed(self) -> Source:
        """Where a line that needs the cost comes from."""
        given = self.fit.cost != VideoCost()
        return "your fit" if given else "your fit; cost from the literature"

    def at(self, place: int) -> JsonObject:
        """A configuration of the grid with its cost and error."""
        low, high = np.quantile(self.errors[:, place], BAND)
        x = self.fit.grid[place]
        return sizes(x) | {
            "flops": float(self.spent[place]),
            "error": float(np.median(self.errors[:, place])),
            "interval90": [float(low), float(high)],
            "context": float(x[1] * x[2]),
            "vision_share": float(vision_share(self.fit.cost, x)),
        }


def sizes(x: Floats) -> JsonObject:
    """A configuration by the names of its factors."""
    return {name: float(value) for name, value in zip(FACTORS[:3], x, strict=True)}


def plan(fit: VideoFit, request: PlanRequest) -> JsonObject:
    """The nine answers.

    Args:
        fit: Laws, cost and the grid that is searched.
        request: Budget and examples.

    Returns:
        Line → its fields, each with `source`.

    Raises:
        BadInput: If the budget pays for no configuration; says what the smallest costs.
    """
    grid = fit.grid
    spent, errors = fit.cost.flops(grid), fit.law.refits(grid, request.examples)
    chosen = best(errors, spent, request.flops, grid)
    bought = _Bought(fit, request, spent, errors, chosen)
    return {
        "best": _best(bought),
        "runners_up": _runners(bought),
        "gain": _gain(bought),
        "marginal": _marginal(bought),
        "next": _next(bought),
        "lm_only": _lm_only(bought),
        "tasks": _tasks(bought),
        "break_even": _break_even(bought),
        "warnings": _warnings(bought),
    }


def _best(bought: _Bought) -> JsonObject:
    chance = bought.chosen.chances.get(bought.chosen.place, 0.0)
    told = bought.at(bought.chosen.place)
    return {"source": bought.costed, **told, "chance": chance}


def _runners(bought: _Bought) -> JsonObject:
    """Others that the refits do not tell from the best, the cheapest first."""
    ties, chances = bought.chosen.ties, bought.chosen.chances
    rows = [bought.at(p) | {"chance": chances.get(p, 0.0)} for p in ties[:_RUNNERS]]
    return {"source": bought.costed, "rows": rows, "more": max(0, len(ties) - _RUNNERS)}


def _gain(bought: _Bought) -> JsonObject:
    """Less error than the largest model that fits, and than the median of what is paid for."""
    grid, paid = bought.fit.grid, affordable(bought.spent, bought.request.flops, bought.fit.grid)
    largest = naive(paid, grid)
    own = bought.errors[:, bought.chosen.place]
    median = np.array([np.median(row[paid]) for row in bought.errors])
    return {
        "source": bought.costed,
        "naive": "the largest model that fits, then the most frames",
        **sizes(grid[largest]),
        "gain": banded(bought.errors[:, largest] - own),
        "gain_over_median": banded(median - own),
    }


def _marginal(bought: _Bought) -> JsonObject:
    """What a tenth more FLOPs would change, spent on each factor."""
    fit, n = bought.fit, bought.request.examples
    changes = spend_more(fit.law, fit.cost, bought.x, n)
    rows = {}
    for k, name in enumerate(FACTORS[:3]):
        change = banded(changes[:, k])
        edge = bool(np.isclose(bought.x[k], max(fit.axes[k])))
        known = fit.law.active[k]
        rows[name] = change | {
            "saturated": change["interval90"][1] >= 0,
            "edge": edge,
            "known": known,
        }
    return {"source": bought.costed, "rows": rows, "wants": wanted(changes)}


def _next(bought: _Bought) -> JsonObject:
    """The best of twice the budget, of twice the data, and how sizes move with data."""
    fit, request = bought.fit, bought.request
    more = best(bought.errors, bought.spent, 2 * request.flops, fit.grid)
    doubled = fit.law.refits(fit.grid, 2 * request.examples)
    learned = best(doubled, bought.spent, request.flops, fit.grid)
    source, moved = move_with_data(fit, request.flops, request.examples)
    dearer, taught = fit.grid[more.place], fit.grid[learned.place]
    return {
        "source": bought.costed if source == "your fit" else source,
        "budget_doubles": bought.at(more.place)
        | {"beyond": fit.law.beyond(dearer, request.examples)},
        "examples_double": sizes(taught)
        | {"error": learned.error, "beyond": fit.law.beyond(taught, 2 * request.examples)},
        "elasticities": moved,
    }


def _lm_only(bought: _Bought) -> JsonObject:
    """What a cost without the vision tower would have chosen, and what that really costs."""
    grid, seen = bought.fit.grid, lm_only(bought.fit.grid)
    blind = best(bought.errors, seen, bought.request.flops, grid)
    told = bought.at(blind.place)
    return {
        "source": bought.costed, **told, "thought": float(seen[blind.place]),
        "over_budget": told["flops"] / bought.request.flops,
        "same": blind.place == bought.chosen.place,
    }  # fmt: skip


def _tasks(bought: _Bought) -> JsonObject:
    """Of each task the factor that it wants most."""
    fit, n = bought.fit, bought.request.examples
    each = list(fit.laws.items())[1:]
    if not each:
        return {"source": "literature", "rows": {name: {"wants": f} for name, f in TASKS.items()}}
    rows = {}
    for name, law in each:
        changes = spend_more(law, fit.cost, bought.x, n)
        error = float(law.predict(bought.x[None], n).error[0])
        rows[name] = {"wants": wanted(changes), "error": error}
    return {"source": bought.costed, "rows": rows}


def _break_even(bought: _Bought) -> JsonObject:
    """Videos after which watching has cost more than fine-tuning once did."""
    request = bought.request
    tuned = float(tuning_flops(bought.fit.cost, bought.x, request.examples))
    each, monthly = bought.chosen.flops, request.videos_per_month
    given = bought.fit.cost != VideoCost()
    return {
        "source": "your fit" if given else "your fit; cost from the literature",
        "videos": tuned / each,
        "tuning_flops": tuned,
        "monthly_over_tuning": monthly * each / tuned if monthly else None,
    }  # fmt: skip


def _warnings(bought: _Bought) -> JsonObject:
    """What to know before believing any of it."""
    fit, request, grid = bought.fit, bought.request, bought.fit.grid
    law = fit.law
    below, above = nearest(bought.spent, request.flops)
    parameters = len(law.layout.names)
    return {
        "source": "your fit",
        "beyond": law.beyond(bought.x, request.examples),
        "unknown": [name for name, known in zip(FACTORS, law.active, strict=True) if not known],
        "cheaper": None if below is None else bought.at(below),
        "dearer": None if above is None else bought.at(above),
        "checks": fit.checks,
        "points": law.points,
        "parameters": parameters,
        "few": law.points < 2 * parameters,
        "notes": list(fit.notes),
        "grid": len(grid),
    }


def with_axes(fit: VideoFit, axes: tuple[tuple[float, ...], ...]) -> VideoFit:
    """The same fit, searched over another grid.

    Raises:
        BadInput: If a size is no number above 0, or an axis has none.
    """
    for name, axis in zip(FACTORS, axes, strict=False):
        if not axis or not all(1 / MOST <= value <= MOST for value in axis):
            what = f"{name} = {shortened(str(list(axis)))} is no axis of a grid."
            raise BadInput(what, "--grid", f"Give numbers above 0, {MOST:g} at most.")
    return replace(fit, axes=tuple(tuple(map(float, axis)) for axis in axes))
