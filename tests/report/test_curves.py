"""Curves by step: thinned, with true axes, told apart without colour, and in words."""

import re

import pytest

from tastemaker.report.curves import Axes, curve, curves_chart


def test_long_curves_are_thinned_to_means() -> None:
    points = curve([{"step": step, "loss": float(step % 2)} for step in range(1, 1001)], "loss")
    assert len(points) == 200
    assert points[-1][0] == 1000 and points[0] == (5, pytest.approx(0.6))


def test_what_was_not_measured_is_no_point() -> None:
    lines = [{"round": 1, "x": None}, {"round": 2, "x": 0.5}, {"x": 1}, {"round": 3, "x": "1"}]
    assert curve(lines, "x", "round") == [(2, 0.5)]
    assert curve([], "x") == []


@pytest.mark.parametrize(("value", "told"), [(0.2, "0.4"), (-3.0, "-6"), (0.0, "1.0")])
def test_an_axis_of_one_value_is_labelled_truly(value: float, told: str) -> None:
    drawn = curves_chart({"": [(1, value), (2, value)]}, "Entropy")
    assert told.replace("-", "−") in drawn or told in drawn


def test_several_curves_have_a_legend_and_words() -> None:
    axes = Axes("round", (0, 1), "%", marked=[2])
    drawn = curves_chart(
        {"all": [(1, 0.25), (2, 0.5)], "worst": [(1, 0.125), (2, 0.25)]}, "Accuracy", axes
    )
    assert "all 0.2500 at round 1, 0.5000 at round 2; worst 0.1250 at round 1" in drawn
    assert drawn.count(">worst<") == 1 and "100%" in drawn and "stroke-dasharray" in drawn


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_a_single_step_is_seen(names: list[str]) -> None:
    drawn = curves_chart({name: [(1, 0.5)] for name in names}, "Loss", Axes("round"))
    assert drawn.count("A4.1") + drawn.count("a4.1") + drawn.count("M4.1") > 0


@pytest.mark.parametrize("last", [2, 3, 4, 7])
def test_no_whole_number_stands_twice_on_an_axis(last: int) -> None:
    """Ticks between two rounds would be labelled as one of them."""
    axes = Axes("round", (0, 1), whole=True)
    drawn = curves_chart({"": [(1, 0), (last, 1)]}, "Rejected updates", axes)
    labels = re.findall(r">(\d+)</text>", drawn)
    steps, counts = labels[:-2], labels[-2:]
    assert steps == sorted(set(steps), key=int) and steps[0] == "1"
    assert counts == ["0", "1"]
