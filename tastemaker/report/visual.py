"""The page of a training of visual tool use: how often the tool, how often right, and what it did.

One file without scripts or requests, in the style of a run's page; the pictures of its examples,
edited ones among them, lie inside it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from tastemaker import files, records
from tastemaker.report import tables
from tastemaker.report.curves import Axes, curve, curves_chart
from tastemaker.report.page import NAME, Section, pictures_in
from tastemaker.report.tables import objects, part
from tastemaker.report.templates import page_of
from tastemaker.report.wording import clean, count, interval, number, percent, setting

MONITORS = {
    "reward": "Share of right answers, in training",
    "used": "Share that used the tool",
    "unchanged": "Share whose call changed nothing",
    "failed": "Share whose code failed",
    "rolled_back": "Share that lost the tool's image",
    "length": "Tokens a rollout",
    "entropy": "Entropy, nats",
    "loss": "Loss",
}
"""Monitors that are drawn, in their order."""
OUTCOMES = {
    "direct": "answered at once",
    "used": "used the tool",
    "unchanged": "looked again, at an unchanged picture",
    "failed": "its code failed",
}
_ENDS = dict.fromkeys(("reward", "used", "unchanged", "failed", "rolled_back"), (0, 1))
"""Between which values a monitor lies, whatever was measured."""
_MOST_BYTES = 2_000_000
"""Of a picture, beyond which it is none of ours."""
KEPT = {
    "yes": "kept: accuracy on held-out questions did not fall",
    "no": "not kept: accuracy on held-out questions fell",
    "unchecked": "unchecked",
}
Pictures = Mapping[str, bytes]
"""Name → the bytes of a PNG."""


def write_page(run: Path) -> Path:
    """Write `report.html` from `results.json`, `metrics.jsonl` and the examples of a folder."""
    results = files.read_json(run / "results.json")
    pictures = pictures_in(run / "examples", ".png", _MOST_BYTES)
    path, lines = run / NAME, records.read(run / "metrics.jsonl")
    files.write_text(path, render(results, lines, pictures, run.resolve().name))
    return path


def render(
    results: Mapping[str, object],
    metrics: Sequence[Mapping[str, object]],
    pictures: Pictures,
    run: str = "",
) -> str:
    """The page as HTML text.

    Args:
        results: Contents of `results.json`; any part may be missing.
        metrics: Lines of `metrics.jsonl`.
        pictures: Those that examples show.
        run: Name of the folder.
    """
    looked = [in_lines(one) for one in objects(results, "examples")]
    told: Mapping[str, object] = clean({**results, "examples": looked})
    sections = [
        (Section("visual", "When it looked closer", lambda run: None), visual(told, metrics)),
        (Section("visual_examples", "Examples", lambda run: None), examples(told, pictures)),
        (Section("made", "How this was made", lambda run: None), made(told)),
    ]
    kept = [(section, shown) for section, shown in sections if shown]
    return page_of("visual_run.html", run=clean(run), head=head(told), sections=kept)


def head(results: Mapping[str, object]) -> dict[str, object]:
    """Model, accuracy, tool rate, and whether what was learned is kept."""
    before, after = part(results, "before"), part(results, "after")
    return {
        "model": str(part(results, "model").get("name", "")),
        "kept": KEPT.get(str(results.get("kept")), ""),
        "why": str(results.get("why", "")),
        "figures": [
            (title, percent(after.get(name)), percent(before.get(name)))
            for title, name in (("Right answers", "accuracy"), ("Tool rate", "tool_rate"))
            if after.get("questions")
        ],
        "warnings": [str(one) for one in tables.listed(results, "warnings")],
    }


def visual(
    results: Mapping[str, object], metrics: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Accuracy before and after, by what became of a question and by its kind; the monitors."""
    data, accuracy = part(results, "data"), part(results, "accuracy")
    before, after = part(results, "before"), part(results, "after")
    facts = {
        "Questions to learn from": count(data.get("train")),
        "Held out": count(data.get("held_out")),
        "With boxes": count(data.get("boxed")),
        "Weights of the model": count(part(results, "model").get("weights")),
        "Right by the published rule": percent(after.get("accuracy_pix2struct")),
        "F1 of the parts of answers": number(after.get("f1"), 3),
        "Answers given": percent(after.get("answered")),
        "Rolled back in training": percent(part(results, "training").get("rolled_back")),
    }
    means = [
        (name, number(part(accuracy, name).get("mean"), 3, name == "change"),
         interval(part(accuracy, name).get("ci95"), 3, name == "change"))
        for name in ("before", "after", "change") if name in accuracy
    ]  # fmt: skip
    parts = [
        *_parts(before, after, "by_outcome", OUTCOMES), *_parts(before, after, "by_kind", {}),
    ]  # fmt: skip
    return {
        "facts": list(facts.items()),
        "accuracy": means,
        "parts": parts,
        "charts": [
            Markup(curves_chart({"": points}, title, Axes(ends=_ENDS.get(name))))
            for name, title in MONITORS.items()
            if (points := curve(metrics, name))
        ],
    }


