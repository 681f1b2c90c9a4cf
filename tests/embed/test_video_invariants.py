"""What must hold of every plan, frontier and fit, whatever the law: on laws drawn at random."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.video_budget import VideoFitConfig, VideoLaw, fit_law
from tastemaker.embed.video_checks import agreement
from tastemaker.embed.video_continuous import Box, continuous, elasticities
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import FORMS, Form, Layout, PowerSum
from tastemaker.embed.video_frontier import best, frontier
from tastemaker.embed.video_plan import PlanRequest, plan
from tests.embed.surfaces import CENTRE, GRID, PLANTED, measured, planted, sixty

COST = VideoCost()
SPENT = COST.flops(GRID)
AXES = tuple(tuple(np.unique(GRID[:, k]).tolist()) for k in range(3))
seeds = st.integers(0, 2**16)
budgets = st.floats(2.7e12, 1e14)
sizes = st.floats(1e5, 1e7)


def drawn(seed: int, form: Form = "add-interact", refits: int = 5) -> VideoLaw:
    """A law as if it had been fitted, whose refits differ by a little."""
    rng, layout = np.random.default_rng(seed), Layout.of(form)
    values = np.array([[PLANTED[name] for name in layout.names]] * (1 + refits))
    values[:, layout.coefficients :] *= np.exp(0.3 * rng.normal(size=(1, 1)))
    values += 0.05 * np.abs(values) * rng.normal(size=values.shape)
    ends = np.array([[1e9, 4, 4, 2.5e5], [7.5e9, 32, 196, 1e6]])
    about = (VideoFitConfig(form), (True,) * 4, CENTRE, 0.0, values, ends, 60, "0" * 64)
    return VideoLaw(*about)


@settings(max_examples=12, deadline=None)
@given(seeds, budgets, sizes)
def test_what_is_chosen_is_paid_for_and_nothing_paid_for_is_better(
    seed: int, budget: float, n: float
) -> None:
    law = drawn(seed)
    (one,) = law.frontier(np.array([budget]), n, GRID, COST)
    errors, paid = law.predict(GRID, n), budget >= SPENT
    assert one.flops <= budget
    assert one.error == pytest.approx(errors.error[paid].min())
    assert one.band[0] <= one.error <= one.band[1]
    assert sum(one.chances.values()) == pytest.approx(1)
    assert all(SPENT[place] <= budget for place in (*one.ties, *one.chances))
    assert [SPENT[p] for p in one.ties] == sorted(SPENT[p] for p in one.ties)


@settings(max_examples=12, deadline=None)
@given(seeds, budgets, sizes)
def test_nine_lines_are_made_of_any_law(seed: int, budget: float, n: float) -> None:
    fit = VideoFit({"all tasks": drawn(seed)}, COST, AXES, {})
    told = plan(fit, PlanRequest(budget, n))
    assert len(told) == 9 and all("source" in line for line in told.values())
    for gained in (told["gain"]["gain"], told["gain"]["gain_over_median"]):
        low, high = gained["interval90"]  # of refits, which may each prefer another
        assert low <= gained["median"] <= high
    assert told["next"]["budget_doubles"]["error"] <= told["best"]["error"] + 1e-12
    assert told["lm_only"]["thought"] <= budget <= told["lm_only"]["flops"] * 1e6
    assert told["break_even"]["videos"] >= n
    for row in told["marginal"]["rows"].values():
        assert row["interval90"][0] <= row["median"] <= row["interval90"][1]


@settings(max_examples=6, deadline=None)
@given(seeds, sizes)
def test_between_the_points_it_is_never_worse_than_on_them(seed: int, n: float) -> None:
    law = drawn(seed, refits=1)
    one = PowerSum(law.refits.logs[:1], law.refits.powers[:1])
    some = np.geomspace(3e12, 1e14, 5)
    x = continuous(one, COST.powers(), some, np.array([n]), Box.of(GRID))[:, 0, 0]
    for chosen, budget in zip(x, some, strict=True):
        assert COST.flops(chosen) <= budget
        on_grid = best(one(GRID, n), SPENT, float(budget), GRID).error
        assert one(chosen[None], n)[0, 0] <= on_grid * (1 + 1e-4)
        assert (np.log(chosen) >= Box.of(GRID).low).all()
        assert (np.log(chosen) <= Box.of(GRID).high).all()


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_without_interactions_more_data_moves_nothing(seed: int) -> None:
    for form in ("add", "mult"):
        moved = elasticities(
            drawn(seed, form).refits,
            COST.powers(),
            np.array([5e12, 3e13]),
            np.array([1e6]),
            Box.of(GRID),
        )
        assert np.abs(moved).max() < 1e-3


@pytest.mark.parametrize(("factor", "sign"), [("parameters", 1), ("frames", 1), ("tokens", 1)])
def test_what_costs_data_grows_with_data(factor: str, sign: int) -> None:
    """A factor whose interaction is strong is held back by few examples, and comes with more."""
    changed = {f"beta_{name}": -12.0 for name in ("parameters", "frames", "tokens")}
    changed[f"beta_{factor}"] = -1.5
    law = planted(**changed)
    moved = elasticities(
        law, COST.powers(), np.geomspace(5e12, 5e13, 4), np.array([3e5, 1e6]), Box.of(GRID)
    )[0]
    place = ("parameters", "frames", "tokens").index(factor)
    assert sign * moved[place] > 0.01
    assert min(moved[k] for k in range(3) if k != place) < 0


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(FORMS))
def test_errors_fall_with_data_and_are_above_the_floor(seed: int, form: Form) -> None:
    law = drawn(seed, form).refits
    few, many = law(GRID, 2e5), law(GRID, 2e6)
    assert (many < few).all()
    floor = np.exp(law.logs[:, -1])  # the last term is eps
    assert (many > floor[:, None]).all()
    assert np.abs(law.powers[:, -1]).max() == 0


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(1e-3, 1e3), st.floats(1e-6, 1e6))
def test_a_law_is_the_same_in_other_units(seed: int, a: float, b: float) -> None:
    law = drawn(seed)
    shifted = replace(law, centre=law.centre + np.log([a, 1, 1, b]))
    moved = GRID * [a, 1, 1]
    assert shifted.predict(moved, 5e5 * b).error == pytest.approx(law.predict(GRID, 5e5).error)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_fits_what_it_made(form: Form) -> None:
    truth = planted(form)
    points = sixty(truth, noise=1e-4)
    found = fit_law(points, VideoFitConfig(form, 20, 0))
    assert agreement(found.predict(points.x, points.n).error, points.error).percent < 0.05
    assert agreement(found.predict(GRID, 5e5).error, truth(GRID, 5e5)[0]).percent < 0.3


def test_more_noise_widens_the_interval() -> None:
    widths = []
    for noise in (0.002, 0.02):
        law = fit_law(sixty(planted(), noise=noise), VideoFitConfig("add", 10, 20))
        found = law.predict(GRID, 5e5)
        widths.append(float(np.mean(found.high - found.low)))
    assert widths[1] > 3 * widths[0]


def test_more_refits_of_a_law_change_its_median_little() -> None:
    points = sixty(planted())
    few, many = (fit_law(points, VideoFitConfig("add", 10, refits)) for refits in (15, 60))
    medians = [law.predict(GRID, 5e5).error for law in (few, many)]
    assert np.abs(medians[0] / medians[1] - 1).max() < 0.03


def test_one_bad_run_moves_a_huber_fit_less() -> None:
    points = sixty(planted())
    spoilt = points.error.copy()
    spoilt[5] *= 2
    gaps = {}
    for loss in ("squares", "huber"):
        config = VideoFitConfig("add", 10, 0, loss)  # type: ignore[arg-type]
        clean = fit_law(points, config).predict(GRID, 5e5).error
        bad = fit_law(replace(points, error=spoilt), config).predict(GRID, 5e5).error
        gaps[loss] = np.abs(bad / clean - 1).mean()
    assert gaps["huber"] < 0.5 * gaps["squares"]


def test_forms_without_interactions_choose_the_same_for_any_data() -> None:
    law = fit_law(sixty(planted()), VideoFitConfig("add", 10, 0))
    some = np.geomspace(5e12, 9e13, 6)
    few, many = (law.frontier(some, n, GRID, COST) for n in (2.5e5, 1e6))
    assert [one.place for one in few] == [one.place for one in many]


def test_the_star_alone_is_enough_for_the_sums(fit: VideoFit) -> None:
    """39 runs, one factor at a time, and what is off the star is predicted."""
    truth = planted()
    points = sixty(truth).of(range(39))
    law = fit_law(measured(truth, points.x, points.n, 0.003), VideoFitConfig("add", 20, 10))
    off = GRID[(GRID != (7.5e9, 32, 196)).sum(axis=1) >= 2]
    told = agreement(law.predict(off, 5e5).error, truth(off, 5e5)[0])
    assert told.percent < 3 and told.r2 > 0.9
    assert len(frontier(fit.law.refits, COST, GRID, np.array([1e13]), 5e5)) == 1
