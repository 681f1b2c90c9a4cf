"""What a video costs, by hand."""

import numpy as np
import pytest

from tastemaker.embed.video_cost import VideoCost, lm_only, tuning_flops, vision_share
from tastemaker.errors import BadInput
from tests.embed.surfaces import GRID

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
