"""The designs of the paper, as they were counted by hand."""

import numpy as np
import pytest

from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_designs import SIZES, isoflop, paper_grid, star
from tastemaker.errors import BadInput

GRID, COST = paper_grid(), VideoCost()
FEASIBLE = {
    2: [],
    5: [(7.5, 4, 36), (2.8, 4, 100)],
    15: [
        (2.8, 16, 25),
        (1, 16, 100),
        (2.8, 16, 36),
        (2.8, 8, 196),
        (7.5, 4, 196),
        (7.5, 12, 36),
        (7.5, 16, 16),
        (2.8, 12, 100),
        (2.8, 16, 49),
    ],
    30: [
        (2.8, 32, 25),
        (7.5, 12, 100),
        (1, 32, 100),
        (2.8, 32, 36),
        (2.8, 16, 196),
        (7.5, 8, 196),
        (7.5, 32, 16),
        (2.8, 32, 49),
    ],
}
"""TFLOPs → what costs about as much, N in billions."""


@pytest.mark.parametrize("budget", FEASIBLE)
def test_what_costs_about_a_budget(budget: int) -> None:
    found = isoflop(budget * 1e12, GRID, COST)
    assert {(x[0] / 1e9, x[1], x[2]) for x in found.tolist()} == set(FEASIBLE[budget])
    assert (np.diff(COST.flops(found)) >= 0).all()


def test_the_star_varies_one_factor_at_a_time() -> None:
    x, n = star((7.5e9, 32, 196), GRID, SIZES)
    assert len(x) == len(n) == 39 and set(n) == set(SIZES)
    assert ((x != (7.5e9, 32, 196)).sum(axis=1) <= 1).all()
    assert len(np.unique(np.column_stack([x, n]), axis=0)) == 39


def test_a_centre_outside_the_grid_is_refused() -> None:
    with pytest.raises(BadInput, match="not in the grid"):
        star((7e9, 32, 196), GRID, SIZES)


@pytest.mark.parametrize("centre", [(1e9, 4, 4), (2.8e9, 12, 49), (7.5e9, 32, 196)])
def test_a_star_has_every_value_of_every_axis_once_for_each_size(
    centre: tuple[float, ...],
) -> None:
    x, n = star(centre, GRID, (1e4, 2e4))
    for size in (1e4, 2e4):
        own = x[n == size]
        assert len(own) == 3 + 5 + 7 - 2 and (own == centre).all(axis=1).sum() == 1
        for k in range(3):
            arm = own[(own == centre).sum(axis=1) >= 2][:, k]
            assert set(arm) == set(GRID[:, k])


@pytest.mark.parametrize("tolerance", [(0.0, 0.0), (0.15, 0.02), (0.5, 0.5)])
def test_what_costs_the_same_lies_within_its_tolerance_and_nothing_else_does(
    tolerance: tuple[float, float],
) -> None:
    spent = COST.flops(GRID)
    for budget in (spent[3], 15e12, 1.0):
        found = isoflop(float(budget), GRID, COST, tolerance)
        near = [x for x, cost in zip(GRID.tolist(), spent.tolist(), strict=True)
                if budget * (1 - tolerance[0]) <= cost <= budget * (1 + tolerance[1])]  # fmt: skip
        assert sorted(found.tolist()) == sorted(near)
    assert isoflop(float(spent[3]), GRID, COST, (0.0, 0.0)).tolist() == [GRID[3].tolist()]


def test_the_paper_s_smallest_configuration_costs_more_than_its_smallest_budget() -> None:
    assert COST.flops(GRID).min() == pytest.approx(2.67392e12)
    assert len(GRID) == len(np.unique(GRID, axis=0)) == 105
