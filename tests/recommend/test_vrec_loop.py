"""Thinking with kept keys and values is thinking anew from the start at every step."""

import pytest
import torch
from torch import Tensor

from tastemaker.models.causal import read
from tastemaker.recommend.vrec_loop import Check, Reasoned, Reasoner
from tests.models.small_causal import DIM, small

CHECKS = [Check(), Check(verify=False), Check(feedback=False), Check(prototypes=False)]


def reasoner(thoughts: int, constant: bool = False, newest: int = 0) -> Reasoner:
    torch.manual_seed(1)
    return Reasoner(DIM, thoughts, (3, 5), constant, newest)


def rows(*lengths: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(2)
    x = torch.randn(len(lengths), max(lengths), DIM)
    return x, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


SLOT = torch.linspace(-1, 1, DIM)


def anew(net: Reasoner, x: Tensor, check: Check) -> tuple[list[Tensor], Tensor]:
    """One row (T, D): the loop written out, N + 1 passes over everything, slot included."""
    body, thoughts = small().body, []
    for _ in range(net.count):
        given = torch.cat([x, *thoughts, SLOT[None]])[None]
        states = body(inputs_embeds=given, use_cache=False).last_hidden_state[:, :-1]
        thought, _ = net.think(states, torch.ones(states.shape[:2], dtype=torch.bool))
        if check.verify:
            thought = net.verifiers(thought, check.feedback, check.prototypes).verified
        thoughts.append(thought)
    given = torch.cat([x, *thoughts, SLOT[None]])[None]
    return thoughts, body(inputs_embeds=given, use_cache=False).last_hidden_state[0, -1]


@torch.no_grad()
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("thoughts", [0, 1, 2, 4])
def test_kept_keys_and_values_stand_for_full_passes(thoughts: int, check: Check) -> None:
    net, (x, valid) = reasoner(thoughts), rows(5, 1, 7)
    reasoned = net(small().body, x, valid, SLOT, check)
    assert len(reasoned.thoughts) == thoughts
    assert len(reasoned.verdicts) == (thoughts if check.verify else 0)
    for row, length in enumerate((5, 1, 7)):
        want, state = anew(net, x[row, :length], check)
        for turn in range(thoughts):
            torch.testing.assert_close(
                reasoned.thoughts[turn][row], want[turn][0], rtol=0, atol=1e-5
            )
        torch.testing.assert_close(reasoned.prompt.state[row], state, rtol=0, atol=2e-5)


@torch.no_grad()
@pytest.mark.parametrize("thoughts", [0, 3])
def test_the_input_has_a_column_a_thought_and_the_slot_and_positions_go_on(thoughts: int) -> None:
    net, (x, valid) = reasoner(thoughts), rows(5, 1, 7)
    past = net(small().body, x, valid, SLOT, Check()).prompt.past
    assert past.valid.shape == (3, 7 + thoughts + 1)
    assert past.places.tolist() == [5 + thoughts + 1, 1 + thoughts + 1, 7 + thoughts + 1]
    assert past.layers[0][0].shape[2] == 7 + thoughts + 1


@torch.no_grad()
def test_padding_on_either_side_makes_no_difference() -> None:
    net, (x, valid) = reasoner(3), rows(5, 1, 7)
    right = net(small().body, x, valid, SLOT, Check())
    left = net(small().body, x.flip(1), valid.flip(1), SLOT, Check())
    assert not torch.allclose(left.prompt.state, right.prompt.state, atol=1e-3)  # other order
    moved, there = torch.full_like(x, 7.0), valid.flip(1)
    moved[there] = x[valid]
    left = net(small().body, moved, there, SLOT, Check())
    torch.testing.assert_close(left.prompt.state, right.prompt.state, rtol=0, atol=1e-5)


@torch.no_grad()
def test_no_feedback_is_no_verifier_bit_for_bit() -> None:
    net, (x, valid) = reasoner(3), rows(5, 1, 7)
    bare, without = (
        net(small().body, x, valid, SLOT, check)
        for check in (Check(verify=False), Check(feedback=False))
    )
    assert torch.equal(bare.prompt.state, without.prompt.state)
    fed = net(small().body, x, valid, SLOT, Check())
    assert torch.equal(fed.verdicts[0].thought, bare.thoughts[0])
    assert not torch.allclose(fed.thoughts[1], bare.thoughts[1], atol=1e-3)


@torch.no_grad()
def test_constant_thoughts_are_learnt_vectors() -> None:
    net, (x, valid) = reasoner(2, constant=True), rows(5, 1, 7)
    reasoned = net(small().body, x, valid, SLOT, Check(verify=False))
    assert net.pauses is not None and net.think is None
    assert torch.equal(reasoned.thoughts[1], net.pauses[1].expand(3, -1))
    given = torch.cat([x[2], net.pauses, SLOT[None]])[None]
    want, _ = read(small().body, given, torch.ones(1, 10, dtype=torch.bool))
    torch.testing.assert_close(reasoned.prompt.state[2], want[0, -1], rtol=0, atol=1e-5)


@torch.no_grad()
def test_every_item_that_was_read_changes_every_thought() -> None:
    net, (x, valid) = reasoner(2), rows(6)
    before: Reasoned = net(small().body, x, valid, SLOT, Check())
    for column in range(6):
        other = x.clone()
        other[:, column] += 1
        after = net(small().body, other, valid, SLOT, Check())
        for one, two in zip(before.thoughts, after.thoughts, strict=True):
            assert not torch.allclose(one, two, atol=1e-5)


def test_a_gradient_reaches_the_first_thought_through_what_is_kept() -> None:
    net, (x, valid) = reasoner(3), rows(4, 2)
    net(small().body, x, valid, SLOT, Check()).prompt.state.pow(2).sum().backward()
    grads = {name: p.grad for name, p in net.named_parameters()}
    think = [f"think.{part}.weight" for part in ("query", "key", "value")]
    verify = [f"verifiers.{part}.weight" for part in ("gate", "heads.0", "heads.1")]
    for name in think + verify:
        grad = grads[name]
        assert grad is not None and grad.any() and torch.isfinite(grad).all(), name
