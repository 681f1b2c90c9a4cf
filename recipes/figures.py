"""The figures of the docs: what `results/*.json` holds, as SVG, with the numbers as its text.

Relations are differences with their intervals beside 0; benchmarks are ratios to a peer beside the
bar they must reach; growth is CPU-seconds by size. What a row is stands above it, not beside it, so
that a figure is narrow enough to be read on a telephone.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import altair as alt

from tastemaker.metrics.comparisons import Verdict
from tastemaker.report.charts import INK, MUTED, RULE, SERIES, svg

COLOURS: dict[Verdict, str] = {"holds": SERIES[0], "fails": SERIES[1]}
"""Of verdicts; all others are grey."""

WIDTH = 480
"""CSS pixels: three quarters of it still leave text that can be read."""
LETTERS = 68
"""Longest line above a row."""
FEW = 7
"""Most metrics that an axis names."""
VERDICT = 14
"""Letters of it that are kept for a verdict."""


def figure(found: dict[str, Any]) -> str:
    """SVG of one result, or nothing where it holds neither relations, ratios nor growth."""
    if found.get("relations"):
        return _relations(found)
    if found["name"] == "scaling":
        return _growth(found)
    return _ratios(found) if "rows" in found else ""


def _relations(found: dict[str, Any]) -> str:
    """Differences in the order of the claims."""
    metrics = sorted({one["metric"].upper() for one in found["relations"]})
    values = [
        {
            "claim": f"{one['id']}  {_capital(one['claim'])}"
            + (f" ({one['metric'].upper()})" if len(metrics) > 1 else ""),
            "difference": one["difference"],
            "low": one["ci95"][0],
            "high": one["ci95"][1],
            "verdict": one["verdict"],
            "color": COLOURS.get(one["verdict"], MUTED),
        }
        for one in found["relations"]
    ]
    of = f" in {' or '.join(metrics)}" if len(metrics) <= FEW else ""  # rows name them too
    title = f"difference{of}, 95 % interval"
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=MUTED)
    rows = _Rows("claim", values, LETTERS - VERDICT)
    base = rows.base.encode(color=alt.Color("color:N", scale=None))
    axis = alt.Axis(title=title, tickCount=6, format="+.3~f")
    x = alt.X("difference:Q", axis=axis)
    chart = alt.layer(
        zero.encode(x="at:Q"),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=x),
        rows.names(),
        base.mark_text(dy=-12, fontSize=12, align="right", baseline="bottom").encode(
            x=alt.value("width"), text="verdict:N"
        ),
    )
    where = f"{found['data']}, {found['users']:,} users"
    words = "; ".join(
        f"{value['claim']}: {value['difference']:+.4f} from {value['low']:+.4f} to "
        f"{value['high']:+.4f}, {value['verdict']}"
        for value in values
    )
    return on_paper(svg(chart, where, words, (WIDTH, 70 + rows.height)))


def _ratios(found: dict[str, Any]) -> str:
    """Ratios to peers on a logarithmic axis, with the smallest and largest pair and the bar."""
    values = []
    for row in found["rows"]:
        read = re.match(r"([\d.]+) \(([\d.]+)–([\d.]+)\)$", str(row["ratio"]))
        if read and "our own" not in row["what"]:
            ratio, low, high = map(float, read.groups())
            bar = float(row["target"].strip("≥ ")) if row["target"] else None
            values.append(
                {"what": row["what"], "ratio": ratio, "low": low, "high": high, "bar": bar}
            )
    if not values:
        return ""
    rows = _Rows("what", values, LETTERS)
    base = rows.base
    steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    title = "times the peer (least, median, most of the pairs); orange: the bar"
    axis = alt.Axis(title=title, format="~f", values=steps)
    x = alt.X("ratio:Q", axis=axis, scale=alt.Scale(type="log", domainMin=1))
    chart = alt.layer(
        base.mark_rule(strokeWidth=2, color=SERIES[0]).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=SERIES[0]).encode(x=x),
        base.mark_tick(thickness=3, size=16, color=SERIES[1]).encode(x="bar:Q"),
        rows.names(),
    )
    words = "; ".join(f"{v['what']}: {v['ratio']} from {v['low']} to {v['high']}" for v in values)
    size = (WIDTH, 70 + rows.height)
    return on_paper(svg(chart, "throughput against other packages", words, size))


def _growth(found: dict[str, Any]) -> str:
    """CPU-seconds of each stage by the number of interactions; equal slopes are parallel lines."""
    stages = [name for name in next(iter(found["cases"].values())) if name != "peak_mb"]
    values = [
        {"stage": stage, "interactions": int(size), "seconds": case[stage]}
        for size, case in found["cases"].items()
        for stage in stages
    ]
    color = alt.Color(
        "stage:N",
        scale=alt.Scale(domain=stages, range=list(SERIES[: len(stages)])),
        legend=alt.Legend(title=None, orient="top"),
    )
    powers = [10.0**power for power in range(-3, 9)]
    size, seconds = (alt.Axis(values=powers, format=form) for form in ("~s", "~g"))
    log = alt.Scale(type="log")
    x = alt.X("interactions:Q", scale=log, axis=size)
    y = alt.Y("seconds:Q", scale=log, axis=seconds, title="CPU-seconds")
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y, color=color)
    chart = alt.layer(base.mark_line(), base.mark_point(filled=True, size=60, opacity=1))
    words = "; ".join(f"{v['stage']} {v['interactions']:,}: {v['seconds']:.3f} s" for v in values)
    return on_paper(svg(chart, "growth with the log", words, (WIDTH, 320)))


def fronts(found: dict[str, Any]) -> str:
    """What each method's dial trades: a line through its points in the order of the dial."""
    axes = found.get("axes", ["recall at 50", "relevance at 50"])
    values = [
        {"method": name, "step": step, "x": x, "y": y}
        for name, points in found["fronts"].items()
        for step, (x, y) in enumerate(points)
    ]
    names = list(found["fronts"])
    color = alt.Color(
        "method:N",
        scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])),
        legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=WIDTH),
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("x:Q", title=axes[0], scale=alt.Scale(zero=False)),
        y=alt.Y("y:Q", title=axes[1], scale=alt.Scale(zero=False)),
        color=color,
    )
    line = base.mark_line(strokeWidth=1.5).encode(order="step:O", detail="method:N")
    chart = alt.layer(line, base.mark_point(filled=True, size=40, opacity=1))
    words = "; ".join(
        f"{name}: " + ", ".join(f"{x:.3f} {y:.3f}" for x, y in points)
        for name, points in found["fronts"].items()
    )
    what = " and ".join(axis.split(" at ")[0].split(" a request")[0] for axis in axes)
    return on_paper(svg(chart, f"{found['data']}: {what}", words, (WIDTH, 380)))


