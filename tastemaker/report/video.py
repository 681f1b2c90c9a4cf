"""The page of a video budget: least error by budget, and the sizes that reach it."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from tastemaker.files import JsonObject
from tastemaker.report.page import Section
from tastemaker.report.tables import listed, part
from tastemaker.report.templates import page_of
from tastemaker.report.video_charts import band_chart
from tastemaker.report.wording import clean, count, interval, number, setting

TITLES = {
    "error": "Least error",
    "parameters": "Best language model, parameters",
    "frames": "Best number of frames",
    "tokens": "Best tokens a frame",
}
"""What is drawn by budget."""
_CHECKS = {
    "fitted": "the runs that it was fitted to",
    "cross-validated": "runs left out, a tenth at a time",
    "dearest fifth": "the dearest fifth, from the cheaper ones",
}


def write_video_page(results: Mapping[str, object]) -> str:
    """The page as HTML text.

    Args:
        results: What `run.video.frontier_of` gives, with the name of the fit and versions.
    """
    told: JsonObject = clean(dict(results))
    sections = [
        (Section("curves", "The frontier", lambda run: None), _charts(told)),
        (Section("frontier", "On the grid that was measured", lambda run: None), _rows(told)),
        (Section("checks", "How far to believe it", lambda run: None), _checks(told)),
        (Section("made", "How this was made", lambda run: None), _made(told)),
    ]
    kept = [(section, shown) for section, shown in sections if shown]
    return page_of("video.html", told=told, sections=kept, warnings=_warnings(told))


def _charts(told: JsonObject) -> list[Markup]:
    curves = part(told, "curves")
    return [
        Markup(band_chart(lines, title, share=name == "error"))
        for name, title in TITLES.items()
        if (lines := {n: rows for n in curves if (rows := listed(part(curves, n), name))})
    ]


def _rows(told: JsonObject) -> list[tuple[str, ...]]:
    """Budget, configuration, error with its interval, and how many do as well."""
    return [
        (
            flops(row["budget"]),
            _large(row["parameters"]),
            count(row["frames"]),
            count(row["tokens"]),
            flops(row["flops"]),
            number(row["error"]),
            interval(row["interval90"]),
            count(row["ties"]),
        )
        for row in listed(told, "rows")
        if isinstance(row, dict)
    ]


def _checks(told: JsonObject) -> list[tuple[str, str, str, str, str]]:
    checks = part(told, "checks")
    rows = []
    for name, meaning in _CHECKS.items():
        if one := part(checks, name):
            shown = (number(one.get(key), 2) for key in ("percent", "r2", "mse"))
            rows.append((meaning, count(one.get("points")), *shown))
    return rows  # type: ignore[return-value]


def _made(told: JsonObject) -> dict[str, object]:
    names = {"Fit": "fit", "Form": "form", "Runs": "points", "Data sha256": "data_sha256"}
    identity = [(title, setting(told.get(name))) for title, name in names.items()]
    versions = [(name, setting(value)) for name, value in part(told, "versions").items()]
    return {
        "command": "",
        "identity": [*identity, ("Commit", setting(told.get("commit")))],
        "groups": [("Versions", versions)] if versions else [],
    }


def _warnings(told: JsonObject) -> list[str]:
    """What to read first: data beyond what was measured, and notes of the fit."""
    ends, asked = told.get("measured_examples"), told.get("examples")
    notes = [str(note) for note in listed(told, "notes")]
    if not isinstance(ends, list) or len(ends) != 2:
        return notes
    low, high = ends
    drawn = listed(told, "drawn_examples") or [asked]
    outside = []
    for n in drawn:
        if isinstance(n, int | float) and not low <= n <= high:
            times = f"by a factor of {max(n / high, low / n):.3g}"
            reach = f"the {count(low)} to {count(high)} that were measured"
            outside.append(f"{count(n)} examples lie outside {reach}, {times}.")
    return [*outside, *notes]


def flops(value: float) -> str:
    """FLOPs in a unit in which they are short, such as `15.0 TFLOPs`."""
    for power, unit in ((15, "P"), (12, "T"), (9, "G"), (6, "M")):
        if value >= 10**power:
            return f"{number(value / 10**power, 2)} {unit}FLOPs"
    return f"{count(value)} FLOPs"


def _large(value: float) -> str:
    for power, unit in ((9, "B"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{number(value / 10**power, 2)} {unit}"
    return count(value)
