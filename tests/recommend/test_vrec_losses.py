"""The losses beside the answers, at the values where they are known."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from tastemaker.data.groupings import Grouping
from tastemaker.recommend.vrec_losses import monotonic_loss, proxy_loss
from tastemaker.recommend.vrec_verifiers import Labels, Verdict

ITEMS = torch.tensor([1, 2, 3])


def labels(*groups: int) -> Labels:
    table = sp.csr_array(np.eye(4, dtype=np.float32)[list(groups)])
    return Labels("kinds", Grouping(("a", "b", "c", "d"), table, "items"))


def verdict(gate: Tensor, *log_probs: Tensor) -> Verdict:
    none = torch.zeros(3)
    return Verdict(none, none, none, none, gate, none, log_probs, none)


def sure_of(*groups: int) -> Tensor:
    return torch.where(torch.eye(4).bool()[list(groups)], 0.0, -1e4)


def test_nothing_is_lost_by_who_is_sure_and_right() -> None:
    both, gate = (labels(0, 1, 2), labels(3, 3, 1)), torch.full((3, 2), 0.5)
    right = verdict(gate, sure_of(0, 1, 2), sure_of(3, 3, 1))
    assert torch.equal(proxy_loss([right, right], both, ITEMS), torch.zeros(3))
    wrong = verdict(gate, sure_of(0, 1, 2), sure_of(3, 3, 2))
    assert proxy_loss([right, wrong], both, ITEMS).tolist() == [0, 0, 0.5 * 0.5 * 1e4]


def test_each_step_is_gated_by_its_own_gate() -> None:
    both = labels(0, 1, 2), labels(3, 3, 1)
    flat = torch.full((3, 4), math.log(0.25))
    trusting = verdict(torch.tensor([[1.0, 0]] * 3), sure_of(0, 1, 2), flat)
    other = verdict(torch.tensor([[0.0, 1]] * 3), sure_of(0, 1, 2), flat)
    lost = proxy_loss([trusting, other], both, ITEMS)
    torch.testing.assert_close(lost, torch.full((3,), math.log(4) / 2))


def test_the_gate_is_pushed_to_the_better_verifier() -> None:
    raw = torch.zeros(3, 2, requires_grad=True)
    better, worse = torch.tensor([0.7, 0.1, 0.1, 0.1]).log(), torch.full((4,), math.log(0.25))
    said = verdict(raw.softmax(1), better.expand(3, 4), worse.expand(3, 4))
    proxy_loss([said], (labels(0, 0, 0), labels(1, 1, 1)), ITEMS).sum().backward()
    assert (raw.grad[:, 0] < 0).all() and (raw.grad[:, 1] > 0).all()


def test_falling_entropies_cost_what_cannot_be_helped() -> None:
    falling = [torch.full((3, 2), 2.0 - step, requires_grad=True) for step in range(3)]
    loss = monotonic_loss(falling)
    assert float(loss.detach()) == 2
    loss.backward()
    assert not any(step.grad.any() for step in falling)


def test_a_rise_costs_the_exponential_of_its_mean() -> None:
    one, two = torch.zeros(2, 2), torch.tensor([[1.0, -5], [0, 0]])
    assert float(monotonic_loss([one, two])) == pytest.approx(math.exp(0.25))
    assert float(monotonic_loss([two, one, one])) == pytest.approx(math.exp(5 / 4) + 1)


def test_fewer_than_two_thoughts_cost_nothing() -> None:
    assert float(monotonic_loss([torch.ones(3, 2)])) == float(monotonic_loss([])) == 0
