"""Losses against their definitions in float64, and the identities between them (backbones §5)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.nn import losses


@pytest.fixture
def problem() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(40, 8, generator=generator, requires_grad=True)
    table = torch.randn(31, 8, generator=generator, requires_grad=True)
    targets = torch.randint(1, 31, (40,), generator=generator)
    return states, table, targets


@pytest.mark.parametrize("chunk", [30, 100, 4_000_000])
def test_full_softmax_equals_cross_entropy_and_its_gradient(
    problem: tuple[Tensor, Tensor, Tensor], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK", chunk)
    states, table, targets = problem
    loss = losses.full_softmax(states, table, targets)
    got = torch.autograd.grad(loss * 0.3, (states, table))
    wide = [t.detach().double().requires_grad_() for t in (states, table)]
    slow = F.cross_entropy(wide[0] @ wide[1][1:].T, targets - 1, reduction="sum")
    want = torch.autograd.grad(slow * 0.3, wide)
    torch.testing.assert_close(loss.double(), slow, rtol=1e-6, atol=1e-5)
    for g, w in zip(got, want, strict=True):
        torch.testing.assert_close(g.double(), w, rtol=1e-5, atol=1e-5)
    assert got[1][0].abs().max() == 0  # padding never competes


def test_sampling_every_other_item_once_is_the_full_softmax(
    problem: tuple[Tensor, Tensor, Tensor],
) -> None:
    states, table, targets = problem
    # every item once: the one equal to the target is masked, which leaves "every other item"
    everything = torch.arange(1, 31)
    sampled = losses.sampled_softmax(states, table, targets, everything)
    torch.testing.assert_close(sampled, losses.full_softmax(states, table, targets))


@pytest.mark.parametrize("num_items", [None, 30])
@pytest.mark.parametrize("chunk", [12, 500_000])
def test_sampled_softmax_equals_its_formula_and_gradient_in_float64(
    problem: tuple[Tensor, Tensor, Tensor],
    chunk: int,
    num_items: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(losses, "CHUNK", chunk)
    states, table, targets = (t.detach() for t in problem)
    states, table = (t.double().requires_grad_() for t in (states, table))
    negatives = torch.tensor([3, 9, 9, 14, int(targets[0]), 30])  # one twice, one a target
    fast = losses.sampled_softmax(states, table, targets, negatives, num_items)
    got = torch.autograd.grad(fast * 0.3, (states, table))
    positive = (states * table[targets]).sum(1)
    scores = states @ table[negatives].T + (np.log(29 / 6) if num_items else 0.0)
    scores = scores.masked_fill(negatives[None] == targets[:, None], -torch.inf)
    norm = torch.logsumexp(torch.cat([positive[:, None], scores], 1), 1)
    slow = (norm - positive).sum()
    want = torch.autograd.grad(slow * 0.3, (states, table))
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)
    for g, w in zip(got, want, strict=True):
        torch.testing.assert_close(g, w, rtol=1e-10, atol=1e-10)


def test_a_negative_equal_to_the_target_contributes_nothing(
    problem: tuple[Tensor, Tensor, Tensor],
) -> None:
    states, table, _ = problem
    targets = torch.full((40,), 7)
    without = losses.sampled_softmax(states, table, targets, torch.tensor([3, 9]))
    with_it = losses.sampled_softmax(states, table, targets, torch.tensor([3, 7, 9, 7]))
    torch.testing.assert_close(with_it, without)
    bce = losses.gbce(states, table, targets, torch.tensor([3, 9]), 30, 0.0) * 3
    same = losses.gbce(states, table, targets, torch.tensor([3, 7, 9, 7]), 30, 0.0) * 5
    torch.testing.assert_close(same, bce)


def test_logq_makes_the_sample_an_estimate_of_the_whole() -> None:
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(200, 4, generator=generator)
    table = torch.randn(1001, 4, generator=generator) * 0.3
    targets = torch.randint(1, 1001, (200,), generator=generator)
    negatives = torch.randint(1, 1001, (300,), generator=generator)
    full = losses.full_softmax(states, table, targets)
    corrected = losses.sampled_softmax(states, table, targets, negatives, num_items=1000)
    plain = losses.sampled_softmax(states, table, targets, negatives)
    assert abs(corrected - full) < 0.02 * full
    assert abs(plain - full) > 0.1 * full


def test_gbce_equals_the_transform_of_the_public_code_in_float64() -> None:
    generator = torch.Generator().manual_seed(2)
    states = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    table = torch.randn(51, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(1, 26, (20,), generator=generator)
    negatives, t = torch.arange(30, 46), 0.75
    k, alpha = 16, 16 / 49
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    positive = (states * table[targets]).sum(1)
    gamma = torch.log(1 / (torch.sigmoid(positive) ** (-beta) - 1))
    slow = F.logsigmoid(gamma) + F.logsigmoid(-(states @ table[negatives].T)).sum(1)
    fast = losses.gbce(states, table, targets, negatives, 50, t)
    assert abs(fast - (-slow.sum() / (k + 1))) < 1e-9


@pytest.mark.parametrize(("calibration", "negatives"), [(0.0, 5), (1.0, 5), (0.3, 29)])
def test_gbce_reduces_to_bce(
    problem: tuple[Tensor, Tensor, Tensor], calibration: float, negatives: int
) -> None:
    states, table, _ = problem
    targets = torch.full((40,), 30)
    chosen = torch.arange(1, negatives + 1)
    positive = F.logsigmoid((states * table[targets]).sum(1))
    negative = F.logsigmoid(-(states @ table[chosen].T)).sum(1)
    # t = 0 or k = I − 1: beta = 1; t = 1: beta = alpha
    beta = negatives / 29 if calibration == 1.0 else 1.0
    want = -(beta * positive + negative).sum() / (negatives + 1)
    torch.testing.assert_close(losses.gbce(states, table, targets, chosen, 30, calibration), want)


def test_gbce_stays_finite_where_sigmoids_saturate() -> None:
    states = torch.tensor([[200.0], [-200.0]], requires_grad=True)
    table = torch.tensor([[0.0], [1.0], [-1.0], [0.5]])
    loss = losses.gbce(states, table, torch.tensor([1, 1]), torch.tensor([2, 3]), 3, 0.75)
    (gradient,) = torch.autograd.grad(loss, states)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_the_catalogue_and_not_the_table_says_how_few_were_drawn(
    problem: tuple[Tensor, Tensor, Tensor],
) -> None:
    states, table, _ = problem
    targets, negatives = torch.full((40,), 7), torch.tensor([3, 9])
    part, own, drawn = table[:10], targets, negatives  # which holds all that is named
    for loss in (losses.sampled_softmax, losses.gbce):
        whole = loss(states, table, targets, negatives, 1_000)
        torch.testing.assert_close(loss(states, part, own, drawn, 1_000), whole)
        assert not torch.isclose(loss(states, part, own, drawn, 9), whole)
