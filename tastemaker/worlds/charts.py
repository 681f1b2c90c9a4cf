"""Charts with questions, of which everything is known: boxes, answers, and what to look at.

Each is a function of the seed, the split and its number alone. Training and test never share a
stream of chances; `held_out` asks what training never asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tastemaker.data.boxes import Axis
from tastemaker.errors import BadInput
from tastemaker.worlds.chart_data import Chart, ChartOptions, chart
from tastemaker.worlds.chart_drawing import Drawn, drawn
from tastemaker.worlds.chart_questions import TEMPLATES, Question, Template, question

Split = Literal["train", "test", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "test", "held_out")


@dataclass(frozen=True)
class AskedOptions:
    """What is asked of charts."""

    templates: tuple[Template, ...] = ("lookup", "max", "min", "sum", "count", "truth")
    """in training, and in the test of the same"""
    held_out: tuple[Template, ...] = ("difference",)
    """in no training"""

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        unknown = sorted({*self.templates, *self.held_out} - TEMPLATES.keys())
        both = sorted(set(self.templates) & set(self.held_out))
        if unknown or both or not self.templates:
            what = (
                f"There is no template {unknown[0]!r}." if unknown
                else f"Template {both[0]!r} is trained with and held out." if both
                else "No template is given."
            )  # fmt: skip
            raise BadInput(what, "charts", f"Part {', '.join(TEMPLATES)} between the two.")


@dataclass(frozen=True)
class AskedChart:
    """A chart and a question."""

    chart: Chart
    drawn: Drawn
    question: Question

    @property
    def focus(self) -> dict[Axis, tuple[str, ...]]:
        """Names that one must look at, by the axis that they stand on."""
        names: dict[Axis, tuple[str, ...]] = {}
        for axis in self.drawn.boxes:
            if axis == "columns":
                names[axis] = (self.chart.heading, self.question.series)
            else:
                names[axis] = self.question.names
        return names


def asked_charts(
    options: ChartOptions, asked: AskedOptions, split: Split, many: int
) -> Iterator[AskedChart]:
    """Charts number 0 to `many` of a split.

    Args:
        options: Of the charts.
        asked: Of the questions.
        split: Which.
        many: How many.
    """
    return (asked_chart(options, asked, split, number) for number in range(many))


def asked_chart(
    options: ChartOptions, asked: AskedOptions, split: Split, number: int
) -> AskedChart:
    """One chart of a split.

    Raises:
        BadInput: If there is no such split, or nothing is asked in it.
    """
    if split not in SPLITS:
        raise BadInput(f"There is no split {split!r}.", "charts", f"Use {', '.join(SPLITS)}.")
    templates = asked.held_out if split == "held_out" else asked.templates
    if not templates:
        raise BadInput("No template is held out.", "charts", "Hold one out.")
    rng = np.random.default_rng([options.seed, SPLITS.index(split), number])
    shown = chart(options, rng)
    template = templates[int(rng.integers(len(templates)))]
    what = question(shown, template, rng)
    return AskedChart(shown, drawn(shown, options.width, options.height), what)
