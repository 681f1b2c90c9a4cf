"""The page of a run: what was learned, how well, on what, and how to make it again.

One file that needs nothing else: no script, no request, pictures inside. All text passes through
`wording.clean` and the template's escaping.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tastemaker import files
from tastemaker.report import sections
from tastemaker.report.tables import part
from tastemaker.report.wording import clean, finite

NAME = "report.html"
"""File name of the page inside its run directory."""


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


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Lines of `metrics.jsonl`, the last one of each epoch; empty without the file.

    A line that was cut short by a crash is left out.
    """
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.is_file() else []
    by_epoch = {}
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and (epoch := finite(found.get("epoch"))) is not None:
            by_epoch[epoch] = found
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def render(
    results: Mapping[str, Any],
    metrics: list[dict[str, Any]] | None = None,
    options: Mapping[str, Any] | None = None,
) -> str:
    """The page as HTML text.

    Args:
        results: Contents of `results.json`; any part may be missing.
        metrics: Lines of `metrics.jsonl`.
        options: Contents of `config.json`, for the command that makes the run again.
    """
    found: dict[str, Any] = clean(dict(results))
    environment = Environment(
        loader=PackageLoader("tastemaker.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        head=sections.head(found),
        data=sections.data(found),
        curve=sections.curve(metrics or [], part(found, "training")),
        models=sections.models(found),
        buckets=sections.buckets(found),
        examples=sections.examples(found),
        made=sections.made(found, clean(dict(options or {}))),
    )
