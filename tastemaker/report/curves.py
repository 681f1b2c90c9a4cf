"""Curves by step, round or the like: one or a few a chart, told apart without colour too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from tastemaker.report.charts import HALF, RULE, SERIES, svg
from tastemaker.report.wording import finite, number

_POINTS = 200
"""Steps that a curve shows at most; more are averaged."""
_DASHES = ([1, 0], [7, 3], [2, 2])


@dataclass(frozen=True)
class Axes:
    """What a chart is drawn between."""

    step: str = "step"
    """what is counted from left to right"""
    ends: tuple[float, float] | None = None
    """of the values; None: those of what was measured"""
    format: str = ""
    """of the labels of values, as Vega writes it: `%`, `~s`"""
    whole: bool = False
    """values are counts"""
    marked: Sequence[float] = ()
    """steps that a line marks"""


def curve(
    lines: Sequence[Mapping[str, object]], name: str, step: str = "step"
) -> list[tuple[float, float]]:
    """(step, value) of what lines of `metrics.jsonl` say under a name, thinned to means."""
    pairs = [(finite(line.get(step)), finite(line.get(name))) for line in lines]
    return _thinned([(at, value) for at, value in pairs if at is not None and value is not None])


def curves_chart(
    curves: Mapping[str, Sequence[tuple[float, float]]], title: str, axes: Axes | None = None
) -> str:
    """Values by step as lines.

    Args:
        curves: Name → (step, value) points, at least one; a single curve has no legend.
        title: What the values are.
        axes: What they are drawn between.
    """
    axes = axes or Axes()
    rows = [
        {"step": step, "value": value, "name": name}
        for name, points in curves.items()
        for step, value in points
    ]
    steps = [step for points in curves.values() for step, _ in points]
    many = _ticks(6, min(steps), max(steps))
    axis = alt.Axis(title=axes.step, grid=False, format="~d", tickMinStep=1, tickCount=many)
    x = alt.X("step:Q", axis=axis, scale=alt.Scale(nice=False))
    y_axis = alt.Axis(title=None, tickCount=5)
    if axes.format:
        y_axis = alt.Axis(title=None, tickCount=5, format=axes.format)
    values = [value for points in curves.values() for _, value in points]
    if axes.whole:
        many = _ticks(5, *(axes.ends or (min(values), max(values))))
        y_axis = alt.Axis(title=None, tickCount=many, format="~d", tickMinStep=1)
    y = alt.Y("value:Q", axis=y_axis, scale=_scale(values, axes.ends))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    marks = alt.Chart(alt.InlineData(values=[{"step": step} for step in axes.marked]))
    layers: list[alt.Chart] = []
    if axes.marked:
        layers.append(marks.mark_rule(color=RULE, strokeWidth=2).encode(x=x))
    if len(curves) == 1:
        layers.append(base.mark_line(color=SERIES[0], strokeWidth=2))
        if len(rows) == 1:
            layers.append(base.mark_point(filled=True, size=70, color=SERIES[0]))
    else:
        layers += _several(base, list(curves), single=len(rows) == len(curves))
    words = "; ".join(_words(name, points, axes.step) for name, points in curves.items())
    return svg(
        alt.layer(*layers),
        title,
        f"{title} by {axes.step}: {words}.",
        (HALF, 180 if len(curves) == 1 else 220),
    )


def _several(base: alt.Chart, names: Sequence[str], single: bool) -> list[alt.Chart]:
    """Lines in colours and dashes; points where a single step was measured."""
    legend = alt.Legend(orient="top", title=None, columns=3, symbolType="stroke", symbolSize=220)
    colours = [SERIES[place % len(SERIES)] for place in range(len(names))]
    dashes = [_DASHES[place % len(_DASHES)] for place in range(len(names))]
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=colours), legend=legend)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), legend=legend)
    lines = base.mark_line(strokeWidth=2).encode(color=color, strokeDash=dash)
    points = base.mark_point(filled=True, size=70).encode(color=color)
    return [lines, points] if single else [lines]


def _ticks(most: int, low: float, high: float) -> int:
    """Ticks of an axis of whole numbers: none of them between two, where it is labelled as one."""
    return max(1, min(most, int(high - low)))


def _scale(values: Sequence[float], ends: tuple[float, float] | None) -> alt.Scale:
    low, high = min(values), max(values)
    if ends is None and low == high:  # an axis of one value would be labelled in whole numbers
        ends = (min(0.0, 2 * low), max(0.0, 2 * low) or 1.0)
    return alt.Scale(domain=list(ends)) if ends else alt.Scale(zero=False)


def _words(name: str, points: Sequence[tuple[float, float]], step: str) -> str:
    first, last = points[0], points[-1]
    told = f"{number(first[1])} at {step} {first[0]:g}, {number(last[1])} at {step} {last[0]:g}"
    return f"{name} {told}" if name else told


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of neighbours, where there are more than a curve shows."""
    size = -(-len(points) // _POINTS)
    groups = [points[first : first + size] for first in range(0, len(points), size or 1)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]
