"""Charts as SVG text: learning curves and means with their intervals.

Every chart carries its numbers as a text alternative and has no identifier that another chart on
the same page could have. Colours are CSS variables with a fallback: the page sets them for light
and dark, and a chart that is taken out of the page still shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import altair as alt
import vl_convert

from tastemaker.files import JsonObject
from tastemaker.report.labels import cut, letters, shortened
from tastemaker.report.svg import finished
from tastemaker.report.wording import clean, interval, number

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK, MUTED, RULE = "var(--ink, #1f2328)", "var(--muted, #5d6570)", "var(--rule, #dcdcd6)"
SERIES = (
    "var(--series-1, #0067a5)",
    "var(--series-2, #c04f00)",
    "var(--series-3, #00795a)",
    "var(--series-4, #a8568a)",
    "var(--series-5, #9a6b00)",
    "var(--series-6, #69707a)",
)
"""Okabe and Ito's colour-blind safe hues, darkened until they reach 3 : 1 on the page."""

SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "triangle-right")
"""One more than there are colours, so that pairs repeat late."""
WIDE, HALF, NARROW = 896, 390, 350
"""Widths in CSS pixels at which text has its designed size: a page, half of it, a telephone."""

LABEL = 18
"""Longest label of a row in letters of usual width; what is longer ends in an ellipsis."""


@dataclass(frozen=True)
class Estimate:
    """A mean with the ends of its interval."""

    label: str
    """what it is the mean of: a model, or a bucket"""
    mean: float
    low: float
    high: float
    group: str = ""
    """the model, where the label is a bucket"""

    def words(self) -> str:
        """The numbers as text."""
        name = f"{self.label}, {self.group}" if self.group else self.label
        ends = interval((self.low, self.high)) if self.low < self.high else ""
        return f"{name}: {number(self.mean)}" + (f" ({ends})" if ends else "")


def curve_chart(
    points: Sequence[tuple[float, float]],
    metric: str,
    best: float | None,
    ends: Sequence[float] = (),
) -> str:
    """A metric by epoch as a line, with the best epoch marked.

    Args:
        points: (epoch, value) in the order of epochs, at least one.
        metric: What the values are.
        best: Epoch whose weights were kept, or None.
        ends: Last epochs of stages that others follow: a line parts them, and the curve breaks.
    """
    rows = [
        {"epoch": epoch, "value": value, "stage": sum(end < epoch for end in ends)}
        for epoch, value in points
    ]
    ticks = _whole_ticks(points[0][0], points[-1][0])
    axis = alt.Axis(title="epoch", grid=False, format="~d", values=ticks, labelFlush=False)
    x = alt.X("epoch:Q", axis=axis, scale=alt.Scale(nice=False))
    y = alt.Y("value:Q", axis=alt.Axis(title=None, tickCount=5), scale=alt.Scale(zero=False))
    chart = alt.Chart(_data(rows))
    line = chart.mark_line(color=SERIES[0], strokeWidth=2).encode(x=x, y=y, detail="stage:N")
    parted = alt.Chart(_data([{"epoch": end + 0.5} for end in ends]))
    layers: list[alt.Chart] = (
        [parted.mark_rule(color=RULE, strokeWidth=2).encode(x=x)] if ends else []
    )
    layers.append(line)
    marks = [row for row in rows if row["epoch"] == best]
    if marks:
        marked = alt.Chart(_data(marks[:1])).encode(x=x)
        layers.append(marked.mark_rule(color=MUTED, strokeDash=[3, 3]))
        dot = marked.mark_point(filled=True, size=70, color=SERIES[0], opacity=1)
        layers.append(dot.encode(y=y))
    if len(rows) == 1:
        layers.append(chart.mark_point(filled=True, size=70, color=SERIES[0]).encode(x=x, y=y))
    numbers = [f"epoch {epoch:g}: {number(value)}" for epoch, value in _thinned(points)]
    where = f", best epoch {best:g}" if marks and best is not None else ""
    words = f"{metric} by epoch{where}. " + "; ".join(numbers)
    return svg(alt.layer(*layers), metric, words, (HALF, 220))


def interval_chart(rows: Sequence[Estimate], metric: str, best: str, width: int) -> str:
    """A dot and its interval for each model, in the order given; the best one stands out.

    Args:
        rows: One estimate a model, at least one.
        metric: What the means are.
        best: Label that is drawn in colour.
        width: CSS pixels in all.
    """
    values = _values(rows)
    for value, row in zip(values, rows, strict=True):
        value["text"] = number(row.mean)
        value["color"] = SERIES[0] if row.label == best else MUTED
    data = _data(values)
    labels = [v["label"] for v in values]
    room = 7 * min(LABEL, max(map(letters, labels)))  # the reader's font may be wider than ours
    axis = alt.Axis(title=None, grid=False, domain=False, ticks=False, minExtent=room)
    y = alt.Y("label:N", sort=labels, axis=axis, scale=alt.Scale(padding=0.7))
    color = alt.Color("color:N", scale=None, legend=None)
    base = alt.Chart(data).encode(y=y, color=color)
    scale = alt.Scale(zero=True)
    x = alt.X("mean:Q", scale=scale, axis=alt.Axis(title=None, tickCount=5, labelFlush=False))
    rule = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    dot = base.mark_point(filled=True, size=90, opacity=1).encode(x=x)
    edge = 0.05 * max(row.high for row in rows)  # a number there would stand over the names
    shown = base.encode(x=x, text="text:N")
    left = shown.transform_filter(f"datum.mean < {edge}").mark_text(
        dy=-12, fontSize=12, align="left"
    )
    middle = shown.transform_filter(f"datum.mean >= {edge}").mark_text(dy=-12, fontSize=12)
    words = f"{metric} by model with 95 % intervals. " + "; ".join(r.words() for r in rows)
    size = (width, 40 + 36 * len(rows))
    return svg(alt.layer(rule, dot, left, middle), metric, words, size)


