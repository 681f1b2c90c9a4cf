"""Who holds how much of which class: a circle a client and class, its area what is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from tastemaker.report.charts import SERIES, WIDE, svg
from tastemaker.report.labels import shortened
from tastemaker.report.wording import count

_MOST = 40
"""Clients, and classes, that are drawn; more would be dust."""
_NAME = 14


def holdings_chart(
    held: Mapping[str, Sequence[float]], classes: Sequence[str], width: int = WIDE // 2
) -> str:
    """Draw what clients hold.

    Args:
        held: Client → examples of each class; at least one has some.
        classes: Names of the classes.
        width: CSS pixels in all.

    Returns:
        SVG text; empty where there is nothing to draw, or too many to be told apart.
    """
    total = sum(map(sum, held.values()))
    if not total or not classes or max(len(held), len(classes)) > _MOST:
        return ""
    rows_of, columns_of = shortened(list(held), _NAME), shortened(list(classes), _NAME)
    rows = [
        {"client": rows_of[client], "class": columns_of[name], "held": value}
        for client, some in held.items()
        for name, value in zip(classes, some, strict=False)
        if value
    ]
    step = 22
    largest = max(map(max, held.values()))
    scale = alt.Scale(domain=[0, largest], range=[0, step * step * 0.8])
    names = list(columns_of.values())
    upright = max(map(len, names)) <= max(2, 40 // len(names))
    axis = alt.Axis(title="class", labelAngle=0 if upright else -90, ticks=False, domain=False)
    chart = alt.Chart(alt.InlineData(values=rows)).mark_circle(color=SERIES[0], opacity=0.9)
    drawn = chart.encode(
        x=alt.X("class:N", sort=names, axis=axis, scale=alt.Scale(domain=names)),
        y=alt.Y(
            "client:N",
            sort=list(rows_of.values()),
            scale=alt.Scale(domain=list(rows_of.values())),
            axis=alt.Axis(title=None, ticks=False, domain=False),
        ),
        size=alt.Size("held:Q", scale=scale, legend=None),
    )
    words = "; ".join(
        f"{client}: {', '.join(_words(some, classes)) or 'nothing'}"
        for client, some in held.items()
    )
    tall = 90 + step * len(held) + (0 if upright else 7 * _NAME)
    title = "Examples by client and class"
    return svg(alt.layer(drawn), title, f"{title}. {words}.", (width, tall))


def _words(some: Sequence[float], classes: Sequence[str]) -> list[str]:
    return [
        f"{count(value)} of {name}" for name, value in zip(classes, some, strict=False) if value
    ]
