"""The sections of the report as plain values: what the template prints, with pictures drawn.

Each function takes cleaned results, of which any part may be missing; an empty value means that
the section has nothing to show.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from tastemaker.options import HEADLINE
from tastemaker.report import charts, facts, tables
from tastemaker.report.interests import interests, remarks
from tastemaker.report.reasoning import thinker, thoughts
from tastemaker.report.tables import listed, objects, part
from tastemaker.report.wording import (
    MISSING,
    count,
    finite,
    interval,
    number,
    percent,
    setting,
    things,
)

RECENT = 8
"""Events of a user's history that are shown."""


def head(results: Mapping[str, object]) -> dict[str, object]:
    """Name, best model, its headline metrics, why it is recommended with, warnings."""
    best = str(results.get("best", ""))
    measured = part(part(results, "models"), best)
    figures = []
    for metric in (HEADLINE, "hr@10"):
        value = part(measured, metric)
        if finite(value.get("mean")) is not None:
            ends = interval(value.get("ci95"))
            figures.append((metric.upper(), number(value.get("mean")), ends))
    users = part(results, "split").get("test_users")
    return {
        "run": str(results.get("run", "")),
        "data": str(part(results, "data").get("name", "unnamed data")),
        "best": best,
        "hit": percent(part(measured, "hr@10").get("mean")) if len(figures) == 2 else "",
        "users": "" if finite(users) is None else things(users, "test user"),
        "figures": figures,
        "why": str(results.get("why", "")),
        "choice": tables.choice(results),
        "warnings": [str(warning) for warning in listed(results, "warnings")],
    }


def data(results: Mapping[str, object]) -> dict[str, object]:
    """What was learned from, what of it was not and why, and how it was divided."""
    dataset, split = part(results, "data"), part(results, "split")
    return {
        "facts": facts.facts(dataset),
        "licence": str(dataset.get("licence", "")),
        "warnings": [str(warning) for warning in listed(dataset, "warnings")],
        "events": facts.events(dataset),
        "not_learnt": facts.not_learnt(dataset),
        "split": str(split.get("name", "")),
        "split_facts": facts.split_facts(split),
    }


def curve(
    metrics: Sequence[Mapping[str, object]], training: Mapping[str, object]
) -> dict[str, object]:
    """Training loss and validation metric by epoch, drawn; no charts when nothing was trained."""
    best, stages = finite(training.get("best_epoch")), _stages(metrics)
    ends = [last for _, _, last in stages[:-1]]
    drawn = []
    for key, title in (("loss", "Training loss"), (HEADLINE, "Validation NDCG@10")):
        points = [
            (finite(line.get("epoch")), finite(line.get(key)))
            for line in metrics
            if finite(line.get(key)) is not None
        ]
        known = [
            (epoch, value) for epoch, value in points if epoch is not None and value is not None
        ]
        if known:
            drawn.append(Markup(charts.curve_chart(known, title, best, ends)))
    unfinished = training.get("converged") is False
    spans = [
        f"{name} (epoch {first:g})" if first == last else f"{name} (epochs {first:g}–{last:g})"
        for name, first, last in stages
    ]
    return {
        "charts": drawn,
        "training": _training(training),
        "unfinished": unfinished,
        "stages": ", ".join(spans),
    }


def _stages(metrics: Sequence[Mapping[str, object]]) -> list[tuple[str, float, float]]:
    """Name, first and last epoch of each stage, of a training that had any."""
    lasts: dict[str, float] = {}
    for line in metrics:
        stage = line.get("stage")
        if (epoch := finite(line.get("epoch"))) is not None and isinstance(stage, str):
            lasts[stage] = epoch
    firsts = [1.0, *(last + 1 for last in lasts.values())]
    return [(name, first, last) for (name, last), first in zip(lasts.items(), firsts, strict=False)]


def _training(training: Mapping[str, object]) -> list[tuple[str, str]]:
    best = finite(training.get("best"))
    shown = {
        "Model": str(training.get("model", "")),
        "Epochs": count(training.get("epochs")),
        "Steps": count(training.get("steps")),
        "Best epoch": count(training.get("best_epoch")),
        "Best validation value": number(best),
        "Converged": setting(training["converged"]) if "converged" in training else "",
        "CPU seconds": count(training.get("cpu_seconds")),
    }
    return [(name, value) for name, value in shown.items() if value not in ("", MISSING)]


