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
        "examples lie outside what was measured by a factor of 8",
        "fitted 1.50 %",
        "would choose the same",
    ):
        assert told in text, told
    assert "next above" not in text
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


@pytest.mark.parametrize("power", range(-3, 19))
def test_a_scaled_number_is_that_number(power: int) -> None:
    units = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
    for value in (10.0**power, 2.5 * 10.0**power):
        figure, unit = scaled(value).split(" ")
        assert float(figure) * units[unit] == pytest.approx(value, rel=5e-3)
        assert 1 <= float(figure) < 1000 or not unit or unit == "P"


def test_foreign_words_of_a_fit_are_shown_as_they_are(
    fit: VideoFit,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Names of tasks and notes come from a table: brackets are no markup, and no colour is one."""
    laws = {"all tasks": fit.law, "[red]order[/]": fit.law}
    odd = replace(fit, laws=laws, notes=("[bold]a note[/bold]", "\x1b[31mred"))
    text = shown(odd, PlanRequest(15e12, 1e6), capsys)
    assert "[red]order[/] wants" in text and "[bold]a note[/bold]" in text
    assert "\x1b" not in text


def test_three_runners_up_are_shown_and_the_others_are_counted(
    fit: VideoFit,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where no refit tells anything apart, all are as good as the best."""
    law, layout = fit.law, fit.law.layout
    values = law.values.copy()
    values[:, : layout.coefficients] = -300.0
    values[:, layout.names.index("eps")] = 0.0
    flat = replace(fit, laws={"all tasks": replace(law, values=values)})
    found = plan(flat, PlanRequest(15e12, 1e6))["runners_up"]
    text = shown(flat, PlanRequest(15e12, 1e6), capsys)
    assert len(found["rows"]) == 3 and f"and {found['more']} more" in text
    paid = int((fit.cost.flops(fit.grid) <= 15e12).sum())
    assert found["more"] == paid - 1 - 3


@pytest.mark.parametrize("notes", [[], ["one"], ["one", "two"]])
def test_what_was_fitted_is_told_a_line_each(
    notes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"percent": 2.0, "r2": 0.5, "points": 1200}
    told = {"form": "mult", "points": 1200, "checks": {"a": one, "b": one}, "notes": notes}
    show_fit({**told, "fit": "x" * 200})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 + len(notes) and lines[-1] == "x" * 200
    assert lines[1] == "a: off by 2.00 %, R² 0.500, 1,200 runs" and lines[3:-1] == notes


def test_a_fit_that_predicts_no_numbers_is_shown_all_the_same(
    fit: VideoFit,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = {"fitted": {"percent": None, "r2": None, "points": 20}}
    text = shown(replace(fit, checks=checks), PlanRequest(2e14, 8e6), capsys)
    assert "fitted no finite number" in text
    show_fit({"form": "add", "points": 20, "checks": checks, "notes": [], "fit": "fit.json"})
    assert "fitted: off by no finite number, 20 runs" in capsys.readouterr().out
