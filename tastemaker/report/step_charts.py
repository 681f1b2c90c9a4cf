"""Charts of a measure by step, a line for each of several that are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from tastemaker.report.charts import HALF, SERIES, SHAPES, svg
from tastemaker.report.labels import shortened
from tastemaker.report.wording import percent

_NAME = 16
"""Letters of a name in the legend."""


@dataclass(frozen=True)
class Line:
    """One that is measured at every step."""

    name: str
    values: tuple[float | None, ...]
    """shares from 0 to 1, one a step; None: not known"""
    level: float | None = None
    """what it is compared with at every step, dashed"""


def step_chart(lines: Sequence[Line], title: str, step: str, whole: bool = False) -> str:
    """Shares by step: a colour and a shape each, and dashed what it is compared with.

    Args:
        lines: At least one with a value.
        title: What the values are.
        step: What a step is called.
        whole: Show all from 0 to 1, whatever the values are.
    """
    names = shortened([line.name for line in lines], _NAME)
    labels = [names[line.name] for line in lines]
    rows = [
        {"step": number, "value": value, "name": names[line.name]}
        for line in lines
        for number, value in enumerate(line.values, 1)
        if value is not None
    ]
    levels = [
        {"level": line.level, "name": names[line.name]} for line in lines if line.level is not None
    ]
    legend = alt.Legend(orient="top", title=None, columns=2)
    colours = [SERIES[place % len(SERIES)] for place in range(len(labels))]
    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(labels))]
    color = alt.Color("name:N", scale=alt.Scale(domain=labels, range=colours), legend=legend)
    shape = alt.Shape("name:N", scale=alt.Scale(domain=labels, range=shapes), legend=legend)
    scale = alt.Scale(domain=[0, 1]) if whole else alt.Scale(zero=True)
    axis = alt.Axis(title=None, tickCount=5, format="%")
    x = alt.X("step:O", axis=alt.Axis(title=step, labelAngle=0, grid=False))
    y = alt.Y("value:Q", axis=axis, scale=scale)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, color=color)
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(shape=shape)
    layers: list[alt.Chart] = [base.mark_line(strokeWidth=2), dots]
    if levels:
        compared = alt.Chart(alt.InlineData(values=levels)).encode(
            y=alt.Y("level:Q", axis=axis, scale=scale), color=color
        )
        layers.insert(0, compared.mark_rule(strokeDash=[3, 3], strokeWidth=1.5))
    words = f"{title} by {step}. " + "; ".join(map(_words, lines))
    return svg(alt.layer(*layers), title, words, (HALF, 240))


def _words(line: Line) -> str:
    values = ", ".join(map(percent, line.values))
    return f"{line.name}: {values}" + (
        "" if line.level is None else f" (compared with {percent(line.level)})"
    )
