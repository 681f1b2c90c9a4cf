"""Fronts and their areas: by hand, against counting cells, and with known answers."""

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.metrics.comparisons import verdict
from tastemaker.metrics.fronts import compare_fronts, front, hypervolume


def test_areas_by_hand() -> None:
    assert hypervolume(np.array([[2.0, 3.0]])) == pytest.approx(6)
    steps = np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 2.0]])
    assert hypervolume(steps) == pytest.approx(3 + 2 + 1)
    assert hypervolume(steps, (1.0, 0.0)) == pytest.approx(2 + 1)
    assert hypervolume(np.array([[-1.0, 5.0], [0.0, 9.0]])) == pytest.approx(0)
    both = hypervolume(np.stack([steps, steps + 1]))
    assert both == pytest.approx([6, 8 + 3 + 2])


def test_an_area_equals_the_share_of_a_fine_grid() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((12, 2))
    grid = (np.stack(np.meshgrid(*[np.arange(400)] * 2), -1).reshape(-1, 2) + 0.5) / 400
    covered = (grid[:, None] <= points[None]).all(2).any(1).mean()
    assert hypervolume(points) == pytest.approx(covered, abs=5e-3)


def test_a_dominated_point_adds_nothing_and_is_not_on_the_front() -> None:
    points = np.array([[1.0, 3.0], [3.0, 1.0], [1.0, 1.0], [3.0, 1.0], [0.5, 3.0]])
    assert front(points).tolist() == [True, True, False, True, False]
    assert hypervolume(points) == pytest.approx(hypervolume(points[front(points)]))


def test_the_better_front_is_found_and_one_is_as_good_as_itself() -> None:
    rng = np.random.default_rng(0)
    a = rng.random((3, 4, 2, 200))
    better = compare_fronts(a + 0.1, a[:, :3], resamples=500)
    assert better.difference > 0 and better.ci95[0] > 0
    assert better.ci95[0] < better.difference < better.ci95[1]
    assert verdict(better) == "holds"
    assert verdict(compare_fronts(a[:, :3], a + 0.1, resamples=500)) == "fails"
    same = compare_fronts(a, a, resamples=500)
    assert (same.difference, same.ci95) == (0.0, (0.0, 0.0))


def test_one_point_is_a_rectangle_of_means() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random((3, 1, 2, 50)), rng.random((3, 1, 2, 50))
    found = compare_fronts(a, b, resamples=200)
    areas = [one.mean(-1).prod(-1)[:, 0] for one in (a, b)]
    assert found.per_seed == pytest.approx(areas[0] - areas[1])
    assert found.reference == pytest.approx(areas[1].mean())


@pytest.mark.parametrize("shape", [(2, 4, 2, 9), (3, 4, 2, 8), (3, 4, 3, 9), (4, 2, 9)])
def test_other_users_or_seeds_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput):
        compare_fronts(np.zeros((3, 4, 2, 9)), np.zeros(shape))
    with pytest.raises(BadInput):
        compare_fronts(np.full((3, 4, 2, 9), np.nan), np.zeros((3, 4, 2, 9)))


def test_more_points_or_better_ones_never_shrink_an_area() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        points = rng.random((6, 2))
        area = hypervolume(points)
        assert hypervolume(np.concatenate([points, rng.random((1, 2))])) >= area
        assert hypervolume(points + np.array([0.1, 0.0])) >= area
        assert hypervolume(points[rng.permutation(6)]) == pytest.approx(area)
        assert hypervolume(points, (0.2, 0.2)) <= area


def test_an_interval_is_narrower_with_more_users() -> None:
    rng = np.random.default_rng(3)
    widths = []
    for users in (40, 4000):
        values = rng.random((3, 5, 2, users))
        found = compare_fronts(values + 0.05, values[:, :2], resamples=400)
        widths.append(found.half_width)
    assert widths[0] > 5 * widths[1]
