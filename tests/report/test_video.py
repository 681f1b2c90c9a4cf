"""The page of a video budget says what is known, whatever of it is missing, and stays inert."""

import pytest

from tastemaker.files import JsonObject
from tastemaker.report.video import flops, write_video_page


def results() -> JsonObject:
    lines = {
        name: [[1e12, 0.5, 0.4, 0.6], [2e12, 0.4, 0.3, 0.5]]
        for name in ("error", "parameters", "frames", "tokens")
    }
    row = {
        "budget": 1.5e13,
        "parameters": 2.8e9,
        "frames": 8.0,
        "tokens": 196.0,
        "flops": 1.4e13,
        "error": 0.344,
        "interval90": [0.341, 0.346],
        "ties": 1,
    }
    return {
        "fit": "fit.json",
        "form": "add",
        "points": 60,
        "data_sha256": "ab",
        "examples": 1e6,
        "measured_examples": [2.5e5, 1e6],
        "notes": [],
        "curves": {"n = 1": lines, "n = 4": lines},
        "checks": {"fitted": {"mse": 0.1, "percent": 0.65, "r2": None, "points": 60}},
        "rows": [row],
        "versions": {"numpy": "2"},
        "commit": "none",
    }


def test_it_tells_it_all_and_runs_nothing() -> None:
    page = write_video_page(results() | {"fit": "<script>fit.json"})
    for told in ("15.00 TFLOPs", "2.80 B", ">196<", "0.3410 to 0.3460", ">0.65<", "sha256"):
        assert told in page, told
    assert page.count("<svg") == 4 and "<script" not in page and "Read this first" not in page


def test_what_was_not_measured_stands_first() -> None:
    page = write_video_page(results() | {"examples": 4e6, "notes": ["one was clipped"]})
    assert page.index("4,000,000 examples lie outside") < page.index("one was clipped")
    assert page.index("one was clipped") < page.index("The frontier</h2>")


def test_a_page_of_nothing_is_a_page() -> None:
    page = write_video_page({"points": 0, "fit": ""})
    assert "<svg" not in page and "NaN" not in page


@pytest.mark.parametrize(
    ("value", "told"), [(1.5e13, "15.00 TFLOPs"), (2e9, "2.00 GFLOPs"), (12.0, "12 FLOPs")]
)
def test_flops_are_short(value: float, told: str) -> None:
    assert flops(value) == told
