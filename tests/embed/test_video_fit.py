"""Many fits at once end where each of them alone would, at the least squares."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from tastemaker.embed.video_fit import Problem, best_of, descend, refitted, starts
from tastemaker.embed.video_forms import Layout, log_factors
from tests.embed.surfaces import planted, sixty


def problem(many: int = 1, huber: bool = False) -> Problem:
    points, layout = sixty(planted()), Layout.of("add-interact")
    logs, target = log_factors(points.x, points.n), np.log(points.error)
    design = layout.design(logs - logs.mean(axis=0))
    return Problem(layout, design, target - target.mean(), np.ones((many, 60)), huber)


def test_the_jacobian_is_the_derivative() -> None:
    one = problem(3)
    theta = starts(one.layout, 3, np.random.default_rng(0))
    slope = one.normal(theta, *one.residuals(theta))[1] / 60
    for p in range(len(one.layout.names)):
        step = np.zeros(15)
        step[p] = 1e-6
        ends = [one.losses(one.residuals(theta + sign * step)[0]) for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(2 * slope[:, p], rel=1e-4, abs=1e-9)


def test_many_starts_find_what_scipy_finds_from_the_best_of_them() -> None:
    one = problem()
    ends = best_of(one, 50, np.random.default_rng(0), 4)
    losses = one.of(np.zeros(4, int)).losses(one.of(np.zeros(4, int)).residuals(ends)[0])
    assert list(losses) == sorted(losses)
    other = least_squares(lambda theta: one.residuals(theta[None])[0][0], ends[0], xtol=1e-12)
    assert losses[0] <= np.mean(other.fun**2) * (1 + 1e-4)


def test_a_problem_is_the_same_alone_and_among_others() -> None:
    many = problem(6)
    theta = starts(many.layout, 6, np.random.default_rng(1))
    together = descend(many, theta, 60)[1]
    alone = [descend(many.of(np.array([k])), theta[[k]], 60)[1][0] for k in range(6)]
    assert together == pytest.approx(alone, rel=1e-6)


def test_weights_count_points_as_often_as_they_were_drawn() -> None:
    one = problem()
    drawn = np.random.default_rng(0).multinomial(60, np.full(60, 1 / 60), 1)
    weighted = replace(one, weights=drawn.astype(float))
    rows = np.repeat(np.arange(60), drawn[0])
    written = replace(
        one, design=one.design[rows], target=one.target[rows], weights=np.ones((1, 60))
    )
    theta = starts(one.layout, 1, np.random.default_rng(2))
    for left, right in zip(
        *(p.normal(theta, *p.residuals(theta)) for p in (weighted, written)), strict=True
    ):
        assert left == pytest.approx(right)
    best = best_of(one, 20, np.random.default_rng(0), 2)
    again = refitted(weighted, best, 2, np.random.default_rng(0))
    start = weighted.losses(weighted.residuals(best[:1])[0])
    assert (weighted.losses(weighted.residuals(again)[0]) <= start).all()


def test_huber_hardly_minds_a_run_that_went_wrong() -> None:
    one = problem()
    spoilt = one.target.copy()
    spoilt[7] += 1.0
    clean = one.residuals(best_of(one, 30, np.random.default_rng(0), 1))[0] + one.target
    gaps = {}
    for huber in (False, True):
        bad = replace(one, target=spoilt, huber=huber)
        theta = best_of(bad, 30, np.random.default_rng(0), 1)
        gaps[huber] = np.abs(bad.residuals(theta)[0] + spoilt - clean)[0, np.arange(60) != 7].mean()
    assert gaps[True] < 0.5 * gaps[False]
