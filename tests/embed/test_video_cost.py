"""What a video costs, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.embed.video_cost import (
    MOST,
    TUNING,
    VideoCost,
    lm_only,
    tuning_flops,
    vision_share,
)
from tastemaker.embed.video_forms import Floats
from tastemaker.errors import BadInput
from tests.embed.surfaces import FEW, GRID

COST = VideoCost()


def test_the_values_that_were_worked_out() -> None:
    x = np.array([[7.5e9, 32, 196], [1e9, 4, 4], [7.5e9, 32, 49]])
    assert COST.flops(x)[:2] == pytest.approx([115.21536e12, 2.67392e12], rel=1e-12)
    assert lm_only(x)[0] == pytest.approx(94.08e12, rel=1e-12)
    assert vision_share(COST, x)[2] == pytest.approx(330.24 / (330.24 + 367.5))


@pytest.mark.parametrize("factor", range(3))
def test_more_of_anything_costs_more(factor: int) -> None:
    more = GRID.copy()
    more[:, factor] *= 1.01
    assert (COST.flops(more) > COST.flops(GRID)).all()


def test_as_powers_it_is_the_same() -> None:
    cost = VideoCost(2e8, 256, 1e7)
    assert cost.powers()(GRID, 1.0)[0] == pytest.approx(cost.flops(GRID))
    blind = VideoCost(0)
    assert blind.powers()(GRID, 1.0)[0] == pytest.approx(lm_only(GRID))
    assert vision_share(blind, GRID).max() == 0


def test_fine_tuning_goes_thrice_through_the_language_model() -> None:
    x = np.array([[1e9, 8, 49]])
    spent = tuning_flops(COST, x, 1000.0)[0]
    assert spent == pytest.approx(1000 * (COST.vision(x)[0] + 3 * lm_only(x)[0]))


@pytest.mark.parametrize("name", ["vision_parameters", "patches", "projector_parameters"])
def test_a_count_below_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        VideoCost(**{name: -1.0})
    assert refused.value.where == f"--{name.replace('_', '-')}"


sizes = st.floats(1e-3, 1e12)
configurations = st.lists(st.tuples(sizes, sizes, sizes), min_size=1, max_size=6).map(np.array)


def counts(most: float) -> st.SearchStrategy[float]:
    return st.just(0.0) | st.floats(1e-3, most)


costs = st.builds(VideoCost, counts(1e10), counts(1e5), counts(1e9))
EXACT = {"rel": 1e-9, "abs": 1e-300}  # below it numbers have few digits


@FEW
@given(costs, configurations)
def test_the_cost_is_that_of_its_sum_term_by_term(cost: VideoCost, x: Floats) -> None:
    for (n, t, v), spent, seen in zip(x, cost.flops(x), cost.vision(x), strict=True):
        patches = 2 * t * cost.patches
        assert seen == pytest.approx(
            patches * cost.vision_parameters + patches * cost.projector_parameters, **EXACT
        )
        assert spent == pytest.approx(seen + 2 * n * t * v, **EXACT)
        assert lm_only(np.array([n, t, v])) <= spent


@FEW
@given(costs, configurations, st.floats(1.001, 100))
def test_a_cost_grows_as_its_factors_do(cost: VideoCost, x: Floats, times: float) -> None:
    """In frames it is homogeneous; model and tokens only multiply the language model's part."""
    spent, language = cost.flops(x), lm_only(x)
    assert cost.flops(x * [1, times, 1]) == pytest.approx(times * spent, **EXACT)
    for k in (0, 2):
        more = x.copy()
        more[:, k] *= times
        assert lm_only(more) == pytest.approx(times * language, **EXACT)
        assert cost.flops(more) == pytest.approx(spent + (times - 1) * language, **EXACT)
    assert cost.flops(x * [times, 1, 1 / times]) == pytest.approx(spent, **EXACT)


@FEW
@given(costs, configurations)
def test_shares_lie_between_nothing_and_all(cost: VideoCost, x: Floats) -> None:
    share = vision_share(cost, x)
    assert ((share >= 0) & (share <= 1)).all()
    assert share * cost.flops(x) == pytest.approx(cost.vision(x), rel=1e-9, abs=1e-300)


@FEW
@given(costs, configurations)
def test_powers_are_the_cost_wherever_they_are_asked(cost: VideoCost, x: Floats) -> None:
    assert cost.powers()(x, 7.0)[0] == pytest.approx(cost.flops(x), rel=1e-9)
    assert cost.powers().at(3.0)(x, 1.0)[0] == pytest.approx(cost.flops(x), rel=1e-9)


@FEW
@given(costs, configurations, st.floats(1, 1e9))
def test_tuning_costs_as_many_videos_as_examples_or_up_to_thrice(
    cost: VideoCost, x: Floats, n: float
) -> None:
    videos = tuning_flops(cost, x, n) / cost.flops(x)
    assert ((videos >= n * (1 - 1e-9)) & (videos <= TUNING * n * (1 + 1e-9))).all()
    assert tuning_flops(cost, x, 2 * n) == pytest.approx(2 * tuning_flops(cost, x, n), **EXACT)


def test_the_shape_of_what_is_asked_is_kept() -> None:
    grid = GRID.reshape(3, 5, 7, 3)
    assert COST.flops(grid).shape == COST.vision(grid).shape == lm_only(grid).shape == (3, 5, 7)
    assert np.array_equal(COST.flops(grid).ravel(), COST.flops(GRID))
    assert COST.flops(GRID[0]) == COST.flops(GRID)[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e-9, 1e31])
def test_a_count_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(BadInput) as refused:
        VideoCost(patches=value)
    assert refused.value.where == "--patches" and str(value) in refused.value.what


def test_the_largest_counts_cost_a_number() -> None:
    dear = VideoCost(MOST, MOST, MOST)
    assert np.isfinite(dear.flops(np.full((1, 3), MOST))).all()
