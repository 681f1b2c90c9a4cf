"""Inference compute-optimal video models: how to split a budget between model, frames and tokens.

Paper: Wang et al., ACL 2025, arXiv 2505.18855. At a fixed number of FLOPs a video, the best
language-model size N, frames T and tokens a frame V follow from an error surface f(N, T, V, n) that
is fitted to measured runs, and move with the number n of fine-tuning examples. Formula of the form
that the paper chose, `add-interact`:

    f = sum_k alpha_k x_k^-a_k + sum_k beta_k x_k^b_k n^-d + xi n^-d + eps

Fifteen parameters of some sixty points are weakly identified: what is reported are predictions,
their medians and quantiles over bootstrap refits, and how the best configuration moves.

Left out: the paper's own sweep, which is not published. Checked: `tests/embed/test_video_budget.py`
(known laws are found again; 28 published points) and `recipes/video_recovery.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tastemaker.counts import counted
from tastemaker.embed.video_continuous import Box, elasticities
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_fit import Problem, best_of, refitted
from tastemaker.embed.video_forms import (
    FACTORS,
    FORMS,
    Floats,
    Form,
    Layout,
    PowerSum,
    log_factors,
)
from tastemaker.embed.video_frontier import BAND, Best, frontier
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import BadInput

Loss = Literal["squares", "huber"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
_ENDS = {"starts": (1, 20_000), "refits": (0, 10_000), "seed": (0, 2**63 - 1)}
"""Between which numbers an option lies: all starts are fitted together, in memory."""
_DIGITS = 9
"""Of logs that are fitted: with more, the units of the data would decide what is rounded where."""


@dataclass(frozen=True)
class VideoFitConfig:
    """How a law is fitted; the defaults are the paper's."""

    form: Form = "add-interact"
    """mult, add, add-interact or add-interact-s"""
    starts: int = 500
    """random starts of which the best is kept"""
    refits: int = 100
    """bootstrap refits that the median and the interval are of"""
    loss: Loss = "squares"
    """of the log of the error; huber is linear from 1e-3 on"""
    seed: int = 0
    """of starts and refits"""

    def __post_init__(self) -> None:
        """Refuse what fits nothing.

        Raises:
            BadInput: Naming the option.
        """
        for name, known in (("form", FORMS), ("loss", LOSSES)):
            if vars(self)[name] not in known:
                what = f"{name} = {vars(self)[name]!r} is not known."
                raise BadInput(what, f"--{name}", f"Give {', '.join(known[:-1])} or {known[-1]}.")
        for name, (least, most) in _ENDS.items():
            if not least <= vars(self)[name] <= most:
                what = f"{name} = {vars(self)[name]} is out of bounds."
                raise BadInput(what, f"--{name}", f"Give a number from {least} to {most:,}.")


@dataclass(frozen=True)
class Prediction:
    """Errors of G configurations."""

    error: Floats
    """(G,) median over refits"""
    low: Floats
    """(G,)"""
    high: Floats
    """(G,)"""


@dataclass(frozen=True, eq=False)
class VideoLaw:
    """A fitted error surface."""

    config: VideoFitConfig
    active: tuple[bool, ...]
    """(4,) which of N, T, V and n varied: of the others it knows nothing"""
    centre: Floats
    """(4,) logs of the geometric means that the factors were divided by"""
    scale: float
    """log of what the error was divided by"""
    values: Floats
    """(1 + R, P) log coefficients and exponents: of all points, then of each refit"""
    ends: Floats
    """(2, 4) least and most of each factor in the data"""
    points: int
    data_sha256: str

    @property
    def layout(self) -> Layout:
        """The terms of its form."""
        return Layout.of(self.config.form, self.active)

    @property
    def refits(self) -> PowerSum:
        """The refits as sums of powers; where none were made, the one fit."""
        values = self.values[1:] if len(self.values) > 1 else self.values
        return self.layout.powers(values, self.centre, self.scale)

    def predict(
        self, x: Floats, n: Floats | float, quantiles: tuple[float, float] = BAND
    ) -> Prediction:
        """Errors with an interval.

        Args:
            x: (G, 3) parameters, frames and tokens a frame.
            n: (G,) fine-tuning examples, or one number.
            quantiles: Of the refits, ends of the interval.

        Raises:
            BadInput: If these are no configurations, or a size is not above 0.
        """
        x, n = np.asarray(x, np.float64), np.asarray(n, np.float64)
        refuse_no_sizes(x, n)
        errors = self.refits(x, n)
        low, high = np.quantile(errors, quantiles, axis=0)
        return Prediction(np.median(errors, axis=0), low, high)

    def frontier(
        self, budgets: Floats, n: float, grid: Floats, cost: VideoCost
    ) -> tuple[Best, ...]:
        """The best configuration of a grid for each budget; see `video_frontier.frontier`."""
        refuse_no_sizes(grid, np.asarray(n, np.float64))
        return frontier(self.refits, cost, grid, budgets, n)

    def elasticities(self, budgets: Floats, sizes: Floats, grid: Floats, cost: VideoCost) -> Floats:
        """(R, 3) of the best N, T and V in the data; see `video_continuous.elasticities`."""
        return elasticities(self.refits, cost.powers(), budgets, sizes, Box.of(grid))

    def exponents(self) -> dict[str, float]:
        """Exponents of the fit of all points, by name: for forms of few parameters."""
        names = self.layout.names
        free = self.layout.coefficients
        pairs = zip(names[free:], self.values[0, free:], strict=True)
        return {name: float(value) for name, value in pairs}

    def beyond(self, x: Floats, n: float) -> dict[str, float]:
        """Factor → by how many times a configuration lies outside what was measured."""
        asked = np.array([*x, n])
        low, high = self.ends
        times = np.maximum(asked / high, low / asked)
        return {name: float(times[k]) for k, name in enumerate(FACTORS) if times[k] > 1 + 1e-9}


