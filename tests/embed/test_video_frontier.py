"""The best of a grid: feasible, never worse for more budget or more grid, ties said."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.embed import video_frontier
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import Floats, PowerSum
from tastemaker.embed.video_frontier import affordable, best, frontier, grid_of, naive, nearest
from tastemaker.errors import BadInput
from tests.embed.surfaces import FEW, GRID, planted

COST = VideoCost()
BUDGETS = np.geomspace(3e12, 1e14, 25)


def test_the_error_never_rises_with_the_budget_and_every_choice_is_paid_for() -> None:
    found = frontier(planted(), COST, GRID, BUDGETS, 1e6)
    errors = [one.error for one in found]
    assert errors == sorted(errors, reverse=True)
    for one, budget in zip(found, BUDGETS, strict=True):
        assert one.flops <= budget and one.flops == COST.flops(GRID)[one.place]


def test_more_grid_never_hurts() -> None:
    finer = np.concatenate([GRID, grid_of((2e9, 5e9), (6, 24), (9, 64))])
    few = frontier(planted(), COST, GRID, BUDGETS, 1e6)
    many = frontier(planted(), COST, finer, BUDGETS, 1e6)
    assert all(b.error <= a.error for a, b in zip(few, many, strict=True))


def test_two_tflops_pay_for_nothing_and_it_says_what_does() -> None:
    with pytest.raises(BadInput, match="2.674e") as refused:
        frontier(planted(), COST, GRID, np.array([2e12]), 1e6)
    assert refused.value.where == "--flops" and "1e+09 parameters, 4 frames" in refused.value.what
    assert nearest(COST.flops(GRID), 2e12)[0] is None
    below, above = nearest(COST.flops(GRID), 5e12)
    assert below is not None and above is not None
    assert COST.flops(GRID)[below] <= 5e12 < COST.flops(GRID)[above]
    assert nearest(COST.flops(GRID), 1e20)[1] is None


def test_the_naive_choice_is_the_largest_model_and_then_the_most_frames() -> None:
    places = np.array([0, 2, 3, 1])
    grid = np.array([[9.0, 1, 4], [1, 8, 8], [9, 2, 1], [9, 2, 3], [99, 1, 1]])
    assert naive(places, grid) == 3


def test_what_refits_do_not_tell_apart_is_a_tie_the_cheapest_first() -> None:
    grid, spent = GRID[:4], np.array([4.0, 2.0, 3.0, 1.0])
    errors = np.array([[0.30, 0.31, 0.29, 0.50], [0.30, 0.29, 0.32, 0.50], [0.30, 0.32, 0.31, 0.5]])
    one = best(errors, spent, 10.0, grid)
    assert one.place == 0 and one.ties == (1, 2)
    assert one.chances == {
        0: pytest.approx(1 / 3),
        1: pytest.approx(1 / 3),
        2: pytest.approx(1 / 3),
    }
    equal = best(np.full((3, 4), 0.3), spent, 10.0, grid)
    assert equal.place == 3 and equal.chances == {3: 1.0}, "of equals the cheapest"
    certain = best(errors[:, [0, 3]], spent[[0, 3]], 10.0, grid[:2])
    assert certain.ties == () and certain.band == (0.30, 0.30)


def test_one_refit_has_a_band_of_no_width() -> None:
    law: PowerSum = planted()
    (one,) = frontier(law, COST, GRID, np.array([15e12]), 1e6)
    assert one.band == (one.error, one.error) and one.chances == {one.place: 1.0}


def surfaces(seed: int, refits: int, many: int) -> tuple[Floats, Floats, Floats]:
    """Errors (R, G), FLOPs (G,) and configurations (G, 3), with ties among all of them."""
    rng = np.random.default_rng(seed)
    errors = np.round(0.5 + 0.05 * rng.normal(size=(refits, many)), 2)
    return (
        errors,
        rng.integers(1, 6, many).astype(float),
        rng.integers(1, 5, (many, 3)).astype(float),
    )


seeds, refits, many = st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 12)


def slowly(errors: Floats, spent: Floats, budget: float) -> tuple[int, list[int]]:
    """The best and its ties, one configuration at a time."""
    paid = [g for g in range(len(spent)) if spent[g] <= budget]
    medians = {g: float(np.median(errors[:, g])) for g in paid}
    chosen = min(paid, key=lambda g: (medians[g], spent[g], g))
    ties = []
    for g in paid:
        gaps = sorted(errors[:, g] - errors[:, chosen])
        if g != chosen and np.quantile(gaps, 0.05) <= 0:
            ties.append(g)
    return chosen, sorted(ties, key=lambda g: (spent[g], medians[g]))


@FEW
@given(seeds, refits, many)
def test_the_best_is_that_of_a_search_one_by_one(seed: int, refits: int, many: int) -> None:
    errors, spent, grid = surfaces(seed, refits, many)
    for budget in range(int(spent.min()), 7):
        one = best(errors, spent, budget, grid)
        assert (one.place, list(one.ties)) == slowly(errors, spent, budget)
        assert one.flops == spent[one.place] <= budget
        assert sum(one.chances.values()) == pytest.approx(1)
        assert all(spent[place] <= budget for place in (*one.ties, *one.chances))
        low, high = one.band
        own = errors[:, one.place]
        assert own.min() <= low <= one.error <= high <= own.max()


@FEW
@given(seeds, refits, many)
def test_more_budget_and_more_grid_never_hurt(seed: int, refits: int, many: int) -> None:
    errors, spent, grid = surfaces(seed, refits, many)
    budgets = np.arange(spent.min(), 8)
    whole = [best(errors, spent, budget, grid).error for budget in budgets]
    assert whole == sorted(whole, reverse=True)
    less = slice(None, max(1, many // 2))
    for budget, error in zip(budgets, whole, strict=True):
        if spent[less].min() <= budget:
            assert best(errors[:, less], spent[less], budget, grid[less]).error >= error


@FEW
@given(seeds, refits, st.integers(2, 12))
def test_the_order_of_the_grid_makes_no_difference(seed: int, refits: int, many: int) -> None:
    errors, spent, grid = surfaces(seed, refits, many)
    spent = spent + np.arange(many) / 100  # no two cost the same, so no tie is left to the order
    order = np.random.default_rng(seed).permutation(many)
    one = best(errors, spent, 7.0, grid)
    other = best(errors[:, order], spent[order], 7.0, grid[order])
    assert order[other.place] == one.place
    assert [int(order[place]) for place in other.ties] == list(one.ties)
    assert other.band == one.band


@FEW
@given(seeds, st.floats(0.1, 10))
def test_only_the_ratio_of_budget_and_cost_counts(seed: int, times: float) -> None:
    errors, spent, grid = surfaces(seed, 5, 8)
    one, other = best(errors, spent, 4.0 + spent.min(), grid), best(
        errors, spent * times, (4.0 + spent.min()) * times, grid
    )  # fmt: skip
    assert (one.place, one.ties, one.chances) == (other.place, other.ties, other.chances)


@FEW
@given(seeds, many, st.floats(0.5, 7))
def test_the_nearest_lie_on_either_side_of_the_budget(seed: int, many: int, budget: float) -> None:
    _, spent, _ = surfaces(seed, 1, many)
    below, above = nearest(spent, budget)
    paid, dear = spent[spent <= budget], spent[spent > budget]
    assert (below is None) == (not len(paid)) and (above is None) == (not len(dear))
    assert below is None or spent[below] == paid.max()
    assert above is None or spent[above] == dear.min()


@FEW
@given(seeds, many, st.floats(0, 0.999))
def test_a_budget_below_everything_says_what_the_smallest_costs(
    seed: int, many: int, part: float
) -> None:
    errors, spent, grid = surfaces(seed, 1, many)
    with pytest.raises(BadInput) as refused:
        best(errors, spent, part * spent.min(), grid)
    assert f"costs {spent.min():.4g}" in refused.value.what
    assert f"at least {spent.min():.4g}" in refused.value.fix and refused.value.where == "--flops"


def test_of_equal_errors_the_cheapest_wins() -> None:
    errors, spent = np.full((3, 4), 0.5), np.array([4.0, 2.0, 3.0, 9.0])
    one = best(errors, spent, 5.0, GRID[:4])
    assert one.place == 1 and one.ties == (2, 0)


def test_what_costs_exactly_the_budget_is_paid_for() -> None:
    spent = COST.flops(GRID)
    for place in (0, 50, 104):
        assert place in affordable(spent, float(spent[place]), GRID)


def test_a_grid_is_every_combination_once_and_sorted() -> None:
    made = grid_of((2, 1, 2), (4,), (9, 3, 3))
    assert made.tolist() == [[1, 4, 3], [1, 4, 9], [2, 4, 3], [2, 4, 9]]


def test_the_best_is_the_same_however_many_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    errors = 0.3 + 0.01 * rng.normal(size=(20, len(GRID))) + 0.02 * rng.random(len(GRID))
    spent = COST.flops(GRID)
    whole = [best(errors, spent, budget, GRID) for budget in np.quantile(spent, [0.2, 0.6, 1])]
    monkeypatch.setattr(video_frontier, "_BLOCK", 4)
    parts = [best(errors, spent, budget, GRID) for budget in np.quantile(spent, [0.2, 0.6, 1])]
    assert [vars(one) for one in parts] == [vars(one) for one in whole]
    assert any(one.ties for one in whole) and len(whole[-1].chances) > 1


def test_a_grid_of_many_takes_little_more_than_its_errors() -> None:
    grid = grid_of(np.geomspace(1e9, 7e9, 50), np.arange(4, 34), np.arange(4, 44))
    law = PowerSum(np.repeat(planted().logs, 20, axis=0), np.repeat(planted().powers, 20, axis=0))
    tracemalloc.start()
    (one,) = frontier(law, COST, grid, np.array([15e12]), 1e6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert one.flops <= 15e12 and peak < 2 * 20 * len(grid) * 8
