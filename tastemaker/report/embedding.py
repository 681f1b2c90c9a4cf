"""The page of a training of pictures and texts: what it finds and tells, before and after.

One file without scripts or requests, in the style of a run's page; the pictures that it shows are
small, and lie inside it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from tastemaker import files
from tastemaker.report import tables
from tastemaker.report.curves import Axes, curve, curves_chart
from tastemaker.report.page import NAME, Section, pictures_in, read_metrics
from tastemaker.report.tables import objects, part
from tastemaker.report.templates import page_of
from tastemaker.report.wording import (
    MISSING,
    clean,
    count,
    finite,
    interval,
    number,
    percent,
    setting,
)

EXAMPLES = "examples"
"""Folder of the pictures that the page shows."""
RECALLS = ((1, "Recall@1"), (5, "Recall@5"), (10, "Recall@10"))
WAYS = {"t2i": "a text finds its picture", "i2t": "a picture finds its text"}
_MOST_BYTES = 200_000
"""Of a picture, beyond which it is none of ours."""

Pictures = Mapping[str, bytes]
"""Name → the bytes of a JPEG."""


def write_page(run: Path) -> Path:
    """Write `report.html` from `results.json`, `metrics.jsonl` and the examples of a folder."""
    results = files.read_json(run / "results.json")
    pictures = pictures_in(run / EXAMPLES, ".jpg", _MOST_BYTES)
    path, metrics = run / NAME, read_metrics(run / "metrics.jsonl")
    files.write_text(path, render(results, metrics, pictures, run.resolve().name))
    return path


def render(
    results: Mapping[str, object],
    metrics: list[dict[str, object]],
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
    told: Mapping[str, object] = clean(dict(results))
    sections = [
        (Section("retrieval", "What it finds", lambda run: None), retrieval(told)),
        (Section("found", "Pictures found for a text", lambda run: None), found(told, pictures)),
        (Section("captions", "What it tells", lambda run: None), captions(told, pictures)),
        (Section("learning", "Training", lambda run: None), learning(told, metrics)),
        (Section("catalogue", "The catalogue", lambda run: None), catalogue(told)),
        (Section("made", "How this was made", lambda run: None), made(told)),
    ]
    kept = [(section, shown) for section, shown in sections if shown]
    return page_of("embedded.html", run=clean(run), head=head(told), sections=kept)


def head(results: Mapping[str, object]) -> dict[str, object]:
    """Model, catalogue, warnings, and the figures that matter most."""
    after, model = part(results, "after"), part(results, "model")
    figures = [
        ("A text finds its picture", "t2i_recall@1", True),
        ("A picture finds its text", "i2t_recall@1", True),
        ("Captions exactly right", "exact", True),
        ("Perplexity of captions", "perplexity", False),
    ]
    shown = [
        (title, _mean(after, name, share), _ends(after, name, share))
        for title, name, share in figures if name in after
    ]  # fmt: skip
    return {
        "model": str(model.get("name", "")),
        "data": _called(str(part(results, "data").get("name", ""))),
        "test": count(part(results, "data").get("test")),
        "figures": shown,
        "warnings": [str(one) for one in tables.listed(results, "warnings")],
    }


def _called(file: str) -> str:
    """What a catalogue is called: its file, or the folder of one called items."""
    path = Path(file)
    return path.parent.name if path.stem == "items" and path.parent.name else path.name


def retrieval(results: Mapping[str, object]) -> dict[str, object] | None:
    """Recall both ways and the gap: before, after, and by chance."""
    before, after = part(results, "before"), part(results, "after")
    chance = part(results, "chance")
    rows = []
    for way, title in WAYS.items():
        for k, name in RECALLS:
            key = f"{way}_recall@{k}"
            if key in after:
                cells = _row(before, after, key, share=True)
                rows.append((f"{title}, {name}", *cells, percent(chance.get(key))))
    if "gap" in after:
        rows.append(("gap between pictures and texts", *_row(before, after, "gap"), MISSING))
    return {"rows": rows, "test": count(part(results, "data").get("test"))} if rows else None


def found(results: Mapping[str, object], pictures: Pictures) -> list[dict[str, object]]:
    """Texts of the test, and the pictures nearest to each."""
    return [
        {
            "text": str(query.get("text", "")),
            "found": [
                {"uri": _uri(pictures, one), "text": str(one.get("text", "")),
                 "right": one.get("right") is True}
                for one in objects(query, "found")
            ],
        }
        for query in objects(part(results, "examples"), "found")
    ]  # fmt: skip


def captions(results: Mapping[str, object], pictures: Pictures) -> dict[str, object] | None:
    """Perplexity and exact captions, and examples: the picture, what is true, what was written."""
    before, after = part(results, "before"), part(results, "after")
    rows = []
    for name, title, share in (
        ("perplexity", "perplexity of true captions", False),
        ("exact", "captions exactly right", True),
    ):
        if name in after:
            rows.append((title, *_row(before, after, name, share)))
    examples = [
        {
            "uri": _uri(pictures, one),
            "right": str(one.get("right", "")),
            "written": None if one.get("written") is None else str(one["written"]),
            "same": str(one.get("written")).split() == str(one.get("right")).split(),
            "rank": count(one.get("rank")),
        }
        for one in objects(part(results, "examples"), "captions")
    ]
    if not rows and not examples:
        return None
    return {"rows": rows, "examples": examples, "prompt": str(results.get("caption_prompt", ""))}


def learning(results: Mapping[str, object], metrics: list[dict[str, object]]) -> dict[str, object]:
    """What was measured epoch by epoch."""
    training = part(results, "training")
    best = finite(training.get("best_epoch"))
    facts = {
        "Epochs": count(training.get("epochs")),
        "Best epoch": count(best),
        "Steps": count(training.get("steps")),
        "Chosen by": _METRICS.get(str(training.get("metric")), MISSING),
        "Processor time": f"{count(finite(results.get('cpu_seconds')))} s",
    }
    marked = () if best is None else (best,)
    charts = [
        Markup(curves_chart({"": points}, title, Axes("epoch", ends, form, marked=marked)))
        for name, (title, ends, form) in _CURVES.items()
        if (points := curve(metrics, name, "epoch"))
    ]
    return {"facts": [(k, v) for k, v in facts.items() if MISSING not in v], "charts": charts}


_METRICS = {
    "recall@1": "Recall@1, both ways",
    "likelihood": "1 / perplexity",
    "joint": "Recall@1 and 1 / perplexity",
}
_CURVES: dict[str, tuple[str, tuple[float, float] | None, str]] = {
    "recall@1": ("Recall@1 on validation, both ways", (0, 1), "%"),
    "likelihood": ("1 / perplexity on validation", (0, 1), ""),
    "loss": ("Loss in training", None, ""),
}


def catalogue(results: Mapping[str, object]) -> dict[str, object]:
    """What was learned from."""
    data = part(results, "data")
    doubles, cut = part(data, "doubles"), part(data, "cut")
    facts = {
        "Items": count(data.get("items")),
        "To learn from": count(data.get("train")),
        "To choose weights": count(data.get("validation")),
        "To measure": count(data.get("test")),
        "Bad rows left out": count(data.get("dropped")),
        "Share a text": count(doubles.get("texts")),
        "Share a picture": count(doubles.get("pictures")),
        "Texts cut": count(cut.get("texts")),
        "Captions cut": count(cut.get("captions")),
    }
    return {"facts": [(name, value) for name, value in facts.items() if value != MISSING]}


def made(results: Mapping[str, object]) -> dict[str, object]:
    """Options, hashes, versions and commit."""
    model, data, cafe = (part(results, name) for name in ("model", "data", "cafe"))
    identity = {
        "Commit": results.get("commit"),
        "Model sha256": model.get("sha256"),
        "Data sha256": data.get("sha256"),
    }
    sizes = {name: model[name] for name in ("parameters", "dim") if name in model}
    groups = {
        "Model": part(model, "shape") | sizes,
        "Loss": {name: value for name, value in cafe.items() if name != "embedding"},
        "Vectors": part(cafe, "embedding"),
        "Training": part(results, "fit"),
        "Catalogue": {**part(results, "wanted"), **part(results, "shares")},
        "Versions": part(results, "versions"),
    }
    return {
        "command": "",
        "identity": [(k, setting(v)) for k, v in identity.items() if v not in (None, "", [])],
        "groups": [(name, tables.settings(group)) for name, group in groups.items() if group],
    }


def _row(
    before: Mapping[str, object], after: Mapping[str, object], name: str, share: bool = False
) -> tuple[str, str, str]:
    """Before, after, and the interval of what is after."""
    return _mean(before, name, share), _mean(after, name, share), _ends(after, name, share)


def _mean(holder: Mapping[str, object], name: str, share: bool) -> str:
    value = part(holder, name).get("mean")
    return percent(value) if share else number(value, 3)


def _ends(holder: Mapping[str, object], name: str, share: bool) -> str:
    ends = part(holder, name).get("ci95")
    if share and isinstance(ends, list) and interval(ends):
        return f"{interval([100 * end for end in ends], 1)}\u202f%"
    return interval(ends, 3)


def _uri(pictures: Pictures, one: Mapping[str, object]) -> str:
    """A picture as it stands in a page; empty where it is not there."""
    held = pictures.get(str(one.get("picture", "")))
    if held is None or not held.startswith(b"\xff\xd8"):
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(held).decode()}"
