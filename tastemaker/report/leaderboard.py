"""The page of a leaderboard: rankings with intervals, and where models find too little or miscount.

One file without scripts or requests, in the style of a run's page.
"""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
from markupsafe import Markup

from tastemaker.report import charts, tables
from tastemaker.report.charts import HALF, MUTED, NARROW, SERIES, SHAPES, WIDE, Estimate
from tastemaker.report.labels import shortened
from tastemaker.report.tables import Column, objects, part
from tastemaker.report.templates import page_of
from tastemaker.report.wording import clean, count, finite, number

COLUMNS = (
    Column("hm", "HM", "harmonic mean of IG_F1 and IS", digits=3),
    Column("ig_f1", "IG_F1", "harmonic mean of precision and coverage", digits=3),
    Column("ig_p", "IG_P", "share of what is named that its evidence proves", digits=3),
    Column("ig_r", "IG_R", "share of what is known of a user that is found and proved", digits=3),
    Column("is", "IS", "share of the cited items that a judge picks by the name", digits=3),
    Column("validity", "Citations", "share of cited ids that exist", digits=3),
    Column("compliance", "Compliant", "share of interests that cite enough", digits=3),
)


def render(board: Mapping[str, object]) -> str:
    """The page as HTML text.

    Args:
        board: What `understand.leaderboard` returns.
    """
    rankings = [ranking_shown(one) for one in objects(clean(dict(board)), "rankings")]
    return page_of("leaderboard.html", rankings=rankings)


def ranking_shown(ranking: Mapping[str, object]) -> dict[str, object]:
    """What the page prints of one ranking."""
    models, judge = part(ranking, "models"), part(ranking, "judge")
    best, by = next(iter(models), ""), str(ranking.get("by") or "")
    task = part(ranking, "task")
    title = {column.metric: column.title for column in COLUMNS}.get(by, by)
    headline = tables.estimates({name: part(part(models, name), by) for name in models})
    hashes = {
        "Task": task.get("sha256"),
        "Oracle": ranking.get("oracle_sha256"),
        "Taxonomy": ranking.get("taxonomy_sha256"),
        "Judge": judge.get("identity"),
    }
    return {
        "name": str(task.get("name", "")),
        "note": str(task.get("note", "")),
        "mode": str(ranking.get("mode", "")),
        "judge": str(judge.get("name", "nobody")),
        "users": count(ranking.get("users")),
        "excluded": count(ranking.get("excluded")),
        "by": title,
        "chart": _both(headline, title, best) if headline else [],
        "table": tables.model_table(models, best, COLUMNS),
        "comparisons": tables.comparisons(ranking),
        "coverage": coverage_charts(models),
        "counting": counting_charts(part(ranking, "counting_by_items")),
        "failures": [
            (name, count(own.get("users")), count(own.get("interests")))
            for name, own in ((name, part(part(ranking, "failures"), name)) for name in models)
        ],
        "hashes": [(name, str(value or "none")) for name, value in hashes.items()],
    }


def _both(rows: list[Estimate], title: str, best: str) -> list[Markup]:
    drawn = (charts.interval_chart(rows, title, best, width) for width in (WIDE, NARROW))
    return [*map(Markup, drawn)]


def coverage_charts(models: Mapping[str, object]) -> list[Markup]:
    """Precision against coverage, wide and narrow; empty where nobody has both."""
    known = [(name, _cell(models, name, "ig_r"), _cell(models, name, "ig_p")) for name in models]
    rows = [(name, x, y) for name, x, y in known if x and y]
    return [Markup(coverage_chart(rows, width)) for width in (WIDE, NARROW)] if rows else []


def _cell(models: Mapping[str, object], name: str, metric: str) -> Estimate | None:
    return next(iter(tables.estimates({metric: part(part(models, name), metric)})), None)


def coverage_chart(rows: list[tuple[str, Estimate, Estimate]], width: int) -> str:
    """A point a model with both intervals; below the diagonal more is found than is proved.

    Args:
        rows: Model, coverage and precision.
        width: CSS pixels in all.
    """
    labels = shortened([name for name, _, _ in rows], charts.LABEL)
    values = [
        {"model": labels[name], "x": x.mean, "x1": x.low, "x2": x.high}
        | {"y": y.mean, "y1": y.low, "y2": y.high}
        for name, x, y in rows
    ]
    names = [str(value["model"]) for value in values]
    data, scale = alt.InlineData(values=values), alt.Scale(domain=[0, 1], clamp=True)
    legend = alt.Legend(orient="top", title=None, columns=6 if width >= WIDE else 2)
    domain = alt.Scale(domain=names, range=[SERIES[n % len(SERIES)] for n in range(len(names))])
    shapes = alt.Scale(domain=names, range=[SHAPES[n % len(SHAPES)] for n in range(len(names))])
    color = alt.Color("model:N", scale=domain, legend=legend)
    x = alt.X("x:Q", scale=scale, axis=alt.Axis(title="coverage, IG_R", tickCount=5))
    y = alt.Y("y:Q", scale=scale, axis=alt.Axis(title="precision, IG_P", tickCount=5))
    base = alt.Chart(data)
    across = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("x1:Q", scale=scale), x2="x2:Q", y=y, color=color
    )
    down = base.mark_rule(strokeWidth=1.5).encode(
        x=x, y=alt.Y("y1:Q", scale=scale), y2="y2:Q", color=color
    )
    shape = alt.Shape("model:N", scale=shapes, legend=legend)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=x, y=y, color=color, shape=shape
    )
    ends = alt.InlineData(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    diagonal = alt.Chart(ends).mark_line(color=MUTED, strokeDash=[3, 3], strokeWidth=1)
    equal = diagonal.encode(x=x, y=y)
    said = "; ".join(f"{n}: precision {_said(p)}, coverage {_said(r)}" for n, r, p in rows)
    words = f"Precision against coverage by model with 95 % intervals. {said}"
    picture = alt.layer(equal, across, down, dots)
    return charts.svg(picture, "Precision against coverage", words, (width, 380))


def _said(cell: Estimate) -> str:
    return f"{number(cell.mean, 3)} ({number(cell.low, 3)} to {number(cell.high, 3)})"


def counting_charts(held: Mapping[str, object]) -> list[Markup]:
    """A chart a polarity: error by cited items of an interest and model."""
    kinds: dict[str, list[Estimate]] = {}
    for model in held:
        for row in objects(held, model):
            label = _group(row.get("first"), row.get("last"))
            cells = tables.estimates({model: part(row, "error")}, label)
            kinds.setdefault(str(row.get("kind", "")), []).extend(cells)
    drawn = []
    for kind, rows in kinds.items():
        title, by = f"Error: {kind.replace('_', ' ')}", "cited items of an interest"
        ordered = sorted(rows, key=lambda row: _start(row.label))
        drawn += [Markup(charts.bucket_chart(ordered, title, by, HALF))] if rows else []
    return drawn


def _start(label: str) -> int:
    return int(label.split("–")[0].rstrip("+"))


def _group(first: object, last: object) -> str:
    if finite(last) is None:
        return f"{count(first)}+"
    return count(first) if first == last else f"{count(first)}–{count(last)}"
