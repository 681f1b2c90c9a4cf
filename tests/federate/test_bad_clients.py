"""Bad clients do what they are told, the same each time, and the gate sees every one."""

from collections.abc import Iterator, Sequence
from typing import get_args

import pytest
import torch

from tastemaker.federate.bad_clients import BadClients, Fault, flipped
from tastemaker.federate.gate import Gate, GateConfig
from tastemaker.seams import Broadcast, Reply

CLIENTS = [f"c{i}" for i in range(10)]
SENT = {"weight": torch.ones(4, 3), "bias": torch.zeros(3), "steps": torch.tensor(5)}
MALFORMED = {
    "nan": "finite", "infinity": "finite", "missing key": "keys", "extra key": "keys",
    "wrong shape": "shape", "wrong dtype": "dtype", "negative examples": "examples",
    "no examples": "examples", "many examples": "examples", "greedy": "examples",
    "stale": "round", "oversized": "size",
}  # fmt: skip


class Honest:
    """Every client moves a little, and says so."""

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterator[Reply]:
        for place, client in enumerate(participants):
            weights = {
                name: tensor + 0.01 * (place + 1) if tensor.is_floating_point() else tensor
                for name, tensor in broadcast.weights.items()
            }
            yield Reply(client, broadcast.round, weights, 20)


def judge(engine: BadClients, number: int = 2):
    gate = Gate(GateConfig(), SENT, dict.fromkeys(CLIENTS, 40))
    broadcast = Broadcast(number, SENT)
    return gate.judge(broadcast, engine.round(broadcast, CLIENTS), CLIENTS)


@pytest.mark.parametrize("fault", MALFORMED)
def test_each_malformed_kind_is_rejected_and_the_round_is_completed(fault: Fault) -> None:
    judged = judge(BadClients(Honest(), {"c3": fault}))
    assert [one.client for one in judged.accepted] == [c for c in CLIENTS if c != "c3"]
    assert [(one.client, one.rule) for one in judged.rejections] == [("c3", MALFORMED[fault])]


def test_a_duplicate_counts_once() -> None:
    judged = judge(BadClients(Honest(), {"c3": "duplicate"}))
    assert [one.client for one in judged.accepted] == CLIENTS
    assert [(one.client, one.rule) for one in judged.rejections] == [("c3", "duplicate")]


@pytest.mark.parametrize("fault", ["scaled", "reversed"])
def test_a_long_update_that_leads_away_is_refused(fault: Fault) -> None:
    judged = judge(BadClients(Honest(), {"c3": fault}))
    assert [one.client for one in judged.accepted] == [c for c in CLIENTS if c != "c3"]
    assert [(one.client, one.rule) for one in judged.rejections] == [("c3", "norm")]


def test_all_of_them_at_once_leave_the_honest_ones() -> None:
    faults = dict(zip(CLIENTS[:4], MALFORMED, strict=False))
    judged = judge(BadClients(Honest(), faults))
    assert [one.client for one in judged.accepted] == CLIENTS[4:]


def test_nobody_is_bad_before_the_first_bad_round() -> None:
    engine = BadClients(Honest(), {"c3": "nan"}, lost=0.5, begins=3)
    assert len(judge(engine, 2).accepted) == 10
    assert len(judge(engine, 3).accepted) < 10


def test_a_late_reply_comes_a_round_later_and_is_not_taken() -> None:
    engine = BadClients(Honest(), {"c3": "late"})
    assert len(judge(engine, 2).accepted) == 9
    judged = judge(engine, 3)
    assert [(one.client, one.rule) for one in judged.rejections] == [("c3", "round")]
    assert len(judged.accepted) == 9


def test_a_share_of_the_replies_is_lost_whatever_the_order() -> None:
    engine = BadClients(Honest(), {}, lost=0.3, seed=1)
    broadcast = Broadcast(2, SENT)
    there = {one.client for one in engine.round(broadcast, CLIENTS)}
    assert len(there) == 7
    assert there == {one.client for one in engine.round(broadcast, CLIENTS[::-1])}
    others = {one.client for one in engine.round(Broadcast(3, SENT), CLIENTS)}
    assert there != others
    assert len(list(BadClients(Honest(), {"c1": "lost"}).round(broadcast, CLIENTS))) == 9


def test_every_fault_is_one_that_was_tried_here() -> None:
    tried = {*MALFORMED, "duplicate", "scaled", "reversed", "late", "lost"}
    assert set(get_args(Fault)) == tried


def test_flipped_labels_are_labels_of_others() -> None:
    labels = torch.arange(10)
    assert flipped(labels, 10).tolist() == list(range(9, -1, -1))
    assert torch.equal(flipped(flipped(labels, 10), 10), labels)
