"""What must hold of any fitted law: order, units, quantiles, ends, and its least data."""

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, VideoLaw, fit_law
from tastemaker.embed.video_checks import agreement
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_designs import SIZES
from tastemaker.embed.video_forms import FACTORS, FORMS, Form, Layout
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import BadInput
from tests.embed.surfaces import GRID, measured, planted, sixty

COST = VideoCost()
QUICK = VideoFitConfig(starts=20, refits=20)
QUICK_ADD = VideoFitConfig("add", 8, 4)


@pytest.fixture(scope="module")
def law() -> VideoLaw:
    return fit_law(sixty(planted()), QUICK)


def test_the_order_of_runs_makes_no_difference() -> None:
    """The fit of all points is that of the same points in another order."""
    points = sixty(planted())
    once = VideoFitConfig("add", 20, 0)
    order = np.random.default_rng(0).permutation(60)
    plain, other = fit_law(points, once), fit_law(points.of(order), once)
    assert other.predict(GRID, 1e6).error == pytest.approx(plain.predict(GRID, 1e6).error, rel=1e-5)
    assert np.array_equal(plain.ends, other.ends) and plain.data_sha256 != other.data_sha256


def test_errors_of_twice_the_size_give_twice_the_prediction() -> None:
    points, once = sixty(planted()), VideoFitConfig("add", 15, 5)
    twice = VideoPoints(points.x, points.n, 2 * points.error)
    one, other = (fit_law(p, once).predict(GRID, 1e6) for p in (points, twice))
    for name, values in vars(one).items():
        assert vars(other)[name] == pytest.approx(2 * values, rel=1e-6)


def test_quantiles_of_the_refits_are_ordered_and_nested(law: VideoLaw) -> None:
    wide, narrow = (law.predict(GRID, 1e6, ends) for ends in ((0.05, 0.95), (0.25, 0.75)))
    assert (wide.low <= narrow.low).all() and (narrow.low <= narrow.error).all()
    assert (narrow.error <= narrow.high).all() and (narrow.high <= wide.high).all()
    each = law.refits(GRID, 1e6)
    assert each.shape == (20, 105) and (each.min(axis=0) <= wide.low).all()
    assert (wide.high <= each.max(axis=0)).all()
    assert wide.error == pytest.approx(np.median(each, axis=0))


def test_each_configuration_may_have_examples_of_its_own(law: VideoLaw) -> None:
    n = np.geomspace(2e5, 2e6, len(GRID))
    each = law.predict(GRID, n).error
    for place in (0, 40, 104):
        assert each[place] == pytest.approx(law.predict(GRID[[place]], float(n[place])).error[0])


def test_the_frontier_of_a_fit_never_rises_and_is_paid_for(law: VideoLaw) -> None:
    budgets = np.geomspace(2.7e12, 1.2e14, 20)
    found = law.frontier(budgets, 1e6, GRID, COST)
    errors = [one.error for one in found]
    assert errors == sorted(errors, reverse=True)
    assert all(one.flops <= budget for one, budget in zip(found, budgets, strict=True))
    predicted = law.predict(GRID, 1e6)
    for one in found:
        assert one.error == pytest.approx(predicted.error[one.place])
        assert one.band == pytest.approx((predicted.low[one.place], predicted.high[one.place]))
        cheaper = COST.flops(GRID) <= one.flops
        assert predicted.error[cheaper].min() == pytest.approx(one.error)


@pytest.mark.parametrize("form", FORMS)
def test_as_many_different_runs_as_parameters_are_enough_and_one_fewer_is_not(form: Form) -> None:
    needed = len(Layout.of(form).names)
    x, n = GRID[np.random.default_rng(1).permutation(105)[:needed]], np.resize(SIZES, needed)
    points = measured(planted("add"), x, n, 0.01)
    assert points.cells == needed
    config = VideoFitConfig(form, 2, 1)
    assert np.isfinite(fit_law(points, config).predict(GRID, 1e6).error).all()
    with pytest.raises(BadInput, match="1 more run with") as refused:
        fit_law(points.of(np.arange(1, needed)), config)
    assert f"{needed - 1} different runs" in refused.value.what
    assert refused.value.where == "points"


@pytest.mark.parametrize("many", [1, 2, 5, 8, 12, 14])
def test_forms_that_would_do_are_named_and_only_those(many: int) -> None:
    points = sixty(planted()).of(np.arange(0, 60, 4)[:many])
    active = tuple(bool(np.ptp(column)) for column in points.factors.T)
    if not any(active):
        return
    enough = [form for form in FORMS if len(Layout.of(form, active).names) <= points.cells]
    if "add-interact" in enough:
        return
    with pytest.raises(BadInput) as refused:
        fit_law(points, QUICK)
    told = refused.value.fix.split("--form ")[1:] or [""]
    assert [form for form in FORMS if form in told[0].rstrip(".").split(" or ")] == enough


@pytest.mark.parametrize("still", range(4))
def test_a_factor_of_one_value_has_no_part_and_is_known_to_have_none(still: int) -> None:
    points = sixty(planted("add"))
    factors = points.factors.copy()
    factors[:, still] = factors[0, still]
    found = fit_law(VideoPoints(factors[:, :3], factors[:, 3], points.error), QUICK_ADD)
    assert [k for k in range(4) if not found.active[k]] == [still]
    assert np.array_equal(found.ends[0, [still]], found.ends[1, [still]])
    other = GRID.copy()
    if still < 3:
        other[:, still] *= 10
    n = (1e6, 1e8)[still == 3]
    assert np.array_equal(found.predict(other, n).error, found.predict(GRID, 1e6).error)


@pytest.mark.parametrize("value", [0.5, 1e-4, 0.1 + 0.2])
def test_errors_that_are_all_alike_are_predicted_as_they_are(value: float) -> None:
    points = sixty(planted())
    found = fit_law(VideoPoints(points.x, points.n, np.full(60, value)), QUICK_ADD)
    predicted = found.predict(points.x, points.n)
    assert predicted.error == pytest.approx(np.full(60, value), rel=1e-4)
    assert agreement(predicted.error, np.full(60, value)).to_json()["r2"] is None


def test_refits_do_not_touch_the_fit_of_all_points_and_more_starts_are_no_worse() -> None:
    points = sixty(planted("add"))
    rows = [fit_law(points, VideoFitConfig("add", 10, refits)).values for refits in (0, 3)]
    assert len(rows[0]) == 1 and len(rows[1]) == 4 and np.array_equal(rows[0][0], rows[1][0])
    gaps = []
    for count in (1, 30):
        found = fit_law(points, VideoFitConfig("add", count, 0)).predict(points.x, points.n)
        gaps.append(np.mean(np.log(found.error / points.error) ** 2))
    assert gaps[1] <= gaps[0] * (1 + 1e-6)


@pytest.mark.parametrize("factor", range(3))
@pytest.mark.parametrize("times", [0.25, 1.0, 3.0])
def test_how_far_outside_is_told_on_either_side(law: VideoLaw, factor: int, times: float) -> None:
    low, high = law.ends[0, factor], law.ends[1, factor]
    x = np.sqrt(law.ends[0, :3] * law.ends[1, :3])
    x[factor] = high * times if times >= 1 else low * times
    wanted = {FACTORS[factor]: max(times, 1 / times)} if times != 1 else {}
    assert law.beyond(x, 5e5) == pytest.approx(wanted)
