"""The loop over Flower is the loop: the same weights, and a client that hangs costs its time."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import torch
from flwr.app import Error, Message
from flwr.supercore.task_identity import TaskIdentity

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import Moon
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.flower_client import Answering
from tastemaker.federate.flower_engine import FlowerEngine, Waiting
from tastemaker.federate.flower_messages import encoded_reply
from tastemaker.seams import Broadcast, Reply
from tests.federate.deployed import PLAN, Deployed

NODES = {"a": 11, "b": 12, "c": 13}
SENT = Broadcast(1, {"w": torch.zeros(2)})


class Grid:
    """Flower's grid in memory: each node does something with a message, or nothing."""

    def __init__(self, nodes: Mapping[int, Any]) -> None:
        self.nodes, self.online = dict(nodes), set(nodes)
        self.sent: list[Message] = []
        self.waiting: dict[str, Message] = {}
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 1, 1

    def get_node_ids(self) -> Iterable[int]:
        return self.online

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        names = []
        for message in messages:
            name = f"m{len(self.sent)}"
            message.metadata.__dict__["_message_id"] = name
            self.sent.append(message)
            answer = self.nodes[message.metadata.dst_node_id](message)
            if answer is not None:
                self.waiting[name] = answer
            names.append(name)
        return names

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        return [self.waiting.pop(name) for name in set(message_ids) & self.waiting.keys()]


def honest(message: Message) -> Message:
    number = message.content["about"]["round"]
    reply = Reply("whoever", number, {"w": torch.ones(2)}, 5)  # type: ignore[arg-type]
    return Message(encoded_reply(reply), reply_to=message)


def silent(message: Message) -> None:
    return None


def giving_up(message: Message) -> Message:
    return Message(Error(1, "NumericFault"), reply_to=message)


def engine(grid: Grid, timeout: float = 0.3) -> FlowerEngine:
    made = FlowerEngine(grid, NODES, {"lr": 1}, Waiting(timeout=timeout, pause=0.01))
    made._started = True  # the first round would wait two minutes for who is absent
    return made


def test_replies_are_of_whom_they_were_asked() -> None:
    grid = Grid(dict.fromkeys(NODES.values(), honest))
    replies = list(engine(grid).round(SENT, ["a", "c"]))
    assert sorted(one.client for one in replies) == ["a", "c"]
    assert {message.metadata.dst_node_id for message in grid.sent} == {11, 13}
    assert {message.metadata.group_id for message in grid.sent} == {"1"}


def test_a_client_that_hangs_costs_the_time_of_the_round_and_not_the_run() -> None:
    grid = Grid({11: honest, 12: silent, 13: giving_up})
    began = time.monotonic()
    replies = list(engine(grid).round(SENT, list(NODES)))
    assert [one.client for one in replies] == ["a"]
    assert 0.3 <= time.monotonic() - began < 30


def test_who_gave_up_costs_nothing() -> None:
    grid = Grid({11: honest, 12: giving_up, 13: honest})
    replies = list(engine(grid, timeout=60).round(SENT, list(NODES)))
    assert sorted(one.client for one in replies) == ["a", "c"]


def test_who_is_absent_is_not_waited_for_once_others_answered() -> None:
    grid = Grid(dict.fromkeys(NODES.values(), honest))
    grid.online = {11, 13}
    replies = list(engine(grid, timeout=60).round(SENT, list(NODES)))
    assert sorted(one.client for one in replies) == ["a", "c"]


def test_where_nobody_is_there_time_runs_out() -> None:
    grid = Grid(dict.fromkeys(NODES.values(), honest))
    grid.online = set()
    assert list(engine(grid).round(SENT, list(NODES))) == []


def test_in_the_first_round_everybody_is_waited_for() -> None:
    grid = Grid(dict.fromkeys(NODES.values(), honest))
    grid.online = {11}
    fresh = FlowerEngine(grid, NODES, {}, Waiting(pause=0.01))
    replies = fresh.round(SENT, list(NODES))
    assert next(iter(replies)).client == "a"
    grid.online = {11, 12, 13}
    assert sorted(one.client for one in replies) == ["b", "c"]


def test_a_reply_that_comes_after_its_round_is_never_asked_for() -> None:
    grid = Grid({11: honest, 12: silent, 13: honest})
    over = engine(grid)
    list(over.round(SENT, list(NODES)))
    late = next(message for message in grid.sent if message.metadata.dst_node_id == 12)
    grid.waiting[late.metadata.message_id] = honest(late)
    grid.nodes[12] = honest
    replies = list(over.round(Broadcast(2, SENT.weights), list(NODES)))
    assert {one.round for one in replies} == {2} and len(replies) == 3
    assert late.metadata.message_id in grid.waiting


def test_the_final_weights_are_sent_to_who_is_there() -> None:
    grid = Grid(dict.fromkeys(NODES.values(), honest))
    grid.online = {11, 12}
    engine(grid).finish(9, {"w": torch.full((2,), 3.0)})
    assert {message.metadata.dst_node_id for message in grid.sent} == {11, 12}
    assert all(message.content["about"]["last"] for message in grid.sent)


@pytest.mark.parametrize("wrong", [{"first": 119}, {"timeout": 0}, {"pause": -1}])
def test_times_in_which_nobody_can_answer_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Waiting(**wrong)


@pytest.mark.parametrize("method", [FedSSD(), Moon()])
def test_the_loop_over_flower_gives_the_weights_of_the_loop_in_this_process(
    tmp_path: Any, method: Any
) -> None:
    deployed = Deployed.made(tmp_path)
    nodes = {name: place + 1 for place, name in enumerate(deployed.clients)}
    answer = {nodes[n]: Answering(deployed.prepare(n, method)) for n in nodes}
    over = FlowerEngine(Grid(answer), nodes, PLAN, Waiting(pause=0.01))
    caps = {name: client.examples for name, client in deployed.clients.items()}
    federation = deployed.federation(over, caps, method=method)
    federation.run()
    alone = deployed.in_process(method=method)
    for name, tensor in alone.position.weights.items():
        assert torch.equal(tensor, federation.position.weights[name]), name
