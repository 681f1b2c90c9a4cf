"""Each of the nine lines of a plan, worked out again from predictions and costs alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.video_cost import VideoCost, lm_only
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import FACTORS
from tastemaker.embed.video_plan import TASKS, PlanRequest, plan, sizes, with_axes
from tastemaker.embed.video_steps import PUBLISHED, spend_more
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tests.embed.surfaces import FEW, GRID

ASKED = PlanRequest(15e12, 1e6, 1e7)
FIELDS = {
    "best": {"parameters", "frames", "tokens", "flops", "error", "interval90", "context",
             "vision_share", "chance"},
    "runners_up": {"rows", "more"},
    "gain": {"naive", "parameters", "frames", "tokens", "gain", "gain_over_median"},
    "marginal": {"rows", "wants"},
    "next": {"budget_doubles", "examples_double", "elasticities"},
    "lm_only": {"parameters", "frames", "tokens", "flops", "error", "interval90", "context",
                "vision_share", "thought", "over_budget", "same"},
    "tasks": {"rows"},
    "break_even": {"videos", "tuning_flops", "monthly_over_tuning"},
    "warnings": {"beyond", "unknown", "cheaper", "dearer", "checks", "points", "parameters", "few",
                 "notes", "grid"},
}  # fmt: skip
"""What each line holds beside `source`."""


def place_of(row: JsonObject) -> int:
    """Row of the grid that a line tells of."""
    x = [row[name] for name in FACTORS[:3]]
    (place,) = np.flatnonzero((x == GRID).all(axis=1))
    return int(place)


def numbers(value: object) -> list[float]:
    """Every number that is in a JSON value."""
    if isinstance(value, dict):
        return [one for inner in value.values() for one in numbers(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in numbers(inner)]
    return [float(value)] if isinstance(value, float | int) else []


@settings(FEW, max_examples=6)
@given(st.floats(12.5, 17), st.floats(0, 9), st.floats(0, 12))
def test_a_plan_of_anything_is_json_of_finite_numbers(
    fit: VideoFit, flops: float, examples: float, videos: float
) -> None:
    found = plan(fit, PlanRequest(10**flops, 10**examples, 10**videos))
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == found and np.isfinite(numbers(found)).all()
    assert {name: set(line) - {"source"} for name, line in found.items()} == FIELDS
    assert found["best"]["flops"] <= 10**flops
    for row in [found["best"], *found["runners_up"]["rows"], found["lm_only"]]:
        low, high = row["interval90"]
        assert low <= row["error"] <= high and row["context"] == row["frames"] * row["tokens"]


@settings(FEW, max_examples=6)
@given(st.floats(12.5, 15), st.floats(4, 7))
def test_more_budget_or_twice_the_examples_are_never_worse(
    fit: VideoFit, flops: float, examples: float
) -> None:
    found = plan(fit, PlanRequest(10**flops, 10**examples))
    best, after = found["best"], found["next"]
    assert after["budget_doubles"]["error"] <= best["error"] + 1e-12
    assert after["examples_double"]["error"] <= best["error"] + 1e-12
    assert after["budget_doubles"]["flops"] <= 2 * 10**flops
    twice = plan(fit, PlanRequest(2 * 10**flops, 10**examples))["best"]
    assert sizes(GRID[place_of(twice)]) | {"error": twice["error"]} == {
        name: after["budget_doubles"][name] for name in (*FACTORS[:3], "error")
    }
    learned = plan(fit, PlanRequest(10**flops, 2 * 10**examples))["best"]
    assert learned["error"] == after["examples_double"]["error"]


def test_runners_up_may_be_as_good_and_chances_are_shares_of_refits(fit: VideoFit) -> None:
    errors = fit.law.refits(fit.grid, 1e6)
    paid = np.flatnonzero(fit.cost.flops(fit.grid) <= 15e12)
    winners = paid[errors[:, paid].argmin(axis=1)]
    found = plan(fit, ASKED)
    own = errors[:, place_of(found["best"])]
    for row in [found["best"], *found["runners_up"]["rows"]]:
        place = place_of(row)
        assert row["chance"] == pytest.approx(np.mean(winners == place))
        assert np.quantile(errors[:, place] - own, 0.05) <= 0
    assert found["runners_up"]["more"] >= 0


def test_the_naive_one_is_the_largest_model_with_the_most_frames(fit: VideoFit) -> None:
    for flops in (5e12, 15e12, 1e14):
        found = plan(fit, PlanRequest(flops, 1e6))
        paid = GRID[fit.cost.flops(GRID) <= flops]
        largest = paid[paid[:, 0] == paid[:, 0].max()]
        most = largest[largest[:, 1] == largest[:, 1].max()]
        assert list(found["gain"].values())[2:5] == most[most[:, 2].argmax()].tolist()
        errors = fit.law.refits(GRID, 1e6)
        gaps = errors[:, place_of(found["gain"])] - errors[:, place_of(found["best"])]
        assert found["gain"]["gain"]["median"] == pytest.approx(np.median(gaps))
        assert found["gain"]["gain_over_median"]["median"] >= 0


def test_what_is_wanted_is_where_a_tenth_more_helps_most(fit: VideoFit) -> None:
    found = plan(fit, ASKED)
    x = GRID[place_of(found["best"])]
    changes = np.median(spend_more(fit.law, fit.cost, x, 1e6), axis=0)
    rows = found["marginal"]["rows"]
    assert [rows[name]["median"] for name in FACTORS[:3]] == pytest.approx(changes.tolist())
    assert found["marginal"]["wants"] == FACTORS[int(changes.argmin())]
    for k, name in enumerate(FACTORS[:3]):
        assert rows[name]["edge"] == (x[k] == GRID[:, k].max()) and rows[name]["known"]
        assert rows[name]["saturated"] == (rows[name]["interval90"][1] >= 0)


@pytest.mark.parametrize("cost", [VideoCost(), VideoCost(0), VideoCost(2e9, 1024)])
def test_leaving_the_tower_out_never_seems_dearer(fit: VideoFit, cost: VideoCost) -> None:
    blind = plan(replace(fit, cost=cost), PlanRequest(3e13, 1e6))["lm_only"]
    x = GRID[place_of(blind)]
    assert blind["thought"] == lm_only(x) <= 3e13 and blind["flops"] == cost.flops(x)
    assert blind["over_budget"] == pytest.approx(blind["flops"] / 3e13)
    assert cost != VideoCost(0) or (blind["same"] and blind["over_budget"] <= 1)


def test_what_never_varied_is_said_and_comes_from_the_literature(fit: VideoFit) -> None:
    told = plan(fit, ASKED)
    few = replace(fit.law, active=(True, False, True, False), points=16)
    still = replace(few, values=fit.law.values[:, : len(few.layout.names)])
    found = plan(replace(fit, laws={"all tasks": still}), ASKED)
    assert (
        found["warnings"]["unknown"] == ["frames", "examples"] and found["warnings"]["few"] is False
    )
    assert not found["marginal"]["rows"]["frames"]["known"]
    assert found["marginal"]["rows"]["frames"]["median"] == 0
    assert found["next"]["source"] == found["tasks"]["source"] == "literature"
    assert {n: one["median"] for n, one in found["next"]["elasticities"].items()} == PUBLISHED
    assert {n: one["wants"] for n, one in found["tasks"]["rows"].items()} == TASKS
    assert told["next"]["source"] != "literature" and told["tasks"]["source"] == "literature"


def test_the_neighbours_in_cost_stand_on_either_side(fit: VideoFit) -> None:
    spent = np.sort(fit.cost.flops(GRID))
    for flops in (3e12, 15e12, 1.2e14):
        told = plan(fit, PlanRequest(flops, 1e6))["warnings"]
        assert told["cheaper"]["flops"] == spent[spent <= flops].max()
        dearer = spent[spent > flops]
        assert (told["dearer"] is None) == (not len(dearer))
        assert told["dearer"] is None or told["dearer"]["flops"] == dearer.min()


def test_few_runs_notes_and_checks_are_passed_on(fit: VideoFit) -> None:
    parameters = len(fit.law.layout.names)
    for points, few in ((2 * parameters - 1, True), (2 * parameters, False)):
        one = replace(fit, laws={"all tasks": replace(fit.law, points=points)}, notes=("noted",),
                      checks={"fitted": {"percent": 1.0}})  # fmt: skip
        told = plan(one, ASKED)["warnings"]
        assert told["few"] is few and told["points"] == points and told["notes"] == ["noted"]
        assert told["checks"] == one.checks and told["parameters"] == parameters


@pytest.mark.parametrize("value", [10**400, 1e31, 1e-31, -1, float("inf")])
def test_sizes_with_which_costs_would_overflow_are_refused(fit: VideoFit, value: float) -> None:
    for k in range(3):
        axes = [(1e9,), (4.0,), (16.0,)]
        axes[k] = (value,)
        with pytest.raises(BadInput) as refused:
            with_axes(fit, tuple(axes))
        assert refused.value.where == "--grid" and FACTORS[k] in refused.value.what
        assert len(refused.value.what) < 300


@pytest.mark.parametrize("name", ["flops", "examples", "videos_per_month"])
@pytest.mark.parametrize("value", [1e31, float("inf"), float("nan"), -1e-9])
def test_what_cannot_be_counted_is_not_planned_with(name: str, value: float) -> None:
    with pytest.raises(BadInput) as refused:
        PlanRequest(**{"flops": 1e13, "examples": 1e6, name: value})
    assert refused.value.where == f"--{name.replace('_', '-')}"


def test_whole_sizes_of_a_grid_are_numbers_as_any(fit: VideoFit) -> None:
    found = plan(with_axes(fit, ((10**9, 2 * 10**9), (4,), (16, 49))), ASKED)
    assert found["best"]["parameters"] == 2e9 and found["warnings"]["grid"] == 4
