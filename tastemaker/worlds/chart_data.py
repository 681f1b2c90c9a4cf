"""What charts and tables show: names, series and whole numbers, drawn by a seed.

Some numbers of a series lie close to others, so that one must look closely to tell them apart; no
two of a series are the same, so that the largest and the smallest are always one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tastemaker.errors import BadInput

ChartKind = Literal["v_bar", "h_bar", "grouped", "stacked", "line", "pie", "table"]
KINDS: tuple[ChartKind, ...] = ("v_bar", "h_bar", "grouped", "stacked", "line", "pie", "table")
SEVERAL: tuple[ChartKind, ...] = ("grouped", "stacked", "table")
"""Kinds that show more than one series."""
LARGEST = 99
_NAMES = (
    "Apple", "Bread", "Cheese", "Dates", "Eggs", "Figs", "Grapes", "Honey", "Ice", "Jam", "Kale",
    "Lemon", "Mango", "Nuts", "Olives", "Pears", "Quince", "Rice", "Salt", "Tea", "Ugli", "Vanilla",
    "Wheat", "Yams",
)  # fmt: skip
_SERIES = ("Sold", "Bought", "Stored", "Lost", "Grown", "Shipped", "Eaten", "Saved")
_FIRST, _LAST = 1980, 2024


@dataclass(frozen=True)
class ChartOptions:
    """Which charts are drawn."""

    kinds: tuple[ChartKind, ...] = KINDS
    width: int = 400
    """pixels"""
    height: int = 300
    fewest: int = 4
    """names on a chart"""
    most: int = 8
    series: int = 3
    """of the kinds that show several"""
    near: float = 0.5
    """chance that a number lies within 2 steps of another of its series"""
    step: int = 1
    """numbers are multiples of it: where pixels are few, no more can be told apart"""
    years: float = 0.5
    """chance that names are years"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        where, unknown = "charts", sorted(set(self.kinds) - set(KINDS))
        if unknown or not self.kinds:
            what = f"There is no chart {unknown[0]!r}." if unknown else "No kind of chart is given."
            raise BadInput(what, where, f"Use some of {', '.join(KINDS)}.")
        if not 48 <= min(self.width, self.height) <= max(self.width, self.height) <= 4096:
            what = f"A chart of {self.width} x {self.height} pixels is not drawn."
            raise BadInput(what, where, "Give 48 to 4,096 pixels either way.")
        if not 2 <= self.fewest <= self.most <= 12 or not 1 <= self.series <= 4:
            what = f"{self.fewest} to {self.most} names of {self.series} series are not drawn."
            raise BadInput(what, where, "Give 2 to 12 names and 1 to 4 series.")
        if "grouped" in self.kinds and self.most * (self.series + 2) > self.width:
            what = f"{self.most} groups of {self.series} bars have no room in {self.width} pixels."
            raise BadInput(what, where, "Give a larger width, or fewer names or series.")
        for name in ("near", "years"):
            if not 0 <= getattr(self, name) <= 1:
                what = f"{getattr(self, name)} is no chance."
                raise BadInput(what, where, f"Give 0 to 1 as {name}.")
        if self.step < 1 or LARGEST // self.step < self.most:
            what = f"There are no {self.most} different numbers in steps of {self.step}."
            raise BadInput(what, where, f"Give a step of 1 to {LARGEST // self.most}.")


@dataclass(frozen=True)
class Chart:
    """What one chart shows."""

    kind: ChartKind
    heading: str
    """what the names are: `Item` or `Year`"""
    names: tuple[str, ...]
    """(N,) of bars, points, slices or rows, each once"""
    series: tuple[str, ...]
    """(S,) of groups, or columns"""
    values: tuple[tuple[int, ...], ...]
    """(S, N) from 1 to 99, no two of a series the same"""


def chart(options: ChartOptions, rng: np.random.Generator) -> Chart:
    """Draw what a chart shows."""
    kind = options.kinds[int(rng.integers(len(options.kinds)))]
    many = int(rng.integers(options.fewest, options.most + 1))
    series = options.series if kind in SEVERAL else 1
    years = rng.random() < options.years
    if years:
        first = int(rng.integers(_FIRST, _LAST - many))
        names = tuple(str(year) for year in range(first, first + many))
    else:
        names = tuple(_NAMES[n] for n in rng.permutation(len(_NAMES))[:many])
    called = tuple(_SERIES[n] for n in rng.permutation(len(_SERIES))[:series])
    values = tuple(_values(many, options, rng) for _ in range(series))
    return Chart(kind, "Year" if years else "Item", names, called, values)


def _values(many: int, options: ChartOptions, rng: np.random.Generator) -> tuple[int, ...]:
    values: list[int] = []
    most = LARGEST // options.step
    while len(values) < many:
        value = int(rng.integers(1, most + 1))
        if values and rng.random() < options.near:
            value = values[int(rng.integers(len(values)))] + int(rng.integers(-2, 3))
        if 1 <= value <= most and value not in values:
            values.append(value)
    return tuple(value * options.step for value in values)