def _parts(
    before: Mapping[str, object], after: Mapping[str, object], name: str, titles: Mapping[str, str]
) -> list[dict[str, object]]:
    """Rows of a table: questions and share of right answers, before and after."""
    one, other = part(before, name), part(after, name)
    return [
        {
            "name": titles.get(kind, kind),
            "cells": [
                (count(part(some, kind).get("count")), percent(part(some, kind).get("accuracy")),
                 percent(part(some, kind).get("tool_rate")))
                if kind in some else ("0", "–", "–")
                for some in (one, other)
            ],
        }
        for kind in dict.fromkeys([*one, *other])
    ]  # fmt: skip


def examples(results: Mapping[str, object], pictures: Pictures) -> list[dict[str, object]]:
    """Questions with the steps that the model took."""
    return [shown(one, pictures) for one in objects(results, "examples")]


def shown(one: Mapping[str, object], pictures: Pictures) -> dict[str, object]:
    """What `in_lines` made of a question, as `visual_steps.html` prints it."""
    return {
        "question": str(one.get("question", "")),
        "answer": one.get("answer"),
        "right": one.get("right"),
        "correct": bool(one.get("correct")),
        "outcome": OUTCOMES.get(str(one.get("outcome")), ""),
        "picture": uri(pictures.get(str(one.get("picture")))),
        "again": "unchanged" if one.get("outcome") == "unchanged" else "edited",
        "steps": [
            {
                "text": "\n".join(map(str, tables.listed(step, "text"))),
                "code": "\n".join(map(str, tables.listed(step, "code"))),
                "told": step.get("told"),
                "image": uri(pictures.get(str(step.get("image")))),
            }
            for step in objects(one, "steps")
        ],
    }


def in_lines(one: Mapping[str, object]) -> dict[str, object]:
    """A question whose steps have text and code line by line: `clean` puts a text on one line."""
    names = ("text", "code")
    return {
        **one,
        "steps": [
            {**step, **{name: str(step.get(name) or "").splitlines() for name in names}}
            for step in objects(one, "steps")
        ],
    }


def uri(picture: bytes | None) -> str:
    """A PNG as it stands in a page; empty without one."""
    if picture is None:
        return ""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def made(results: Mapping[str, object]) -> dict[str, object]:
    """Options, hashes, versions and commit."""
    identity = {
        "Commit": results.get("commit"),
        "Model sha256": part(results, "model").get("sha256"),
        "Questions": part(results, "data").get("name"),
    }
    vtool = part(results, "vtool")
    beside = {name: value for name, value in vtool.items() if name != "learning"}
    learning = {"lora": part(results, "model").get("lora"), **part(vtool, "learning")}
    groups = {"Tools": beside, "Learning": learning, "Versions": part(results, "versions")}
    return {
        "command": "",
        "identity": [(k, setting(v)) for k, v in identity.items() if v not in (None, "", [])],
        "groups": [(name, tables.settings(group)) for name, group in groups.items() if group],
    }
