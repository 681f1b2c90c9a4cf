"""Error surfaces that are known, and runs drawn from them."""

import numpy as np
from hypothesis import settings

from tastemaker.embed.video_designs import SIZES, paper_grid, star
from tastemaker.embed.video_forms import Floats, Form, Layout, PowerSum
from tastemaker.embed.video_points import VideoPoints

FEW = settings(max_examples=15, deadline=None)
"""Of a property: each case is an array of cases already."""
GRID = paper_grid()
CENTRE = np.log([2.8e9, 8, 49, 5e5])
PLANTED = {
    "alpha": -1.0,
    "alpha_parameters": -3.0,
    "alpha_frames": -3.0,
    "alpha_tokens": -3.0,
    "beta_parameters": -4.0,
    "beta_frames": -4.0,
    "beta_tokens": -4.0,
    "xi": -3.0,
    "eps": -2.0,
    "a_parameters": 0.5,
    "a_frames": 0.4,
    "a_tokens": 0.6,
    "b_parameters": 0.2,
    "b_frames": 0.15,
    "b_tokens": 0.2,
    "b": 0.2,
    "d": 0.3,
}
"""Log coefficients and exponents of factors that are divided by `CENTRE`."""


def planted(form: Form = "add-interact", **changed: float) -> PowerSum:
    layout = Layout.of(form)
    values = [{**PLANTED, **changed}[name] for name in layout.names]
    return layout.powers(np.array([values]), CENTRE, 0.0)


def measured(law: PowerSum, x: Floats, n: Floats, noise: float, seed: int = 0) -> VideoPoints:
    rng = np.random.default_rng(seed)
    return VideoPoints(x, n, law(x, n)[0] * np.exp(noise * rng.normal(size=len(x))))


def sixty(law: PowerSum, seed: int = 0, noise: float = 0.01) -> VideoPoints:
    """The star of the paper and 21 configurations more."""
    rng = np.random.default_rng([seed, 1])
    x, n = star((7.5e9, 32, 196), GRID, SIZES)
    more = GRID[rng.choice(len(GRID), 21, replace=False)]
    every = np.concatenate([n, rng.choice(SIZES, 21)])
    return measured(law, np.concatenate([x, more]), every, noise, seed)
