"""Between the points of a grid: the solutions that can be worked out, and how they move."""

import numpy as np
import pytest

from tastemaker.embed.video_continuous import Box, continuous, elasticities
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import Layout, PowerSum
from tastemaker.embed.video_frontier import grid_of
from tests.embed.surfaces import CENTRE, GRID, PLANTED, planted

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


BOX = Box.of(GRID)
PAID = np.array([5e12, 15e12, 40e12])


def several(seed: int = 0, refits: int = 4) -> PowerSum:
    """Refits that differ."""
    rng, layout = np.random.default_rng(seed), Layout.of("add-interact")
    values = np.array([[PLANTED[name] for name in layout.names]] * refits)
    values[:, : layout.coefficients] += 0.3 * rng.normal(size=(refits, layout.coefficients))
    return layout.powers(values, CENTRE, 0.0)


def test_every_solution_is_inside_the_box_and_paid_for() -> None:
    law, cost, sizes = several(), VideoCost(), np.array([2e5, 1e6])
    x = continuous(law, cost.powers(), PAID, sizes, BOX)
    assert x.shape == (3, 2, 4, 3)
    assert ((np.log(x) >= BOX.low) & (np.log(x) <= BOX.high)).all()
    assert (cost.flops(x) <= PAID[:, None, None]).all()


def test_more_budget_or_a_wider_box_never_raises_the_least_error() -> None:
    law, cost = several(refits=1), VideoCost().powers()
    wide = Box(BOX.low - 0.5, BOX.high + 0.5)
    found = {}
    for name, box in (("box", BOX), ("wide", wide)):
        x = continuous(law, cost, PAID, np.array([1e6]), box)[:, 0, 0]
        found[name] = law(x, 1e6)[0]
        assert (np.diff(found[name]) <= 1e-6).all()
    assert (found["wide"] <= found["box"] + 1e-6).all()


def test_many_at_once_are_as_each_alone() -> None:
    law, cost, sizes = several(), VideoCost().powers(), np.array([2e5, 1e6])
    together = continuous(law, cost, PAID, sizes, BOX)
    for b, s, r in ((0, 0, 0), (1, 1, 2), (2, 0, 3)):
        one = PowerSum(law.logs[[r]], law.powers[[r]])
        alone = continuous(one, cost, PAID[[b]], sizes[[s]], BOX)[0, 0, 0]
        assert together[b, s, r] == pytest.approx(alone, rel=1e-4)


def test_units_make_no_difference_to_how_sizes_move() -> None:
    """Parameters in billions, budgets with them: the same problem, so the same percent."""
    law, sizes = several(), np.array([5e5])
    plain = elasticities(law, BLIND, PAID, sizes, BOX)
    shift = np.log([1e9, 1.0, 1.0])
    billions = PowerSum(law.logs + law.powers[:, :, 0] * shift[0], law.powers)
    moved = Box(BOX.low - shift, BOX.high - shift)
    assert elasticities(billions, BLIND, PAID / 1e9, sizes, moved) == pytest.approx(plain, abs=1e-3)


def test_budgets_that_pay_for_nothing_are_left_out_of_the_mean() -> None:
    law, cost, sizes = several(), VideoCost().powers(), np.array([5e5])
    alone = elasticities(law, cost, PAID, sizes, BOX)
    beside = elasticities(law, cost, np.array([1e9, *PAID, 1e10]), sizes, BOX)
    assert beside == pytest.approx(alone)
    x = continuous(law, cost, np.array([1e9, *PAID]), sizes, BOX)
    assert np.isnan(x[0]).all() and np.isfinite(x[1:]).all()


def test_what_is_at_an_end_does_not_move_and_a_budget_without_end_buys_all() -> None:
    law = two_terms((5e4, [-0.5, 0, 0, 0]), (1.0, [0, -0.5, 0, 0]), (1.0, [0, 0, -0.5, -0.1]))
    (x,) = continuous(law, VideoCost().powers(), np.array([1e30]), np.array([1e6]), BOX)[0, 0]
    assert np.log(x) == pytest.approx(BOX.high, abs=1e-3)
    moved = elasticities(law, VideoCost().powers(), np.array([1e30]), np.array([1e6]), BOX)
    assert np.abs(moved).max() < 1e-3


@pytest.mark.parametrize(("a", "c"), [(0.2, 0.7), (0.5, 0.5), (0.9, 0.3)])
def test_a_budget_is_split_as_worked_out(a: float, c: float) -> None:
    """α N^-a + β V^-c under 2 N V = C: a α N^-a = c β V^-c, so N ~ C^(c / (a + c))."""
    law = two_terms((30.0, [-a, 0, 0, 0]), (40.0, [0, 0, -c, 0]))
    x = continuous(law, BLIND, np.array([1e14, 1e16]), np.array([1.0]), WIDE)[:, 0, 0]
    assert np.log(x[1, 0] / x[0, 0]) / np.log(100) == pytest.approx(c / (a + c), abs=1e-3)
    assert a * 30 * x[:, 0] ** -a == pytest.approx(c * 40 * x[:, 2] ** -c, rel=1e-3)
    assert 2 * x.prod(axis=1) == pytest.approx([1e14, 1e16], rel=1e-3)


def test_a_box_of_one_configuration_has_one_solution() -> None:
    box = Box.of(GRID[:1])
    paid, n, law = np.array([1e14]), np.array([1e6]), several(refits=1)
    (x,) = continuous(law, VideoCost().powers(), paid, n, box)[0, 0]
    assert x == pytest.approx(GRID[0], rel=1e-5)
