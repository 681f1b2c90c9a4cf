"""Many fits at once end where each of them alone would, at the least squares."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from tastemaker.embed.video_fit import Problem, best_of, descend, refitted, starts
from tastemaker.embed.video_forms import FORMS, Form, Layout, log_factors
from tests.embed.surfaces import PLANTED, planted, sixty


def problem(many: int = 1, huber: bool = False, form: Form = "add-interact") -> Problem:
    points, layout = sixty(planted()), Layout.of(form)
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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("huber", [False, True])
def test_every_form_s_gradient_is_the_derivative(form: Form, huber: bool) -> None:
    one = problem(2, huber, form)
    rng = np.random.default_rng(4)
    theta = starts(one.layout, 2, rng)
    one = replace(one, weights=rng.integers(0, 4, (2, 60)).astype(float))
    slope = one.normal(theta, *one.residuals(theta))[1] / one.weights.sum(axis=1)[:, None]
    for p in range(len(one.layout.names)):
        step = np.eye(len(one.layout.names))[p] * 1e-6
        ends = [one.losses(one.residuals(theta + sign * step)[0]) for sign in (1, -1)]
        wanted = (ends[0] - ends[1]) / 2e-6
        assert 2 * slope[:, p] == pytest.approx(wanted, rel=2e-3, abs=1e-8)


def test_curvature_is_that_of_the_squares() -> None:
    """JᵀJ from the shares is the product of a Jacobian by differences with itself."""
    one = problem(1)
    theta = starts(one.layout, 1, np.random.default_rng(5))
    steps = 1e-6 * np.eye(len(one.layout.names))
    columns = [(one.residuals(theta + s)[0] - one.residuals(theta - s)[0])[0] / 2e-6 for s in steps]
    jacobian = np.stack(columns, axis=1)
    curved = one.normal(theta, *one.residuals(theta))[0][0]
    assert curved == pytest.approx(jacobian.T @ jacobian, rel=1e-4, abs=1e-7)
    assert np.linalg.eigvalsh(curved).min() >= -1e-9


@pytest.mark.parametrize("form", FORMS)
def test_residuals_and_shares_are_those_of_a_loop(form: Form) -> None:
    one = problem(2, form=form)
    theta = starts(one.layout, 2, np.random.default_rng(6))
    residuals, shares = one.residuals(theta)
    values = one.values(theta)
    for b in range(2):
        for m in (0, 7, 59):
            terms = np.exp([row @ values[b] for row in one.design[m]])
            assert residuals[b, m] == pytest.approx(np.log(terms.sum()) - one.target[m])
            assert shares[b, :, m] == pytest.approx(terms / terms.sum())


def test_exponents_are_above_nothing_wherever_a_fit_begins_and_ends() -> None:
    one = problem(20)
    theta = starts(one.layout, 20, np.random.default_rng(7))
    for place in (theta, descend(one, theta, 30)[0]):
        assert (one.values(place)[:, one.layout.coefficients :] > 0).all()


def test_a_step_never_raises_a_loss() -> None:
    one = problem(10)
    theta = starts(one.layout, 10, np.random.default_rng(8))
    losses = one.losses(one.residuals(theta)[0])
    for steps in (1, 3, 10, 40):
        after, found = descend(one, theta, steps)
        assert (found <= losses).all()
        assert found == pytest.approx(one.losses(one.residuals(after)[0]), rel=1e-9)
        losses = found


def test_huber_is_squares_near_and_linear_far() -> None:
    one = replace(problem(1, huber=True), weights=np.ones((1, 2)))
    for size in (1e-4, 1e-3):
        assert one.losses(np.array([[size, -size]]))[0] == pytest.approx(size**2)
    far, farther = (one.losses(np.array([[size, size]]))[0] for size in (0.1, 0.2))
    assert farther - far == pytest.approx(2e-3 * 0.1)


def test_more_starts_are_never_worse_and_the_ends_are_ordered() -> None:
    one, found = problem(), []
    for count in (1, 5, 25):
        ends = best_of(one, count, np.random.default_rng(9), min(3, count))
        assert len(ends) == min(3, count)
        many = one.of(np.zeros(len(ends), int))
        losses = many.losses(many.residuals(ends)[0])
        assert (np.diff(losses) >= 0).all()
        found.append(losses[0])
    assert found[2] <= found[0] * (1 + 1e-6)


def test_a_law_without_noise_is_fitted_to_the_last_digits() -> None:
    points, layout = sixty(planted("mult"), noise=0.0), Layout.of("mult")
    logs, target = log_factors(points.x, points.n), np.log(points.error)
    design = layout.design(logs - logs.mean(axis=0))
    one = Problem(layout, design, target - target.mean(), np.ones((1, 60)))
    theta = best_of(one, 20, np.random.default_rng(0), 1)
    assert one.losses(one.residuals(theta)[0])[0] < 1e-9
    found = dict(zip(layout.names, one.values(theta)[0].tolist(), strict=True))
    for name in ("a_parameters", "a_frames", "a_tokens", "d"):
        assert found[name] == pytest.approx(PLANTED[name], rel=1e-2)


def test_a_point_of_no_weight_has_no_part_in_a_fit() -> None:
    one = problem()
    spoilt = one.target.copy()
    spoilt[11] = 50.0
    held = np.ones((1, 60))
    held[0, 11] = 0
    theta = starts(one.layout, 1, np.random.default_rng(10))
    ends = [descend(replace(one, target=target, weights=held), theta, 40)[0]
            for target in (one.target, spoilt)]  # fmt: skip
    assert np.array_equal(ends[0], ends[1])
