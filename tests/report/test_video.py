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


def test_every_curve_outside_the_data_is_said_with_its_factor() -> None:
    page = write_video_page(results() | {"drawn_examples": [2e5, 1e6, 4e6]})
    assert "200,000 examples lie outside the 250,000 to 1,000,000 that were measured" in page
    assert "by a factor of 1.25." in page and "by a factor of 4." in page
    assert "1,000,000 examples lie outside" not in page
    inside = write_video_page(results() | {"drawn_examples": [2.5e5, 1e6]})
    assert "lie outside" not in inside


def test_a_page_of_nothing_is_a_page() -> None:
    page = write_video_page({"points": 0, "fit": ""})
    assert "<svg" not in page and "NaN" not in page


@pytest.mark.parametrize(
    ("value", "told"), [(1.5e13, "15.00 TFLOPs"), (2e9, "2.00 GFLOPs"), (12.0, "12 FLOPs")]
)
def test_flops_are_short(value: float, told: str) -> None:
    assert flops(value) == told


def lines(*rows: list[float | None]) -> JsonObject:
    return {"error": list(rows)}


@pytest.mark.parametrize(
    "curves",
    [
        {}, {"n = 1": {}}, {"n = 1": lines()}, {"n = 1": lines([1e12, 0.5, 0.5, 0.5])},
        {"n = 1": lines([1e12, None, 0.4, 0.6])},
        {"n = 1": lines([1e12, 0.5, 0.4, 0.6]), "n = 2": lines()},
        {"n = 1": lines([1e12, float("nan"), 0.4, 0.6], [2e12, 0.5, 0.4, 0.6])},
        {"n = 1": lines([1e12, 0.5, 0.4, 0.6], [1e12, 0.5, 0.4, 0.6])},
        {"n = 1": lines([1e-12, 1e-9, 1e-10, 1e-8], [1e25, 1e9, 1e8, 1e10])},
        {f"n = {n}": lines([1e12, 0.5, 0.4, 0.6]) for n in range(5)},
    ],
)  # fmt: skip
def test_odd_curves_make_a_page_without_what_is_no_number(curves: JsonObject) -> None:
    page = write_video_page(results() | {"curves": curves})
    assert "<script" not in page and ">NaN" not in page and "Infinity" not in page
    assert page.count("<svg") in (0, 1) and "On the grid that was measured" in page


@pytest.mark.parametrize("part", ["checks", "rows", "notes", "versions", "curves"])
def test_a_part_that_is_missing_or_empty_leaves_the_others(part: str) -> None:
    whole = results() | {"curves": {"n = 1": lines([1e12, 0.5, 0.4, 0.6])}}
    for told in ({name: value for name, value in whole.items() if name != part},
                 whole | {part: type(whole[part])()}):  # fmt: skip
        page = write_video_page(told)
        assert "fit.json" in page and "None" not in page
        assert ("On the grid that was measured" in page) == (part != "rows")
        assert ("How far to believe it" in page) == (part != "checks")


def test_all_that_is_foreign_is_text() -> None:
    bad = '"><img src=x onerror=alert(1)>\u202e'
    told = results() | {"fit": bad, "form": bad, "data_sha256": bad, "notes": [bad], "commit": bad,
                        "versions": {bad: bad},
                        "curves": {bad: lines([1e12, 0.5, 0.4, 0.6], [2e12, 0.5, 0.4, 0.6]),
                                   "n = 1": lines([1e12, 0.5, 0.4, 0.6])}}  # fmt: skip
    page = write_video_page(told)
    assert "<img" not in page and "\u202e" not in page and "&lt;img" in page


@pytest.mark.parametrize(
    ("asked", "outside"),
    [(2.5e5, False), (1e6, False), (2.4e5, True), (1.1e6, True), (None, False)],
)
def test_examples_outside_what_was_measured_are_said_and_others_are_not(
    asked: float | None, outside: bool
) -> None:
    page = write_video_page(results() | {"examples": asked, "curves": {}})
    assert ("lie outside" in page) == outside == ("Read this first" in page)


def test_each_check_stands_with_what_it_means_and_no_number_is_a_dash() -> None:
    one = {"mse": 0.25, "percent": 1.5, "r2": 0.99, "points": 12}
    checks = {
        "fitted": one,
        "cross-validated": one | {"r2": None},
        "dearest fifth": one | {"percent": 7.25},
    }
    page = write_video_page(results() | {"checks": checks, "curves": {}})
    for told in (
        "fitted to<",
        "a tenth at a time",
        "from the cheaper ones",
        ">7.25<",
        ">0.99<",
        ">–<",
    ):
        assert told in page, told
    assert page.index("fitted to<") < page.index("a tenth at a time") < page.index(">7.25<")


def test_what_is_infinite_or_whole_is_short_too() -> None:
    assert flops(1e18) == "1,000.00 PFLOPs" and flops(1e6) == "1.00 MFLOPs"
    assert flops(999_999.0) == "999,999 FLOPs" and flops(0.0) == "0 FLOPs"
