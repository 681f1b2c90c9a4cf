from dataclasses import replace

import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Scaffold
from tastemaker.federate.checkpoints import Position
from tastemaker.federate.client import LocalConfig, shared
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.gate import Gate, GateConfig
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.federate.server_step import (
    asked,
    averaged,
    bounded_gate,
    privately,
    refuse_unbounded,
    tuned,
)
from tastemaker.seams import Broadcast, Reply
from tests.federate.digits import Silos, classifier

NAMES = [f"c{n:03}" for n in range(200)]
BEFORE = Position(4, {"w": torch.tensor([1.0, 1.0])})
REPLIES = [
    Reply("a", 5, {"w": torch.tensor([2.0, 1.0])}, 3),
    Reply("b", 5, {"w": torch.tensor([1.0, 5.0])}, 1),
]


def test_always_as_many_are_asked_and_never_nobody() -> None:
    assert all(len(asked(NAMES, 0.1, 0, number, False)) == 20 for number in range(5))
    assert len(asked(NAMES, 1e-6, 0, 1, False)) == 1
    assert asked(reversed(NAMES), 1.0, 0, 1, False) == NAMES
    drawn = {name for number in range(80) for name in asked(NAMES, 0.1, 0, number, False)}
    assert len(drawn) == 200


def test_each_may_be_drawn_by_itself() -> None:
    counts = [len(asked(NAMES, 0.1, 0, number, True)) for number in range(100)]
    assert len(set(counts)) > 5 and 17 < sum(counts) / 100 < 23
    assert asked(NAMES, 1.0, 0, 1, True) == NAMES
    assert asked(NAMES, 0.1, 0, 7, True) == asked(NAMES[::-1], 0.1, 0, 7, True)


@pytest.mark.parametrize("each", [False, True])
def test_who_is_asked_differs_by_seed_and_by_round(each: bool) -> None:
    drawn = [asked(NAMES, 0.1, seed, number, each) for seed in (0, 1) for number in (1, 2)]
    assert len(set(map(tuple, drawn))) == 4 and all(some == sorted(some) for some in drawn)


def test_an_average_goes_by_examples() -> None:
    after = averaged(BEFORE, REPLIES, frozenset(), 2)
    assert after.weights["w"].tolist() == [1.75, 2.0] and after.round == 4


def test_a_control_moves_with_all_clients() -> None:
    before = replace(BEFORE, control={"w": torch.tensor([1.0, 0.0])})
    replies = [replace(one, control={"w": torch.tensor([2.0, 4.0])}) for one in REPLIES]
    after = averaged(before, replies, frozenset(), 8)
    assert after.control["w"].tolist() == [1.5, 1.0]


def test_privacy_counts_everybody_alike_and_bounds_each() -> None:
    after = privately(BEFORE, REPLIES, 2, PrivacyConfig(clip=2.0, noise=0), 1)
    assert after.weights["w"].tolist() == [1.5, 2.0]
    noisy = [privately(BEFORE, REPLIES, 2, PrivacyConfig(2.0, 1.0), seed) for seed in (1, 1, 2)]
    first, again, other = (one.weights["w"].tolist() for one in noisy)
    assert first == again != other


def test_a_private_gate_compares_nobody() -> None:
    config = GateConfig(share=0.7, clip=ClipConfig(updates=1.0))
    gate = bounded_gate(config)
    assert gate.share == 0.7
    weights = {"w": torch.zeros(2)}
    judge = Gate(gate, weights, dict.fromkeys("abcd", 1))
    replies = [Reply(name, 1, {"w": torch.full((2,), 10.0**n)}, 1) for n, name in enumerate("abcd")]
    judged = judge.judge(Broadcast(1, weights), replies, list("abcd"))
    assert len(judged.accepted) == 4 and not judged.clipped


def test_what_privacy_does_not_bound_is_refused() -> None:
    refuse_unbounded(FedAvg(), [])
    for method, by_row in ((Scaffold(), []), (FedAvg(), ["items.weight"])):
        with pytest.raises(BadInput):
            refuse_unbounded(method, by_row)


def test_tuning_is_a_pass_of_plain_steps_over_the_servers_examples() -> None:
    model, data = classifier(), Silos().auxiliary
    local = LocalConfig(epochs=9, batch=data.examples, lr=0.1, momentum=0.9, weight_decay=1.0)
    expected = classifier()
    (step,) = data.batches(data.examples, 0).epoch(0)
    expected(step).backward()
    found = tuned(model, data, local, 3)
    for name, one in expected.named_parameters():
        assert one.grad is not None
        torch.testing.assert_close(found[name], one.detach() - 0.1 * one.grad)
    assert all(torch.equal(tensor, shared(model)[name]) for name, tensor in found.items())