def fit_law(points: VideoPoints, config: VideoFitConfig | None = None) -> VideoLaw:
    """Fit a form to measured runs, and refit it to bootstrap samples of them.

    Args:
        points: m runs.
        config: How; the paper's way where None.

    Raises:
        BadInput: If there are fewer different runs than parameters, or nothing varies.
    """
    config = config or VideoFitConfig()
    logs, target = log_factors(points.x, points.n), np.log(points.error)
    active = tuple(bool(np.ptp(logs[:, k]) > 1e-9) for k in range(len(FACTORS)))
    refuse_few(points, config.form, active)
    layout = Layout.of(config.form, active)
    centre, scale = logs.mean(axis=0), float(target.mean())
    design = layout.design(np.round(logs - centre, _DIGITS))
    target = np.round(target - scale, _DIGITS)
    many, huber, rng = len(points), config.loss == "huber", np.random.default_rng(config.seed)
    whole = Problem(layout, design, target, np.ones((1, many)), huber)
    ends = best_of(whole, config.starts, rng, min(4, config.starts))
    theta = ends[:1]
    if config.refits:
        drawn = rng.multinomial(many, np.full(many, 1 / many), config.refits)
        again = Problem(layout, design, target, drawn.astype(np.float64), huber)
        theta = np.concatenate([theta, refitted(again, ends, 4, rng)])
    factors = points.factors
    return VideoLaw(
        config,
        active,
        centre,
        scale,
        whole.values(theta),
        np.stack([factors.min(axis=0), factors.max(axis=0)]),
        many,
        points.sha256,
    )


def refuse_no_sizes(x: Floats, n: Floats) -> None:
    """Refuse what no error can be predicted of.

    Raises:
        BadInput: If x is not (G, 3), or a size is not above 0.
    """
    if x.ndim != 2 or x.shape[1] != 3 or not len(x):
        what = f"An array of {x.shape} holds no configurations."
        raise BadInput(what, "configurations", "Give (G, 3): parameters, frames, tokens a frame.")
    if not ((x > 0).all() and (n > 0).all()):
        what = "A size or a number of examples is not above 0."
        raise BadInput(what, "configurations", "Give numbers above 0.")


def refuse_few(points: VideoPoints, form: Form, active: tuple[bool, ...]) -> None:
    """Refuse what no law can be fitted to.

    Raises:
        BadInput: Says how many more runs are needed, and which forms would do.
    """
    if not any(active):
        what = "No factor varies: every run has the same model, frames, tokens and examples."
        raise BadInput(what, "points", "Measure runs that differ.")
    needed, cells = len(Layout.of(form, active).names), points.cells
    if cells < needed:
        enough = [other for other in FORMS if len(Layout.of(other, active).names) <= cells]
        what = (
            f"{counted(cells, 'different run')} are fewer than the {needed} parameters of {form}."
        )
        others = f", or take --form {' or '.join(enough)}" if enough else ""
        more = counted(needed - cells, "more run", "more runs")
        raise BadInput(what, "points", f"Measure {more} with other sizes{others}.")
