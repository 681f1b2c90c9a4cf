"""The losses: equal to hand cases and to the plain definitions; nothing where nothing competes."""

import math

import pytest
import torch
from torch import Tensor

from tastemaker.recommend.mtmh_losses import engagement, listwise, margin, squared

SCORES = torch.tensor([[0.9, 0.1, -0.3], [0.2, 0.8, 0.0], [0.5, -0.1, 0.4]])
WEIGHTS = torch.tensor([1.0, 2.0, 0.5])
LOG_Q = torch.tensor([0.5, 0.3, 0.2]).log()
DIAGONAL = torch.arange(3).expand(2, 3)
ONES = torch.ones(3)


def softmax_by_hand(log_q: list[float], masked: set[tuple[int, int]] = frozenset()) -> float:  # type: ignore[assignment]
    """−Σ_b w_b·log(exp(s_bb/τ − log q_b) / Σ_j exp(s_bj/τ − log q_j))."""
    total = 0.0
    for b in range(3):
        values = [math.exp(float(SCORES[b, j]) / 0.5 - log_q[j]) for j in range(3)]
        rivals = sum(value for j, value in enumerate(values) if j == b or (b, j) not in masked)
        total -= float(WEIGHTS[b]) * math.log(values[b] / rivals)
    return total


def test_a_hand_case_with_weights_and_log_q() -> None:
    loss = engagement(SCORES / 0.5 - LOG_Q, ONES, DIAGONAL, WEIGHTS, DIAGONAL)
    assert float(loss) == pytest.approx(softmax_by_hand(LOG_Q.tolist()), rel=1e-5)


def test_a_constant_q_cancels() -> None:
    one, two = (
        engagement(SCORES / 0.5 - q, ONES, DIAGONAL, WEIGHTS, DIAGONAL) for q in (0.0, -3.0)
    )
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


def test_what_also_followed_is_no_rival() -> None:
    also = torch.cat([DIAGONAL, torch.tensor([[0, 2], [1, 0]])], 1)
    loss = engagement(SCORES / 0.5 - LOG_Q, ONES, DIAGONAL, WEIGHTS, also)
    want = softmax_by_hand(LOG_Q.tolist(), {(0, 1), (2, 0)})
    assert float(loss) == pytest.approx(want, rel=1e-5)


def test_repetitions_in_a_step_count_as_if_they_stood_there() -> None:
    """Pairs (a, x), (a, y), (b, x), (b, x'): the plain loss over columns x, y, x, z."""
    scores = torch.tensor([[0.9, 0.1, -0.3], [0.2, 0.8, 0.0]])
    pairs = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 2]])
    counts = torch.tensor([2.0, 1.0, 1.0])
    loss = engagement(scores, counts, pairs, torch.ones(4), pairs)
    columns, total = [0, 1, 0, 2], 0.0
    positives = {(0, 0), (0, 1), (1, 0), (1, 2)}
    for b, (row, own) in enumerate(pairs.T.tolist()):
        rivals = math.exp(scores[row, own])
        for at, column in enumerate(columns):
            if at != b and (row, column) not in positives:
                rivals += math.exp(scores[row, column])
        total -= math.log(math.exp(scores[row, own]) / rivals)
    assert float(loss) == pytest.approx(total, rel=1e-5)


def test_a_trigger_without_rivals_has_no_loss_and_a_finite_gradient() -> None:
    scores = SCORES.clone().requires_grad_()
    every = torch.cartesian_prod(torch.arange(3), torch.arange(3)).T
    loss = engagement(scores, ONES, DIAGONAL, WEIGHTS, every)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert scores.grad is not None and not scores.grad.any()


def random(rows: int = 4, columns: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    scores, meaning = torch.rand(rows, columns) * 2 - 1, torch.rand(rows, columns)
    return scores, meaning, torch.rand(rows, columns) < 0.7


def test_the_listwise_loss_is_a_divergence_over_what_is_allowed() -> None:
    scores, meaning, allowed = random()
    loss = listwise(scores, meaning, allowed, 0.05, 0.1)
    for row in range(4):
        kept = allowed[row]
        want = (meaning[row, kept] / 0.1).softmax(0)
        got = (scores[row, kept] / 0.05).softmax(0)
        assert float(loss[row]) == pytest.approx(float((want * (want / got).log()).sum()), rel=1e-4)


def test_the_listwise_loss_is_nothing_where_scaled_scores_match() -> None:
    _, meaning, allowed = random()
    loss = listwise(meaning * 0.05 / 0.1 + 0.2, meaning, allowed, 0.05, 0.1)
    torch.testing.assert_close(loss, torch.zeros(4), rtol=0, atol=1e-5)


def test_squares_and_margins_are_their_definitions() -> None:
    scores, meaning, allowed = random()
    squares, margins = squared(scores, meaning, allowed), margin(scores, meaning, allowed)
    for row in range(4):
        at = allowed[row].nonzero()[:, 0].tolist()
        s, r = scores[row].tolist(), meaning[row].tolist()
        want = sum((s[j] - r[j]) ** 2 for j in at) / len(at)
        assert float(squares[row]) == pytest.approx(want, rel=1e-5)
        short = [max(0.0, 0.1 - (s[j] - s[k])) for j in at for k in at if r[j] - r[k] > 0.1]
        assert float(margins[row]) == pytest.approx(sum(short) / len(short), rel=1e-5)


def test_without_anything_allowed_there_is_no_loss_and_no_gradient_that_is_not_finite() -> None:
    scores, meaning, _ = random()
    none = torch.zeros(4, 6, dtype=torch.bool)
    scores.requires_grad_()
    for loss in (
        listwise(scores, meaning, none, 0.05, 0.1),
        squared(scores, meaning, none),
        margin(scores, meaning, none),
    ):
        (gradient,) = torch.autograd.grad(loss.sum(), scores)
        assert not loss.any() and not gradient.any()
