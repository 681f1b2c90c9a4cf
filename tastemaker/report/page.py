"""The page of a run: what was learned, how well, on what, and how to make it again.

One file that needs nothing else: no script, no request, pictures inside. All text passes through
`wording.clean` and the template's escaping. A new section is one entry of `SECTIONS` and its file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tastemaker import files
from tastemaker.report import sections
from tastemaker.report.heads import heads
from tastemaker.report.reasoning import reasoning
from tastemaker.report.tables import part
from tastemaker.report.templates import page_of
from tastemaker.report.together import together
from tastemaker.report.wording import clean, finite

NAME = "report.html"
"""File name of the page inside its run directory."""


@dataclass(frozen=True)
class Recorded:
    """What a run directory holds for its page; any part of it may be missing."""

    results: Mapping[str, object]
    """contents of `results.json`"""
    metrics: list[dict[str, object]]
    """lines of `metrics.jsonl`"""
    options: Mapping[str, object]
    """contents of `config.json`"""


@dataclass(frozen=True)
class Section:
    """One part of the page, linked to from its head."""

    name: str
    """its id in the page; `NAME.html` prints it"""
    title: str
    show: Callable[[Recorded], object]
    """what that file prints, under the name `shown`; None leaves the section out"""


SECTIONS = (
    Section("data", "The data", lambda run: sections.data(run.results)),
    Section(
        "training",
        "Training",
        lambda run: sections.curve(run.metrics, part(run.results, "training")),
    ),
    Section("models", "Models compared", lambda run: sections.models(run.results)),
    Section("heads", "Heads", lambda run: heads(run.results)),
    Section("reasoning", "Reasoning", lambda run: reasoning(run.results)),
    Section("buckets", "For whom it works", lambda run: sections.buckets(run.results)),
    Section("examples", "Example users", lambda run: sections.examples(run.results)),
    Section("together", "Items that go together", lambda run: together(run.results)),
    Section("made", "How this was made", lambda run: sections.made(run.results, run.options)),
)
"""The sections of the page in their order."""


def write_report(run: Path) -> Path:
    """Write `report.html` into a run directory, whole or not at all.

    Args:
        run: Directory with `results.json` and, where a model was trained, `metrics.jsonl`.

    Returns:
        Path of the page.

    Raises:
        ArtefactError: If `results.json` is missing or is not a JSON object.
    """
    results = {"run": run.resolve().name} | files.read_json(run / "results.json")
    options = files.read_json(run / "config.json") if (run / "config.json").is_file() else {}
    path = run / NAME
    files.write_text(path, render(results, read_metrics(run / "metrics.jsonl"), options))
    return path


def read_metrics(path: Path) -> list[dict[str, object]]:
    """Lines of `metrics.jsonl`, the last one of each epoch; empty without the file.

    A line that was cut short by a crash is left out.
    """
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.is_file() else []
    by_epoch = {}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and (epoch := finite(record.get("epoch"))) is not None:
            by_epoch[epoch] = record
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def render(
    results: Mapping[str, object],
    metrics: list[dict[str, object]] | None = None,
    options: Mapping[str, object] | None = None,
) -> str:
    """The page as HTML text.

    Args:
        results: Contents of `results.json`; any part may be missing.
        metrics: Lines of `metrics.jsonl`.
        options: Contents of `config.json`, for the command that makes the run again.
    """
    run = Recorded(clean(dict(results)), metrics or [], clean(dict(options or {})))
    shown = [(section, section.show(run)) for section in SECTIONS]
    return page_of(
        "page.html",
        head=sections.head(run.results),
        sections=[(section, values) for section, values in shown if values is not None],
    )


def pictures_in(folder: Path, ending: str, most: int) -> dict[str, bytes]:
    """Name → bytes of the pictures of a folder, for a page that holds them.

    Args:
        folder: Perhaps not there.
        ending: Of their names, such as `.png`.
        most: Bytes of a picture, beyond which it is none of ours.
    """
    held = sorted(folder.glob(f"*{ending}"))
    return {path.name: path.read_bytes() for path in held if path.stat().st_size <= most}
