"""What the recipe on video budgets sweeps, of what, and what it compares at each budget."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tastemaker.data.idx import read_pictures
from tastemaker.embed.frame_encoder import EncoderConfig
from tastemaker.embed.video_budget import VideoLaw
from tastemaker.embed.video_frontier import grid_of
from tastemaker.embed.video_runs import Cell, SweepConfig, World
from tastemaker.worlds.sprites import Sprites, garments, parted, shapes

PAIRS = ("small budget", "middle budget", "large budget")
SHARES = (0.15, 0.4, 0.7)
"""Of the way from the cheapest to the dearest configuration, in logarithms."""


def configs(size: str) -> tuple[SweepConfig, list[int]]:
    """The sweep of a size, and the seeds of its pairs: ten pairs at three budgets and more."""
    if size == "toy":
        small = EncoderConfig((4, 4, 8, 8), epochs=1)
        tiny = SweepConfig((16, 32), (1, 2), (1, 4), (8, 16), 12, 1, 1, test=20, first=20,
                           encoder=small)  # fmt: skip
        return tiny, [0]
    return SweepConfig(cells=40), list(range(5))


def star(config: SweepConfig) -> dict[str, list[Cell]]:
    """Factor → cells in which it alone grows, around the widest model at middle frames and tokens.

    All learn from the most examples. The cell at the middle is one of each factor's.
    """
    n, width = max(config.examples), max(config.widths)
    frames, tokens = (axis[len(axis) // 2] for axis in (config.frames, config.tokens))
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


def choices(
    law: VideoLaw, world: World, lines: Sequence[dict[str, Any]]
) -> dict[str, tuple[Cell, Cell]]:
    """Budget → what the law chooses for the most examples, and the median of what is paid for."""
    config = world.config
    widths = {line["parameters"]: line["width"] for line in lines}
    grid, n = grid_of(list(widths), config.frames, config.tokens), max(config.examples)
    spent, errors = world.cost.flops(grid), law.predict(grid, n).error
    ends = np.log([spent.min(), spent.max()])
    made = {}
    for name, share in zip(PAIRS, SHARES, strict=True):
        budget = float(np.exp(ends[0] + share * (ends[1] - ends[0])))
        (best,) = law.frontier(np.array([budget]), n, grid, world.cost)
        paid = np.flatnonzero(spent <= budget)
        middle = paid[np.argsort(errors[paid])[len(paid) // 2]]
        cells = [
            Cell(widths[x[0]], int(x[1]), int(x[2]), n) for x in (grid[best.place], grid[middle])
        ]
        made[name] = (cells[0], cells[1])
    return made