def models(results: Mapping[str, object]) -> dict[str, object]:
    """Tables of all models, the chart of the headline metric, paired comparisons."""
    measured, best = part(results, "models"), str(results.get("best", ""))
    headline = {name: part(part(measured, name), HEADLINE) for name in tables.ordered(measured)}
    rows = tables.estimates(headline)
    drawn = _both(partial(charts.interval_chart, rows, "NDCG@10", best)) if rows else []
    protocol = part(results, "protocol")
    return {
        "chart": drawn,
        "accuracy": tables.accuracy(measured, best),
        "beyond": tables.beyond_accuracy(measured, best),
        "comparisons": tables.comparisons(results),
        "skipped": tables.settings(part(results, "skipped")),
        "filter_seen": protocol.get("filter_seen"),
        "candidates": str(protocol.get("candidates", "")),
    }


def buckets(results: Mapping[str, object]) -> list[dict[str, object]]:
    """Quality by bucket: a chart and its numbers for each way to divide users or items."""
    shown: list[dict[str, object]] = []
    order = tables.ordered(part(results, "models"))
    held = part(results, "buckets")
    for title in held:
        rows = objects(held, title)
        names = [name for name in order if any(name in part(row, "models") for row in rows)]
        drawn = [e for row in rows for e in _bucket(row, names)]
        if not drawn:
            continue
        chart = _both(partial(charts.bucket_chart, drawn, "NDCG@10", title))
        table = [
            (
                str(row.get("bucket", "")),
                count(row.get("n")),
                [_cell(part(part(row, "models"), name)) for name in names],
            )
            for row in rows
        ]
        shown.append({"title": title, "chart": chart, "models": names, "rows": table})
    return shown


def _bucket(row: Mapping[str, object], names: Sequence[str]) -> list[charts.Estimate]:
    label = str(row.get("bucket", ""))
    if finite(row.get("n")) is not None:
        label += f" · n {count(row['n'])}"
    return tables.estimates({n: part(part(row, "models"), n) for n in names}, label)


def _cell(value: Mapping[str, object]) -> tables.Cell:
    return tables.Cell(number(value.get("mean")), interval(value.get("ci95")))


def _both(draw: Callable[[int], str]) -> list[Markup]:
    return [Markup(draw(width)) for width in (charts.WIDE, charts.NARROW)]


def examples(results: Mapping[str, object]) -> list[dict[str, object]]:
    """Users with what they chose next and before, newest first, and what was recommended.

    `results.json` lists a history newest first, what came next in the order of time.
    """
    shown, users = [], objects(results, "examples")
    for example, said in zip(users, remarks(users), strict=True):
        items = objects(example, "recommendations")
        shown.append(
            {
                "user": str(example.get("user", "")),
                "history": [str(title) for title in listed(example, "history")][:RECENT],
                "held_out": [str(title) for title in listed(example, "held_out")][::-1],
                "items": [
                    {
                        "title": str(item.get("title") or item.get("item", "")),
                        "categories": ", ".join(map(str, listed(item, "categories"))),
                        "intent": str(item.get("intent", "")),
                        "hit": item.get("hit") is True,
                    }
                    for item in items
                ],
                "hits": sum(item.get("hit") is True for item in items),
                "thoughts": thoughts(example),
                "thinker": thinker(results),
                **interests(example),
                "remarks": said,
            }
        )
    return shown


def made(results: Mapping[str, object], options: Mapping[str, object]) -> dict[str, object]:
    """Command, options, seeds, hashes, versions and commit."""
    identity = {
        "Updated": _updated(part(results, "updated")),
        "Commit": results.get("commit"),
        "Data sha256": part(results, "data").get("sha256"),
        "Split sha256": part(results, "split").get("sha256"),
        "Seeds": results.get("seeds", results.get("seed")),
    }
    groups = {
        "Evaluation": part(results, "protocol"),
        "Blend weights": part(results, "blend"),
        "Training options": part(part(results, "training"), "config"),
        "Versions": part(results, "versions"),
    }
    return {
        "command": str(results.get("command", "")) or _command(options),
        "identity": [(k, setting(v)) for k, v in identity.items() if v not in (None, "", [])],
        "groups": [(name, tables.settings(group)) for name, group in groups.items() if group],
    }


def _updated(updated: Mapping[str, object]) -> str:
    """From which run and by what news this one was made; empty for a first one."""
    if not updated:
        return ""
    news = [things(updated.get(f"{one}s"), f"new {one}") for one in ("event", "user", "item")]
    weights = "from its weights" if updated.get("start") == "grown" else "afresh"
    return f"from {updated.get('from')}: {', '.join(news)}; the neural model began {weights}"


def _command(options: Mapping[str, object]) -> str:
    """The command that makes the run again, from the options it was given; or nothing."""
    if "data" not in options or "updated" in options:
        return ""  # the data of an update are in no folder but its own
    words = ["tastemaker", "run"]
    for name in ("data", "model", "split", "seed"):
        if name in options:
            words += [f"--{name}", str(options[name])]
    words += ["--repeats"] if options.get("repeats") is True else []
    return shlex.join(words)
