"""What verifiers say, how far it moves a thought, and which groups they are asked for."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.recommend.vrec_verifiers import Labels, Verifiers

DIM = 6


def verifiers(*classes: int, sharp: float = 1.0) -> Verifiers:
    torch.manual_seed(0)
    net = Verifiers(DIM, classes)
    with torch.no_grad():
        for head in net.heads:
            head.weight.mul_(sharp)
            head.bias.mul_(sharp)
    return net


@torch.no_grad()
@pytest.mark.parametrize("classes", [(5,), (2, 7, 3)])
def test_the_weight_is_one_for_the_clueless_and_none_for_the_sure(classes: tuple[int, ...]) -> None:
    thought = torch.randn(20, DIM)
    torch.testing.assert_close(
        verifiers(*classes, sharp=0.0)(thought).weight, torch.ones(20), rtol=0, atol=1e-6
    )
    sure = verifiers(*classes, sharp=1e6)(thought)
    assert torch.equal(sure.weight, torch.zeros(20))
    assert torch.equal(sure.verified, thought)
    between = verifiers(*classes)(thought).weight
    assert ((between > 0) & (between < 1)).all()


@torch.no_grad()
def test_a_lone_verifier_has_all_the_say() -> None:
    assert torch.equal(verifiers(4)(torch.randn(9, DIM)).gate, torch.ones(9, 1))


@torch.no_grad()
def test_guidance_is_the_row_of_the_predicted_class_and_thoughts_move_towards_it() -> None:
    net, thought = verifiers(4), torch.randn(9, DIM)
    verdict = net(thought)
    rows = net.heads[0].weight[verdict.log_probs[0].argmax(1)]
    assert torch.equal(verdict.guidance, rows)
    way = verdict.guidance - thought
    torch.testing.assert_close(verdict.verified, thought + verdict.weight[:, None] * way)


@torch.no_grad()
def test_several_verifiers_are_mixed_by_the_gate() -> None:
    net, thought = verifiers(4, 3), torch.randn(9, DIM)
    verdict = net(thought)
    for row in range(9):
        weight, guidance = 0.0, torch.zeros(DIM)
        gate = net.gate(thought[row]).softmax(0)
        for number, (head, count) in enumerate(zip(net.heads, (4, 3), strict=True)):
            p = head(thought[row]).softmax(0)
            entropy = float(-(p * p.log()).sum())
            assert float(verdict.entropies[row, number]) == pytest.approx(entropy, abs=1e-5)
            weight += float(gate[number]) * entropy / math.log(count)
            guidance += gate[number] * head.weight[p.argmax()]
        assert float(verdict.weight[row]) == pytest.approx(weight, abs=1e-5)
        torch.testing.assert_close(verdict.guidance[row], guidance)


@torch.no_grad()
def test_without_feedback_thoughts_stay_and_without_prototypes_they_shrink() -> None:
    net, thought = verifiers(4, 3), torch.randn(9, DIM)
    assert torch.equal(net(thought, feedback=False).verified, thought)
    shrunk = net(thought, prototypes=False)
    torch.testing.assert_close(shrunk.verified, (1 - shrunk.weight[:, None]) * thought)
    assert torch.equal(shrunk.weight, net(thought).weight)


def test_a_gradient_flows_through_weight_gate_and_chosen_rows() -> None:
    net, thought = verifiers(4, 3), torch.randn(9, DIM, requires_grad=True)
    net(thought).verified.pow(2).sum().backward()
    parts = [thought, net.gate.weight, *(head.weight for head in net.heads)]
    assert all(part.grad is not None and part.grad.any() for part in parts)
    assert torch.isfinite(thought.grad).all()


def grouping(*lists: list[int], count: int = 3, of: str = "items") -> Grouping:
    table = np.zeros((len(lists), count), np.float32)
    for row, groups in enumerate(lists):
        table[row, groups] = 1
    return Grouping(tuple("abcdefgh"[:count]), sp.csr_array(table), of)  # type: ignore[arg-type]


def test_items_are_in_one_group_several_or_none() -> None:
    labels = Labels("kinds", grouping([0], [0, 2], [], [1]))
    log_probs = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(5, 3).clone().requires_grad_()
    said, known = labels.log_likelihood(log_probs, torch.tensor([1, 2, 3, 4, 0]))
    torch.testing.assert_close(said.exp(), torch.tensor([0.5, 0.7, 1.0, 0.3, 1.0]))
    assert known.tolist() == [True, True, False, True, False]
    said.sum().backward()
    assert torch.isfinite(log_probs.grad).all()
    assert not log_probs.grad[2].any() and not log_probs.grad[4].any()


@pytest.mark.parametrize(
    "refused",
    [grouping([0], [0], count=1), grouping([], []), grouping([0], [1], of="users"),
     Grouping.from_event_names(("view", "buy"))],
)  # fmt: skip
def test_groups_that_cannot_be_told_apart_are_refused(refused: Grouping) -> None:
    with pytest.raises(BadInput):
        Labels("kinds", refused)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), unique=True), min_size=1, max_size=7),
    st.lists(st.integers(0, 7), min_size=1, max_size=6),
)
def test_items_are_in_what_their_groups_say(lists: list[list[int]], asked: list[int]) -> None:
    rows = [[0], *lists]  # one item at least is in a group
    labels = Labels("kinds", grouping(*rows, count=4))
    codes = [code % (len(rows) + 1) for code in asked]
    items = torch.tensor(codes)
    own = [set(rows[code - 1]) if code else set() for code in codes]
    chances = torch.rand(len(codes), 4, generator=torch.Generator().manual_seed(0)) + 0.1
    chances = chances / chances.sum(1, keepdim=True)
    said, known = labels.log_likelihood(chances.log(), items)
    assert known.tolist() == labels.known(items).tolist() == [bool(groups) for groups in own]
    for row, groups in enumerate(own):
        want = sum(float(chances[row, group]) for group in groups) if groups else 1.0
        assert float(said[row].exp()) == pytest.approx(want, rel=1e-4)
    for group in range(4):
        held = labels.holds(items, torch.full_like(items, group))
        assert held.tolist() == [group in groups for groups in own]
