"""The nine answers, worked out again in another way; each says where it comes from."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tastemaker.embed.video_cost import VideoCost, lm_only
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_plan import PlanRequest, plan, with_axes
from tastemaker.errors import BadInput

ASKED = PlanRequest(15e12, 1e6, 1e7)
LINES = [
    "best",
    "runners_up",
    "gain",
    "marginal",
    "next",
    "lm_only",
    "tasks",
    "break_even",
    "warnings",
]


def test_there_are_nine_each_with_its_source(fit: VideoFit) -> None:
    found = plan(fit, ASKED)
    assert list(found) == LINES
    assert {line["source"] for line in found.values()} == {
        "your fit",
        "literature",
        "your fit; cost from the literature",
    }
    own = replace(fit, cost=VideoCost(0.3e9))
    assert {line["source"] for line in plan(own, ASKED).values()} == {"your fit", "literature"}


def test_the_best_is_paid_for_and_has_the_least_error(fit: VideoFit) -> None:
    found, spent = plan(fit, ASKED), fit.cost.flops(fit.grid)
    errors = fit.law.predict(fit.grid, 1e6)
    paid = spent <= 15e12
    place = int(np.where(paid, errors.error, np.inf).argmin())
    best = found["best"]
    x = [best[name] for name in ("parameters", "frames", "tokens")]
    assert x == fit.grid[place].tolist() and best["flops"] <= 15e12
    assert best["error"] == pytest.approx(errors.error[place])
    assert best["interval90"] == pytest.approx([errors.low[place], errors.high[place]])
    assert best["context"] == x[1] * x[2] and 0 < best["vision_share"] < 1
    cheapest = [row["flops"] for row in found["runners_up"]["rows"]]
    assert cheapest == sorted(cheapest) and len(cheapest) <= 3
    gain = found["gain"]
    assert gain["parameters"] == 7.5e9 and gain["gain"]["median"] > 0
    assert gain["gain_over_median"]["median"] > 0


def test_what_the_language_model_alone_would_choose_costs_more(fit: VideoFit) -> None:
    blind = plan(fit, ASKED)["lm_only"]
    x = np.array([blind["parameters"], blind["frames"], blind["tokens"]])
    assert blind["thought"] == pytest.approx(lm_only(x)) and blind["thought"] <= 15e12
    assert blind["over_budget"] == pytest.approx(fit.cost.flops(x) / 15e12)
    assert blind["over_budget"] > 1 and not blind["same"]


def test_break_even_is_what_fine_tuning_costs(fit: VideoFit) -> None:
    found = plan(fit, ASKED)
    best, even = found["best"], found["break_even"]
    seen = best["vision_share"]
    assert even["videos"] == pytest.approx(1e6 * (seen + 3 * (1 - seen)))
    assert even["monthly_over_tuning"] == pytest.approx(1e7 / even["videos"])
    quiet = plan(fit, replace(ASKED, videos_per_month=0.0))["break_even"]
    assert quiet["monthly_over_tuning"] is None


def test_tasks_of_the_data_stand_in_place_of_those_of_the_literature(fit: VideoFit) -> None:
    several = replace(fit, laws={**fit.laws, "order": fit.law})
    tasks = plan(several, ASKED)["tasks"]
    assert tasks["source"] != "literature" and list(tasks["rows"]) == ["order"]
    assert tasks["rows"]["order"]["wants"] == plan(fit, ASKED)["marginal"]["wants"]


def test_what_was_not_measured_is_warned_of(fit: VideoFit) -> None:
    inside = plan(fit, ASKED)["warnings"]
    assert inside["beyond"] == {} and inside["unknown"] == [] and not inside["few"]
    assert inside["cheaper"]["flops"] <= 15e12 < inside["dearer"]["flops"]
    after = plan(fit, ASKED)["next"]
    assert after["budget_doubles"]["beyond"] == {}
    assert after["examples_double"]["beyond"] == pytest.approx({"examples": 2.0})
    assert plan(fit, PlanRequest(15e12, 5e5))["next"]["examples_double"]["beyond"] == {}
    far = plan(fit, PlanRequest(15e12, 8e6))["warnings"]
    assert far["beyond"] == pytest.approx({"examples": 8.0})
    wide = with_axes(fit, ((1e9, 15e9), (4.0, 8.0), (196.0,)))
    assert plan(wide, PlanRequest(1e15, 1e6))["warnings"]["beyond"] == pytest.approx(
        {"parameters": 2.0}
    )


def test_a_budget_below_all_says_the_smallest(fit: VideoFit) -> None:
    with pytest.raises(BadInput, match=r"2\.674e\+12"):
        plan(fit, PlanRequest(2e12, 8000))


def test_a_plan_is_made_at_once(fit: VideoFit) -> None:
    plan(fit, ASKED)
    began = time.process_time()
    plan(fit, ASKED)
    assert time.process_time() - began < 0.3  # measured in `benchmarks/video.py`


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flops", 0.0),
        ("flops", float("nan")),
        ("examples", -1.0),
        ("examples", 0.5),
        ("videos_per_month", -1.0),
    ],
)
def test_what_plans_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput) as refused:
        PlanRequest(**{"flops": 1e12, "examples": 1e6, name: value})
    assert refused.value.where == f"--{name.replace('_', '-')}"


@pytest.mark.parametrize("axis", [(), (0.0,), (float("nan"),)])
def test_an_axis_of_no_sizes_is_refused(fit: VideoFit, axis: tuple[float, ...]) -> None:
    with pytest.raises(BadInput):
        with_axes(fit, ((1e9,), axis, (4.0,)))
