"""The page of a leaderboard holds every number, and foreign text stays text."""

import re
from typing import Any

from tastemaker.report.leaderboard import counting_charts, coverage_charts, render

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def cell(mean: float) -> dict[str, Any]:
    return {"mean": mean, "ci95": [mean - 0.05, mean + 0.05]}


def board(*models: str) -> dict[str, Any]:
    scores = {name: cell(0.6) for name in ("hm", "ig_f1", "ig_p", "ig_r", "is", "validity")}
    error = {"kind": "implicit_positive", "interests": 9, "error": cell(0.5)}
    ranking = {
        "task": {"name": "films", "sha256": "a" * 64, "note": "Ratings became polarities."},
        "oracle_sha256": "b" * 64,
        "taxonomy_sha256": None,
        "mode": "strict",
        "judge": {"name": "truth", "identity": "c" * 64},
        "users": 12,
        "excluded": 1,
        "by": "hm",
        "models": dict.fromkeys(models, scores),
        "comparisons": [
            {"a": name, "b": models[0], "metric": "hm", "difference": -0.1234, "p": 0.0123}
            | {"ci95": [-0.2, -0.05], "better": 0.1, "equal": 0.2, "worse": 0.7}
            for name in models[1:]
        ],
        "counting_by_items": {
            name: [
                {**error, "first": first, "last": last}
                for first, last in ((3, 5), (0, 0), (21, None))
            ]
            for name in models
        },
        "failures": {name: {"users": 2, "interests": 7} for name in models},
    }
    return {"rankings": [ranking]}


def test_the_page_has_scores_differences_failures_and_both_plots() -> None:
    page = render(board("first", "second"))
    text = re.sub(r"<[^>]+>", " ", page)
    for told in ("0.600", "0.550 to 0.650", "\u22120.1234", "0.0123", "12 users, 1 left out",
                 "Ratings became polarities.", "a" * 64, "truth"):  # fmt: skip
        assert told in text, told
    labels = re.findall(r'aria-label="([^"]+)"', page)
    assert any(told.startswith("Precision against coverage by model") for told in labels)
    counted = next(told for told in labels if told.startswith("Error: implicit positive"))
    assert counted.index("0, first") < counted.index("3–5, first") < counted.index("21+, first")
    assert "<script" not in page
    assert "src=" not in page


def test_hostile_names_stay_text() -> None:
    told = board("first", HOSTILE)
    told["rankings"][0] |= {"by": None, "counting_by_items": {}}
    page = render(told)
    assert "<script" not in page
    assert "\x1b" not in page


def test_what_nobody_measured_is_not_drawn() -> None:
    assert coverage_charts({"a": {"ig_p": cell(0.5), "ig_r": None}}) == []
    assert counting_charts({"a": []}) == []
    bare = board("only")
    bare["rankings"][0] |= {"by": None, "judge": None, "models": {"only": {}}}
    assert "judged by <bdi>nobody</bdi>" in render(bare)
