"""Between the points of a grid: the solutions that can be worked out, and how they move."""

import numpy as np
import pytest

from tastemaker.embed.video_continuous import Box, continuous, elasticities
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import PowerSum
from tastemaker.embed.video_frontier import grid_of
from tests.embed.surfaces import GRID, planted

WIDE = Box(np.log([1e3, 1.0, 1e-9]), np.log([1e15, 1.0001, 1e15]))
BLIND = VideoCost(0).powers()


def two_terms(*terms: tuple[float, list[float]]) -> PowerSum:
    return PowerSum(np.log([[c for c, _ in terms]]), np.array([[powers for _, powers in terms]]))


def test_it_is_as_good_as_the_best_of_a_dense_grid() -> None:
    law, cost, budgets = planted(), VideoCost(), np.array([5e12, 15e12, 30e12])
    x = continuous(law, cost.powers(), budgets, np.array([1e6]), Box.of(GRID))[:, 0, 0]
    dense = grid_of(np.geomspace(1e9, 7.5e9, 40), np.geomspace(4, 32, 40), np.geomspace(4, 196, 40))
    errors, spent = law(dense, 1e6)[0], cost.flops(dense)
    for one, budget in zip(x, budgets, strict=True):
        assert cost.flops(one) <= budget
        assert law(one[None], 1e6)[0, 0] <= errors[spent <= budget].min() + 1e-6


def test_what_is_not_paid_for_is_nan() -> None:
    x = continuous(planted(), VideoCost().powers(), np.array([1e12]), np.array([1e6]), Box.of(GRID))
    assert np.isnan(x).all()
    moved = elasticities(
        planted(), VideoCost().powers(), np.array([1e12]), np.array([1e6]), Box.of(GRID)
    )
    assert np.isnan(moved).all()


@pytest.mark.parametrize("b", [0.3, -0.3])
def test_two_terms_move_as_worked_out_and_turn_with_b(b: float) -> None:
    """Under 2 N T V = C: with b > 0 size costs data, with b < 0 it spares them.

    f = α N^-a + β N^b n^-d has a α N^-a = b β N^b n^-d, so N ~ n^(d / (a + b)); with b < 0 the
    budget is what stops N: f = α V^-a + β N^b n^-d, so N ~ n^(-d / (a - b)).
    """
    a, d = 0.4, 0.5
    factor = 0 if b > 0 else 2
    powers = [0.0, 0.0, 0.0, 0.0]
    powers[factor] = -a
    law = two_terms((50.0, powers), (0.02 if b > 0 else 50.0, [b, 0, 0, -d]))
    wanted = d / (a + b) if b > 0 else -d / (a - b)
    budgets, sizes = np.geomspace(1e15, 1e16, 3), np.geomspace(1e3, 1e4, 3)
    moved = elasticities(law, BLIND, budgets, sizes, WIDE)
    assert moved[0, 0] == pytest.approx(wanted, rel=0.01)
    if b < 0:
        assert moved[0, 2] == pytest.approx(-wanted, rel=0.01)


def test_the_derivative_is_that_of_the_solution() -> None:
    law, cost, box = planted(), VideoCost().powers(), Box.of(GRID)
    budgets, n = np.array([15e12]), np.array([5e5])
    ends = [continuous(law, cost, budgets, n * np.exp(h), box)[0, 0, 0] for h in (-0.01, 0.01)]
    wanted = (np.log(ends[1]) - np.log(ends[0])) / 0.02
    assert elasticities(law, cost, budgets, n, box)[0] == pytest.approx(wanted, abs=2e-3)
