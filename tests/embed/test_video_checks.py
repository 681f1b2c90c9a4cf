"""Agreement in numbers that can be worked out, and folds that share no cell."""

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig
from tastemaker.embed.video_checks import agreement, cross_validated, dearest, folds_of, held_out
from tastemaker.embed.video_cost import VideoCost
from tastemaker.errors import BadInput
from tests.embed.surfaces import planted, sixty

QUICK = VideoFitConfig("add", 10, 5)


def test_agreement_is_what_its_names_say() -> None:
    found = agreement(np.array([0.22, 0.36]), np.array([0.20, 0.40]))
    assert found.percent == pytest.approx(10) and found.mse == pytest.approx(10.0)
    assert found.r2 == pytest.approx(1 - 0.002 / 0.02) and found.points == 2
    assert agreement(np.array([0.5]), np.array([0.5])).to_json()["r2"] is None


def test_no_cell_stands_in_two_folds() -> None:
    points = sixty(planted()).of(np.repeat(np.arange(60), 2))
    fold = folds_of(points, 5, 0)
    cells = np.unique(points.factors, axis=0, return_inverse=True)[1].reshape(-1)
    assert all(len(set(fold[cells == cell])) == 1 for cell in range(points.cells))
    assert set(fold) == set(range(5)) and np.bincount(fold).min() >= 15
    assert set(folds_of(points.of([0, 1, 2]), 5, 0)) == {0, 1}


def test_a_law_that_is_right_predicts_what_it_has_not_seen() -> None:
    points = sixty(planted())
    assert cross_validated(points, QUICK, 5).percent < 3
    held = dearest(points, VideoCost().flops(points.x))
    assert 0 < held.sum() <= 12
    assert held_out(points, held, QUICK).points == held.sum()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_something_is_held_out_and_something_kept(all_of_them: bool) -> None:
    points = sixty(planted())
    with pytest.raises(BadInput, match="held out"):
        held_out(points, np.full(60, all_of_them), QUICK)
