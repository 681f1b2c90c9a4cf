"""Gates: one map a prior, each from a state to its own groups, all alike at the start."""

import pytest
import torch

from tastemaker.recommend.prior_gates import Gates


@pytest.mark.parametrize("switch", [False, True])
def test_gates_begin_without_an_opinion_and_have_no_more_numbers_than_they_need(
    switch: bool,
) -> None:
    gates = Gates(4, (3, 2), switch)
    states = torch.randn(5, 4)
    for prior, size in enumerate((3, 2)):
        assert torch.equal(gates.shares(prior, states), torch.zeros(5, size))
    count = sum(parameter.numel() for parameter in gates.parameters())
    assert count == (1 + switch) * (3 + 2) * (4 + 1)


def test_each_gate_is_its_own_linear_map() -> None:
    torch.manual_seed(0)
    gates, states = Gates(4, (3, 2), True), torch.randn(5, 4)
    with torch.no_grad():
        for parameter in gates.parameters():
            parameter.normal_()
    for prior in range(2):
        weight, bias = gates.weights[prior], gates.biases[prior]
        for kind, ask in enumerate((gates.shares, gates.switched)):
            want = states @ weight[kind].T + bias[kind]
            torch.testing.assert_close(ask(prior, states), want)


def test_without_a_prior_there_is_no_gate() -> None:
    assert not list(Gates(4, (), False).parameters())
