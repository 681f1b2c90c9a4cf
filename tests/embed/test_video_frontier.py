"""The best of a grid: feasible, never worse for more budget or more grid, ties said."""

import numpy as np
import pytest

from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import PowerSum
from tastemaker.embed.video_frontier import best, frontier, grid_of, nearest
from tastemaker.errors import BadInput
from tests.embed.surfaces import GRID, planted

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
    certain = best(errors[:, [0, 3]], spent[[0, 3]], 10.0, grid[:2])
    assert certain.ties == () and certain.band == (0.30, 0.30)


def test_one_refit_has_a_band_of_no_width() -> None:
    law: PowerSum = planted()
    (one,) = frontier(law, COST, GRID, np.array([15e12]), 1e6)
    assert one.band == (one.error, one.error) and one.chances == {one.place: 1.0}
