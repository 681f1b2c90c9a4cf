"""Every tensor arrives bit for bit, and nothing leaves a client that is not on the list."""

import json
import struct
from dataclasses import replace
from typing import Any

import pytest
import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import Scaffold
from tastemaker.federate.client import Client, LocalConfig, Memory, train_client
from tastemaker.federate.examples import Examples
from tastemaker.federate.flower_messages import (
    decoded,
    decoded_broadcast,
    decoded_reply,
    encoded,
    encoded_broadcast,
    encoded_reply,
)
from tastemaker.federate.gate import Gate, GateConfig
from tastemaker.seams import Broadcast, Reply
from tests.federate.digits import classifier

TENSORS = {
    "float64": torch.tensor([1.0, -0.0, 5e-324, float("nan")], dtype=torch.float64),
    "float32": torch.randn(3, 4).t(),
    "float16": torch.tensor([6e4, 6e-8], dtype=torch.float16),
    "bfloat16": torch.tensor([[3e38, 1e-38]], dtype=torch.bfloat16),
    "int64": torch.tensor([2**62, -1]),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7),
    "empty": torch.zeros(0, 5),
    "expanded": torch.ones(1).expand(6),
}


def carried(tensors: Any) -> dict[str, torch.Tensor]:
    """As they arrive: through the bytes that Flower makes of a record."""
    record = encoded(tensors)
    arrays = {
        name: Array.inflate(array.deflate(), array.children) for name, array in record.items()
    }
    return decoded(RecordDict({"weights": ArrayRecord(arrays)}), "weights")


def test_tensors_of_every_type_arrive_bit_for_bit() -> None:
    arrived = carried(TENSORS)
    assert arrived.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert arrived[name].dtype == tensor.dtype and arrived[name].shape == tensor.shape
        left, right = (one.contiguous().reshape(-1) for one in (arrived[name], tensor))
        assert torch.equal(left.view(torch.uint8), right.view(torch.uint8)), name
        arrived[name].zero_()  # memory of its own


@pytest.mark.parametrize(
    "array",
    [
        Array("float32", (2,), "tastemaker.raw", b"1234567"),
        Array("float32", (2**40, 2**40), "tastemaker.raw", b"12345678"),
        Array("float32", (-2, -1), "tastemaker.raw", b"12345678"),
        Array("complex64", (1,), "tastemaker.raw", b"12345678"),
        Array("object", (1,), "tastemaker.raw", b"12345678"),
        Array("float32", (2,), "numpy.ndarray", b"12345678"),
    ],
)
def test_what_cannot_be_read_is_missing_and_the_gate_says_so(array: Array) -> None:
    content = RecordDict({"weights": ArrayRecord({"a": array})})
    assert decoded(content, "weights") == {}
    gate = Gate(GateConfig(), {"a": torch.zeros(2)}, {"c": 5})
    told = gate.judge(Broadcast(1, {"a": torch.zeros(2)}), [decoded_reply(content, "c")], ["c"])
    assert [one.rule for one in told.rejections] == ["round"]


def test_a_truth_is_zero_or_one_whatever_was_sent() -> None:
    array = Array("bool", (3,), "tastemaker.raw", b"\x00\x02\xff")
    arrived = decoded(RecordDict({"w": ArrayRecord({"a": array})}), "w")["a"]
    assert arrived.tolist() == [False, True, True]
    assert int(arrived.sum()) == 2


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"weights": ConfigRecord(), "metrics": ConfigRecord(), "about": MetricRecord()},
        {"about": ConfigRecord({"round": "4"}), "metrics": MetricRecord({"num-examples": 3.0})},
        {"about": ConfigRecord({"round": True}), "metrics": MetricRecord({"loss": [1.0, 2.0]})},
    ],
)
def test_a_reply_that_is_none_becomes_one_that_the_gate_rejects(content: Any) -> None:
    reply = decoded_reply(RecordDict(content), "c")
    gate = Gate(GateConfig(), {"a": torch.zeros(2)}, {"c": 5})
    told = gate.judge(Broadcast(1, {"a": torch.zeros(2)}), [reply], ["c"])
    assert not told.accepted and len(told.rejections) == 1


