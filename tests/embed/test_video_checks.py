"""Agreement in numbers that can be worked out, and folds that share no cell."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.embed.video_budget import VideoFitConfig
from tastemaker.embed.video_checks import agreement, cross_validated, dearest, folds_of, held_out
from tastemaker.embed.video_cost import VideoCost
from tastemaker.errors import BadInput
from tests.embed.surfaces import FEW, planted, sixty

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


@pytest.mark.parametrize("value", [0.5, 0.1 + 0.2, 1e-4])
def test_where_nothing_varies_no_share_of_it_is_explained(value: float) -> None:
    """A mean is off by a last digit, and what is off by less than that is no variance."""
    measured = np.full(60, value)
    assert agreement(measured * (1 + 1e-12), measured).to_json()["r2"] is None
    assert agreement(np.append(measured, 1.0), np.append(measured, 1.0)).r2 == 1


@FEW
@given(st.integers(0, 2**31), st.floats(0.1, 10))
def test_agreement_is_of_pairs_whatever_their_order_and_unit(seed: int, times: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, measured = rng.uniform(0.1, 1, (2, 12))
    found, order = agreement(predicted, measured), rng.permutation(12)
    other = agreement(times * predicted[order], times * measured[order])
    assert other.percent == pytest.approx(found.percent) and other.r2 == pytest.approx(found.r2)
    assert other.mse == pytest.approx(times**2 * found.mse)
    assert found.r2 <= 1 and found.mse >= 0 and found.percent >= 0
    perfect = agreement(measured, measured)
    assert (perfect.mse, perfect.percent, perfect.r2) == (0, 0, 1)
    slow = [abs(p - m) / m * 100 for p, m in zip(predicted, measured, strict=True)]
    assert found.percent == pytest.approx(sum(slow) / 12)


@FEW
@given(st.integers(2, 12), st.integers(0, 99), st.integers(1, 4))
def test_folds_are_as_large_as_one_another_and_those_of_the_seed(
    folds: int, seed: int, seeds: int
) -> None:
    points = sixty(planted()).of(np.repeat(np.arange(39), seeds))
    fold = folds_of(points, folds, seed)
    sizes = np.bincount(fold) // seeds
    assert len(sizes) == folds and sizes.max() - sizes.min() <= 1 and len(fold) == 39 * seeds
    assert np.array_equal(fold, folds_of(points, folds, seed))
    assert np.array_equal(fold, folds_of(replace(points, error=points.error * 0.5), folds, seed))


def test_the_dearest_are_dearer_than_all_others_with_all_their_seeds() -> None:
    points = sixty(planted()).of(np.repeat(np.arange(60), 3))
    spent = VideoCost().flops(points.x)
    for share in (0.1, 0.2, 0.5):
        held = dearest(points, spent, share)
        assert spent[held].min() > spent[~held].max() and held.mean() <= share
    assert not dearest(points, np.ones(180)).any()


def test_a_held_out_run_has_no_part_in_what_predicts_it() -> None:
    points = sixty(planted())
    held = np.arange(60) == 17
    honest = held_out(points, held, QUICK)
    spoilt = replace(points, error=np.where(held, 10 * points.error, points.error))
    lied = held_out(spoilt, held, QUICK)
    right = points.error[17]
    predicted = {right * (1 + sign * honest.percent / 100) for sign in (1, -1)}
    assert lied.percent == pytest.approx(min(100 * (10 - p / right) / 10 for p in predicted), abs=1)


def test_what_is_left_may_be_too_little() -> None:
    points = sixty(planted())
    with pytest.raises(BadInput, match="more run"):
        held_out(points, np.arange(60) % 8 > 0, QUICK)
    with pytest.raises(BadInput, match="more run"):
        cross_validated(points.of(np.arange(0, 39, 4)), QUICK, 2)