class _Rows:
    """One row a value in the order given, its name above it in as many lines as it takes."""

    def __init__(self, field: str, values: list[dict[str, Any]], letters: int) -> None:
        for value in values:
            value["lines"] = textwrap.wrap(str(value[field]), letters)
        most = max(len(value["lines"]) for value in values)
        self.height = (36 + 15 * most) * len(values)
        style = {"grid": True, "gridColor": RULE, "domain": False, "ticks": False}
        axis = alt.Axis(title=None, labels=False, **style)
        self.y = alt.Y(f"{field}:N", sort=[value[field] for value in values], axis=axis)
        self.values = values
        self.base = alt.Chart(alt.InlineData(values=values)).encode(y=self.y)

    def names(self) -> Any:
        """A layer for names of one line, one for those of two, and so on: all end above the row."""
        text = {"align": "left", "baseline": "bottom", "fontSize": 12, "lineHeight": 15}
        layers = []
        for lines in sorted({len(value["lines"]) for value in self.values}):
            some = [value for value in self.values if len(value["lines"]) == lines]
            chart = alt.Chart(alt.InlineData(values=some)).encode(y=self.y, x=alt.value(0))
            layers.append(
                chart.mark_text(color=INK, dy=3 - 15 * lines, **text).encode(text="lines:N")
            )
        return alt.layer(*layers)


def _capital(text: str) -> str:
    name = text[1:2].isupper()  # such as eSASRec
    return text if name else text[0].upper() + text[1:]


def on_paper(picture: str) -> str:
    """On white: an image does not know whether the page around it is dark."""
    return picture.replace("<svg ", '<svg style="background:#fff" ', 1)
