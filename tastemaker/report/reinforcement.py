"""The page of a reinforcement: what was learned from, whether it is kept, and what could collapse.

One file without scripts or requests, in the style of a run's page. Its one section of its own
stands before how it was made; monitors are drawn by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from tastemaker import files, records
from tastemaker.report import tables
from tastemaker.report.curves import Axes, curve, curves_chart
from tastemaker.report.page import NAME, Section
from tastemaker.report.tables import part
from tastemaker.report.templates import page_of
from tastemaker.report.wording import clean, count, interval, number, percent, setting

MONITORS = {
    "held_out": "Accuracy on held-out prompts",
    "majority": "Votes of the commonest answer",
    "distinct": "Different answers a prompt",
    "commonest": "Share of one answer over all prompts",
    "penalised": "Groups pushed down",
    "correlation": "Votes and advantage, correlation",
    "unreadable": "Replies without an answer",
    "entropy": "Entropy, nats",
    "length": "Tokens a reply",
    "kl": "Divergence from before",
    "loss": "Loss",
}
"""Monitors that are drawn, in their order."""
_ENDS = {
    **dict.fromkeys(("held_out", "majority", "commonest", "penalised", "unreadable"), (0, 1)),
    "correlation": (-1, 1),
}
"""Between which values a monitor lies, whatever was measured."""


def write_page(run: Path) -> Path:
    """Write `report.html` from `results.json`, `metrics.jsonl` and `config.json` of a folder."""
    results = files.read_json(run / "results.json")
    path = run / NAME
    files.write_text(path, render(results, records.read(run / "metrics.jsonl"), run.resolve().name))
    return path


def render(
    results: Mapping[str, object], metrics: Sequence[Mapping[str, object]], run: str = ""
) -> str:
    """The page as HTML text.

    Args:
        results: Contents of `results.json`; any part may be missing.
        metrics: Lines of `metrics.jsonl`.
        run: Name of the folder.
    """
    cleaned: Mapping[str, object] = clean(dict(results))
    own = reinforcement(cleaned, metrics)
    sections = [
        (Section("reinforcement", "Reinforcement", lambda run: None), own),
        (Section("made", "How this was made", lambda run: None), made(cleaned)),
    ]
    return page_of("reinforced.html", run=clean(run), head=head(cleaned), sections=sections)


def head(results: Mapping[str, object]) -> dict[str, object]:
    """Model, signal, and whether what it learned is kept."""
    told = {
        "yes": "kept: accuracy on held-out prompts did not fall",
        "no": "not kept: accuracy on held-out prompts fell",
        "unchecked": "unchecked",
    }
    return {
        "model": str(part(results, "model").get("name", "")),
        "signal": str(results.get("signal", "")),
        "kept": told.get(str(results.get("kept")), ""),
        "why": str(results.get("why", "")),
        "warnings": [str(one) for one in tables.listed(results, "warnings")],
    }


def reinforcement(
    results: Mapping[str, object], metrics: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """What was learned from, accuracy before and after, and the monitors drawn."""
    learning, base = part(results, "learning"), part(results, "base_votes")
    facts = {
        "Prompts": count(part(results, "prompts").get("count")),
        "Held out": count(part(results, "held_out").get("count")),
        "Answers a prompt": count(learning.get("n")),
        "Batches": count(learning.get("steps")),
        "Agreement before": percent(base.get("majority")),
        "Mean prompt weight": number(part(base, "weights").get("mean"), 3),
    }
    accuracy = part(results, "accuracy")
    rows = [
        (name, number(part(accuracy, name).get("mean"), 3, name == "change"),
         interval(part(accuracy, name).get("ci95"), 3, name == "change"))
        for name in ("before", "after", "change") if name in accuracy
    ]  # fmt: skip
    lines = _ends_known(metrics, accuracy)
    return {
        "facts": [(name, value) for name, value in facts.items() if finite_text(value)],
        "accuracy": rows,
        "charts": [
            Markup(curves_chart({"": points}, MONITORS[name], Axes(ends=_ENDS.get(name))))
            for name in MONITORS
            if (points := curve(lines, name))
        ],
    }


def _ends_known(
    metrics: Sequence[Mapping[str, object]], accuracy: Mapping[str, object]
) -> list[Mapping[str, object]]:
    """Lines of steps, with accuracy before the first and after the last, where it was looked at."""
    if not metrics or not any("held_out" in line for line in metrics):
        return list(metrics)
    before, after = (part(accuracy, name).get("mean") for name in ("before", "after"))
    return [{"step": 0, "held_out": before}, *metrics[:-1], {**metrics[-1], "held_out": after}]


def finite_text(value: str) -> bool:
    """Whether a number is known: what is not is written as a dash."""
    return any(letter.isdigit() for letter in value)


def made(results: Mapping[str, object]) -> dict[str, object]:
    """Options, hashes, versions and commit."""
    identity = {
        "Commit": results.get("commit"),
        "Model sha256": part(results, "model").get("sha256"),
        "Prompts sha256": part(results, "prompts").get("sha256"),
        "Held-out sha256": part(results, "held_out").get("sha256"),
    }
    votes = (
        part(part(results, "signals"), "restrain") if results.get("signal") == "restrain" else {}
    )
    rank = part(results, "model").get("lora")
    learning = {"signal": results.get("signal"), "lora": rank, **part(results, "learning")}
    groups = {
        "Learning": {name: value for name, value in learning.items() if value is not None},
        "Asked beside": part(results, "asked"),
        "Votes": votes,
        "Versions": part(results, "versions"),
    }
    return {
        "command": "",
        "identity": [(k, setting(v)) for k, v in identity.items() if v not in (None, "", [])],
        "groups": [(name, tables.settings(group)) for name, group in groups.items() if group],
    }
