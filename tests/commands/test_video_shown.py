"""Lines of a plan say all that is in them, and nothing that is not."""

from dataclasses import replace

import pytest

from tastemaker.commands.video_shown import scaled, show_fit, show_plan
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_plan import PlanRequest, plan, with_axes
from tests.embed.conftest import fit  # noqa: F401 - a fixture


def shown(fit: VideoFit, request: PlanRequest, capsys: pytest.CaptureFixture[str]) -> str:  # noqa: F811
    show_plan({**vars(request), **plan(fit, request)})
    return " ".join(capsys.readouterr().out.split())


def test_what_is_unknown_saturated_or_outside_is_said(
    fit: VideoFit,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = PlanRequest(2e14, 8e6, 1e7)
    noted = replace(fit, notes=("2 errors were changed",), checks={"fitted": {"percent": 1.5}})
    text = shown(noted, asked, capsys)
    for told in (
        "at the end of the grid",
        "a month of them costs",
        "2 errors were changed",
        "examples lies outside what was measured by a factor of 8",
        "fitted 1.50 %",
        "would choose the same",
    ):
        assert told in text, told
    assert "next dearer" not in text
    few = replace(fit.law, points=20, active=(True, True, True, False))
    law = replace(few, values=few.values[:, : len(few.layout.names)])
    text = shown(replace(fit, laws={"all tasks": law}), asked, capsys)
    assert "examples did not vary" in text and "[literature]" in text
    assert "20 runs for 7 parameters" not in text and "the fit was not checked" in text
    small = with_axes(fit, ((1e9,), (4.0,), (4.0,)))
    assert "No other is as good" in shown(small, PlanRequest(3e12, 1e6), capsys)


def test_a_fit_says_how_far_it_is_off(capsys: pytest.CaptureFixture[str]) -> None:
    checks = {"fitted": {"percent": 1.0, "r2": None, "points": 1}}
    show_fit({"form": "add", "points": 1, "checks": checks, "notes": ["a note"], "fit": "fit.json"})
    assert capsys.readouterr().out.splitlines() == [
        "add, fitted to 1 run",
        "fitted: off by 1.00 %, 1 run",
        "a note",
        "fit.json",
    ]


@pytest.mark.parametrize(
    ("value", "told"), [(1.5e13, "15 T"), (999.0, "999 "), (2.674e12, "2.67 T"), (1e15, "1 P")]
)
def test_numbers_are_short(value: float, told: str) -> None:
    assert scaled(value) == told
