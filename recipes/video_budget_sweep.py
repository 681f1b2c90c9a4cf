"""What the recipe on video budgets sweeps, of what, and what it compares at each budget."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tastemaker.data.idx import read_pictures
from tastemaker.embed.frame_encoder import EncoderConfig
from tastemaker.embed.video_budget import VideoFitConfig
from tastemaker.embed.video_checks import cross_validated
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import FORMS, Floats, Form
from tastemaker.embed.video_frontier import naive
from tastemaker.embed.video_points import VideoPoints
from tastemaker.embed.video_runs import Cell, SweepConfig
from tastemaker.errors import BadInput
from tastemaker.run.video_sweep import model_size
from tastemaker.worlds.sprites import Sprites, garments, parted, shapes

PAIRS = ("small budget", "middle budget", "large budget")
SHARES = (0.15, 0.4, 0.7)
"""Of the way from the cheapest to the dearest configuration, in logarithms."""
QUICK = VideoFitConfig(starts=50, refits=20)
"""Of the fits that check forms: there are many of them."""


def configs(size: str) -> tuple[SweepConfig, list[int]]:
    """The sweep of a size, and the seeds of its pairs: ten pairs at three budgets and more."""
    if size == "toy":
        small = EncoderConfig((4, 4, 8, 8), epochs=1)
        tiny = SweepConfig((16, 32), (1, 2), (1, 4), (8, 16), 12, 1, 1, test=20, first=20,
                           encoder=small)  # fmt: skip
        return tiny, [0]
    return SweepConfig(cells=40), list(range(5))


def star(config: SweepConfig) -> dict[str, list[Cell]]:
    """Factor → cells of the sweep in which it alone grows to the largest, at the most examples."""
    width, frames, tokens = max(config.widths), max(config.frames), max(config.tokens)
    n = max(config.examples)
    return {
        "width": [Cell(own, frames, tokens, n) for own in config.widths],
        "frames": [Cell(width, own, tokens, n) for own in config.frames],
        "tokens": [Cell(width, frames, own, n) for own in config.tokens],
    }


def called(cell: Cell) -> str:
    """What the arm of a cell is called."""
    return f"width {cell.width}, {cell.frames} × {cell.tokens}"


def sprites(size: str) -> tuple[Sprites, Sprites]:
    """Garments where the data is at hand, and else plain shapes: to learn from, and held out."""
    data = Path(os.environ.get("TASTEMAKER_DATA", "../shared/data")) / "fashion-mnist"
    if size == "toy" or not data.is_dir():
        return parted(shapes(), 0.2)
    pictures = read_pictures(data, "train")
    return parted(garments(pictures.images, pictures.labels), 0.2)


def best_form(points: VideoPoints) -> Form:
    """The form that is least off on cells held out; `mult` where there are too few for any."""
    off: dict[Form, float] = {}
    for form in FORMS:
        with suppress(BadInput):
            off[form] = cross_validated(points, replace(QUICK, form=form)).percent
    return min(off, key=lambda form: off[form]) if off else "mult"


def budgets_of(spent: Floats) -> dict[str, float]:
    """Budget by name, from what the configurations cost."""
    ends = np.log([spent.min(), spent.max()])
    return {
        name: float(np.exp(ends[0] + share * (ends[1] - ends[0])))
        for name, share in zip(PAIRS, SHARES, strict=True)
    }


def choices(fit: VideoFit, lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Cell]]:
    """Budget → arm → cell, at the most examples.

    What the law chooses; the largest model that fits, then the most frames; and the median of what
    is paid for, by the error that is predicted, which need not spend it all.
    """
    widths = {model_size(line): line["width"] for line in lines}
    grid, n = fit.grid, int(fit.law.ends[1, 3])
    spent, errors = fit.cost.flops(grid), fit.law.predict(grid, n).error
    made = {}
    for name, budget in budgets_of(spent).items():
        (best,) = fit.law.frontier(np.array([budget]), n, grid, fit.cost)
        paid = np.flatnonzero(spent <= budget)
        middle = paid[np.argsort(errors[paid])[len(paid) // 2]]
        places = {"frontier": best.place, "naive": naive(paid, grid), "median": int(middle)}
        made[name] = {
            arm: Cell(widths[grid[place, 0]], int(grid[place, 1]), int(grid[place, 2]), n)
            for arm, place in places.items()
        }
    return made