def bucket_chart(rows: Sequence[Estimate], metric: str, title: str, width: int) -> str:
    """Dots with intervals side by side: a column a bucket, a colour and a shape a model.

    Args:
        rows: Estimates labelled by bucket and grouped by model, at least one.
        metric: What the means are.
        title: What the buckets are buckets of.
        width: CSS pixels in all.
    """
    values = _values(rows)
    buckets, models = (list(dict.fromkeys(v[key] for v in values)) for key in ("label", "group"))
    small = width < WIDE
    columns = 6 if not small else 3 if max(map(letters, models)) < 14 else 2
    axis = alt.Axis(
        title=cut(clean(title), 2 * LABEL),
        labelAngle=0,
        labelExpr="split(datum.label, ' · ')",
        ticks=False,
        grid=False,
    )
    x = alt.X("label:N", sort=buckets, axis=axis, scale=alt.Scale(paddingInner=0.25))
    offset = alt.XOffset("group:N", sort=models)
    legend = alt.Legend(orient="top", title=None, columns=columns)
    color = alt.Color("group:N", scale=alt.Scale(domain=models, range=_cycle(SERIES, models)))
    shape = alt.Shape("group:N", scale=alt.Scale(domain=models, range=_cycle(SHAPES, models)))
    base = alt.Chart(_data(values)).encode(x=x, xOffset=offset)
    y_axis = alt.Axis(title=None, tickCount=5)
    rule = base.mark_rule(strokeWidth=1.5, opacity=0.75).encode(
        y=alt.Y("low:Q", axis=y_axis), y2="high:Q", color=color.legend(legend)
    )
    dot = base.mark_point(filled=True, size=30 if small else 60, opacity=1).encode(
        y=alt.Y("mean:Q"), color=color.legend(legend), shape=shape.legend(legend)
    )
    words = f"{metric} by {title} and model, 95 % intervals. " + "; ".join(r.words() for r in rows)
    return svg(alt.layer(rule, dot), metric, words, (width, 320))


def _whole_ticks(first: float, last: float) -> list[int]:
    """At most seven whole numbers from `first` to `last`, multiples of a round step."""
    rounds = (unit * 10**power for power in range(300) for unit in (1, 2, 5))
    step = next(size for size in rounds if (last - first) / size <= 6)
    return list(range(-int(-first // step) * step, int(last) + 1, step))


def _data(rows: Sequence[Mapping[str, object]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _values(rows: Sequence[Estimate]) -> list[JsonObject]:
    groups = shortened([row.group for row in rows], LABEL)
    room = 2 * LABEL if rows[0].group else LABEL  # a bucket has a second line
    labels = shortened([row.label for row in rows], room)
    return [asdict(row) | {"label": labels[row.label], "group": groups[row.group]} for row in rows]


def _cycle(choices: Sequence[str], names: Sequence[str]) -> list[str]:
    return [choices[place % len(choices)] for place in range(len(names))]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most about twelve points, the last one among them: what a listener can follow."""
    step = max(1, -(-len(points) // 12))
    return points[(len(points) - 1) % step :: step]


def svg(
    chart: alt.LayerChart | alt.FacetChart, title: str, words: str, size: tuple[int, int]
) -> str:
    """An Altair chart of `size` CSS pixels in the style of the page; `words` say what it shows."""
    heading = alt.TitleParams(
        cut(clean(title), 2 * LABEL), anchor="start", frame="bounds", fontSize=14, offset=14
    )
    whole = chart.properties(
        width=size[0],
        height=size[1],
        title=heading,
        background="transparent",
        padding={"left": 0, "top": 2, "right": 4, "bottom": 2},
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    whole = whole.configure(font=FONT, aria=False).configure_view(stroke=None)
    whole = whole.configure_title(color=INK, fontWeight=600)
    whole = whole.configure_axis(
        labelColor=MUTED,
        titleColor=MUTED,
        titleFontWeight="normal",
        labelFontSize=12,
        titleFontSize=12,
        gridColor=RULE,
        domainColor=RULE,
        tickColor=RULE,
        labelPadding=6,
        labelLimit=0,
    ).configure_legend(
        labelLimit=0, labelColor=INK, labelFontSize=12, symbolSize=70, symbolOpacity=1
    )
    picture: str = vl_convert.vegalite_to_svg(json.dumps(whole.to_dict()))
    return finished(picture, clean(words))