def test_a_reply_arrives_as_it_was_sent_and_is_of_whom_its_key_says() -> None:
    weights = {"a": torch.randn(3)}
    sent = Reply("liar", 4, weights, 9, {"t": torch.tensor([1, 2])}, weights, {"loss": 0.5})
    arrived = decoded_reply(encoded_reply(sent), "c1")
    assert (arrived.client, arrived.round, arrived.examples) == ("c1", 4, 9)
    assert torch.equal(arrived.weights["a"], weights["a"])
    assert torch.equal(arrived.control["a"], weights["a"])
    assert arrived.seen["t"].tolist() == [1, 2]
    assert arrived.metrics == {"loss": 0.5}


def everything(record: RecordDict) -> bytes:
    """All bytes of a message's content."""
    parts = []
    waiting: list[Any] = [record]
    while waiting:
        one = waiting.pop()
        parts.append(one.deflate())
        waiting += (one.children or {}).values()
    return b"".join(parts)


def test_nothing_leaves_a_client_that_is_not_on_the_list() -> None:
    """A canary in the data, in the private weights and in the metrics is nowhere in the bytes."""
    canary = 1.2345678e-3
    inputs = torch.zeros(20, 64)
    inputs[3] = canary
    data = Examples(inputs, torch.arange(20) % 10)
    model = classifier()
    model.private = frozenset({"head.bias"})
    own = {"head.bias": torch.full((10,), canary)}
    weights = {n: t for n, t in model.state_dict().items() if n not in own}
    control = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    config = LocalConfig(epochs=1, momentum=0.0)
    sent = Broadcast(1, weights, control=control)
    reply, _ = train_client(
        model, Client("ann@example.org", data), Scaffold(), sent, Memory(private=own), config
    )
    told = replace(reply, metrics={"loss": 0.25, "rows": canary, "ann": 1.0})
    content = encoded_reply(told)
    assert set(content) == {"weights", "seen", "control", "about", "metrics"}
    assert dict(content["about"]) == {"round": 1}
    assert dict(content["metrics"]) == {"num-examples": 20, "loss": 0.25}
    assert set(content["weights"]) == set(content["control"]) == weights.keys()
    raw = everything(content)
    weight = float(reply.weights["head.weight"][0, 0])
    assert struct.pack("<f", weight) in raw, "what may leave is found in this way"
    for form in (struct.pack("<f", canary), struct.pack("<d", canary), b"ann@", b"head.bias"):
        assert form not in raw


def test_a_broadcast_arrives_as_it_was_sent() -> None:
    weights = {"a": torch.randn(3).bfloat16()}
    sent = Broadcast(7, weights, (0.25, 1.0, 1 / 3), {"a": torch.ones(3)})
    arrived, plan, last = decoded_broadcast(encoded_broadcast(sent, {"lr": 0.1, "é": [None]}))
    assert (arrived.round, arrived.credibility, last) == (7, sent.credibility, False)
    assert torch.equal(arrived.weights["a"], weights["a"])
    assert torch.equal(arrived.control["a"], torch.ones(3))
    assert plan == {"lr": 0.1, "é": [None]}
    assert decoded_broadcast(encoded_broadcast(Broadcast(1, {}), {}, last=True))[2] is True


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"round": 1, "credibility": [1.0]},
        {"round": 1, "credibility": [1.0], "plan": "[]"},
        {"round": 1, "credibility": [1.0], "plan": "{"},
        {"round": 1, "credibility": [1], "plan": "{}"},
        {"round": "1", "credibility": [1.0], "plan": "{}"},
    ],
)
def test_a_client_takes_nothing_else_for_a_round(about: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        decoded_broadcast(RecordDict({"about": ConfigRecord(about)}))
    with pytest.raises(BadInput):
        decoded_broadcast(RecordDict())
    assert json.loads(json.dumps(about)) == about
