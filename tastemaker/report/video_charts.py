"""A value by budget, both on logarithmic axes: a line and a band for each number of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from tastemaker.report.charts import HALF, SERIES, svg
from tastemaker.report.wording import finite, number

_DASHES = ([1, 0], [7, 3], [2, 2])
_WORDED = 4
"""Points of each line that its words tell."""
_FEW = 3.0
"""Ends of an axis whose ratio is smaller are labelled in plain steps."""


def band_chart(lines: Mapping[str, Sequence[object]], title: str, share: bool = False) -> str:
    """Medians as lines, intervals as bands.

    Args:
        lines: Name → rows of budget, median, low and high; at least one.
        title: What the values are.
        share: They are shares from 0 to 1, whose axis is not logarithmic.
    """
    rows = [
        dict(zip(("budget", "value", "low", "high"), row, strict=True)) | {"name": name}
        for name, points in lines.items()
        for row in points
        if isinstance(row, list) and len(row) == 4 and None not in map(finite, row)
    ]
    names = list(lines)
    legend = alt.Legend(orient="top", title=None, columns=3, symbolType="stroke", symbolSize=220)
    colours = [SERIES[place % len(SERIES)] for place in range(len(names))]
    dashes = [_DASHES[place % len(_DASHES)] for place in range(len(names))]
    color = alt.Color(
        "name:N",
        scale=alt.Scale(domain=names, range=colours),
        legend=legend if len(names) > 1 else None,
    )
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), legend=None)
    axis = alt.Axis(title="FLOPs of one video", grid=False, format="~s", tickCount=4)
    x = alt.X("budget:Q", axis=axis, scale=alt.Scale(type="log", nice=False))
    plain = share or _narrow(rows)
    scale = alt.Scale(zero=False) if plain else alt.Scale(type="log", nice=False)
    y_axis = alt.Axis(title=None, tickCount=5, format="" if share else "~s")
    y = alt.Y("low:Q", axis=y_axis, scale=scale)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=color)
    band = base.mark_area(opacity=0.18).encode(y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("value:Q", scale=scale), strokeDash=dash)
    words = "; ".join(_words(name, [row for row in rows if row["name"] == name]) for name in names)
    told = f"{title} by budget, with 90 % intervals. {words}"
    return svg(alt.layer(band, line), title, told, (HALF, 240))


def _narrow(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether a logarithmic axis would have hardly a label."""
    lows, highs = [row["low"] for row in rows], [row["high"] for row in rows]
    return not rows or max(highs) < _FEW * min(lows)


def _words(name: str, rows: Sequence[Mapping[str, float]]) -> str:
    step = max(1, -(-len(rows) // _WORDED))
    told = ", ".join(
        f"{number(row['value'], 3 if row['value'] < 10 else 0)} at {row['budget']:.3g}"
        for row in rows[::step]
    )
    return f"{name}: {told}" if told else f"{name}: nothing"
