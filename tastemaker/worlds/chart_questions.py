"""Questions about charts, with answers that come from what is shown, and with what to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tastemaker.worlds.chart_data import LARGEST, Chart

Template = Literal[
    "lookup", "max", "min", "highest", "lowest", "difference", "sum", "count", "truth"
]


@dataclass(frozen=True)
class Question:
    """What is asked of a chart."""

    template: Template
    text: str
    answer: str
    names: tuple[str, ...]
    """names on the chart that one must look at; all of them where all count"""
    series: str
    """that it is about"""


@dataclass(frozen=True)
class _Asked:
    """One series of a chart, and the names that a question singles out."""

    values: Mapping[str, int]
    first: str
    second: str
    above: int
    """a number that no value equals"""
    what: str
    """the series, in words"""
    each: str
    """what a name is, in words"""


def question(chart: Chart, template: Template, rng: np.random.Generator) -> Question:
    """Ask something of a chart.

    Args:
        chart: Of two names or more.
        template: What kind of thing.
        rng: Decides on the series and the names.
    """
    row = int(rng.integers(len(chart.series)))
    first, second = (chart.names[n] for n in rng.permutation(len(chart.names))[:2])
    values = dict(zip(chart.names, chart.values[row], strict=True))
    free = sorted(set(range(1, LARGEST)) - set(values.values()))
    above = free[int(rng.integers(len(free)))]
    each = "year" if chart.heading == "Year" else "item"
    asked = _Asked(values, first, second, above, chart.series[row], each)
    text, answer, names = TEMPLATES[template](asked)
    return Question(template, text, answer, names, chart.series[row])


def _lookup(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    return f"What is {a.what} for {a.first}?", str(a.values[a.first]), (a.first,)


def _max(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    best = max(a.values, key=lambda name: a.values[name])
    return f"Which {a.each} has the highest {a.what}?", best, tuple(a.values)


def _min(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    least = min(a.values, key=lambda name: a.values[name])
    return f"Which {a.each} has the lowest {a.what}?", least, tuple(a.values)


def _highest(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    return f"What is the highest {a.what}?", str(max(a.values.values())), tuple(a.values)


def _lowest(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    return f"What is the lowest {a.what}?", str(min(a.values.values())), tuple(a.values)


def _difference(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    apart = abs(a.values[a.first] - a.values[a.second])
    text = f"What is the difference in {a.what} between {a.first} and {a.second}?"
    return text, str(apart), (a.first, a.second)


def _sum(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    both = a.values[a.first] + a.values[a.second]
    text = f"What is the sum of {a.what} for {a.first} and {a.second}?"
    return text, str(both), (a.first, a.second)


def _count(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    many = sum(value > a.above for value in a.values.values())
    return f"For how many {a.each}s is {a.what} above {a.above}?", str(many), tuple(a.values)


def _truth(a: _Asked) -> tuple[str, str, tuple[str, ...]]:
    more = a.values[a.first] > a.values[a.second]
    text = f"True or false: {a.what} is higher for {a.first} than for {a.second}."
    return text, "true" if more else "false", (a.first, a.second)


TEMPLATES: Mapping[Template, Callable[[_Asked], tuple[str, str, tuple[str, ...]]]] = {
    "lookup": _lookup,
    "max": _max,
    "min": _min,
    "highest": _highest,
    "lowest": _lowest,
    "difference": _difference,
    "sum": _sum,
    "count": _count,
    "truth": _truth,
}
"""What can be asked: each gives text, answer and the names that matter."""
