"""Every malformed reply is rejected alone, with the rule that it broke."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tastemaker import records
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.gate import Gate, GateConfig, Judged, audit, keep_audit
from tastemaker.seams import Broadcast, Reply

CLIENTS = [f"c{i}" for i in range(10)]
SENT = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "half": torch.ones(4, dtype=torch.bfloat16),
    "steps": torch.tensor(3),
    "flags": torch.tensor([True, False]),
}
ROUND = Broadcast(4, SENT)
GATE = Gate(GateConfig(), SENT, dict.fromkeys(CLIENTS, 100))


def reply(client: str = "c0", **changes: Any) -> Reply:
    weights = {
        name: tensor + 0.25 if tensor.is_floating_point() else tensor
        for name, tensor in SENT.items()
    }
    return replace(Reply(client, 4, weights, 50), **changes)


def changed(**tensors: Any) -> dict[str, Tensor]:
    return {**reply().weights, **tensors}


def rules(judged: Judged) -> dict[str, str]:
    return {rejection.client: rejection.rule for rejection in judged.rejections}


MALFORMED: Mapping[str, tuple[str, Reply]] = {
    "NaN": ("finite", reply(weights=changed(weight=torch.full((2, 3), math.nan)))),
    "infinity": ("finite", reply(weights=changed(half=SENT["half"] * math.inf))),
    "missing key": ("keys", reply(weights={"weight": SENT["weight"]})),
    "extra key": ("keys", reply(weights=changed(more=torch.zeros(1)))),
    "no keys": ("keys", reply(weights={})),
    "wrong shape": ("shape", reply(weights=changed(weight=torch.zeros(3, 2)))),
    "a dimension more": ("shape", reply(weights=changed(weight=torch.zeros(1, 2, 3)))),
    "wrong dtype": ("dtype", reply(weights=changed(weight=torch.zeros(2, 3).double()))),
    "sparse": ("dtype", reply(weights=changed(weight=torch.zeros(2, 3).to_sparse()))),
    "no tensor": ("dtype", reply(weights=changed(weight=[0.0]))),
    "counter as float": ("dtype", reply(weights=changed(steps=torch.tensor(3.0)))),
    "negative examples": ("examples", reply(examples=-1)),
    "no examples": ("examples", reply(examples=0)),
    "more examples than declared": ("examples", reply(examples=101)),
    "examples without end": ("examples", reply(examples=10**400)),
    "half an example": ("examples", reply(examples=0.5)),
    "examples that are a truth": ("examples", reply(examples=True)),
    "examples that are no number": ("examples", reply(examples=math.nan)),
    "stale round": ("round", reply(round=3)),
    "round to come": ("round", reply(round=5)),
    "round as a fraction": ("round", reply(round=4.0)),
    "oversized": ("size", reply(weights=changed(weight=torch.zeros(2**16)))),
    "oversized beside": ("size", reply(seen={"x": torch.zeros(2**16)})),
    "seen where none is": ("seen", reply(seen={"weight": torch.zeros(2).long()})),
    "control where none is": ("control", reply(control={"weight": torch.zeros(2, 3)})),
    "metric that is NaN": ("metrics", reply(metrics={"loss": math.nan})),
    "metric that is text": ("metrics", reply(metrics={"loss": "low"})),
    "metrics without end": ("metrics", reply(metrics={str(i): 0.0 for i in range(100)})),
}  # fmt: skip


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_reply_is_rejected_and_the_others_count(kind: str, tmp_path: Path) -> None:
    rule, bad = MALFORMED[kind]
    good = [reply(client) for client in CLIENTS[1:]]
    judged = GATE.judge(ROUND, [*good[:4], bad, *good[4:]], CLIENTS)
    assert list(judged.accepted) == good  # the same objects: nothing was changed
    assert rules(judged) == {"c0": rule}
    assert GATE.quorum(len(judged.accepted), len(CLIENTS))
    audit(tmp_path / "audit.jsonl", judged)
    (line,) = records.read(tmp_path / "audit.jsonl")
    assert (line["client"], line["round"], line["rule"]) == ("c0", 4, rule)
    assert isinstance(line["value"], str) and len(line["value"]) < 150


def test_the_first_reply_of_a_client_counts_and_no_other() -> None:
    first, second = reply("c1"), reply("c1", weights=changed(weight=torch.ones(2, 3)))
    judged = GATE.judge(ROUND, [first, second, reply("c2")], CLIENTS)
    assert judged.accepted[0] is first
    assert [(one.client, one.rule) for one in judged.rejections] == [("c1", "duplicate")]
    again = GATE.judge(ROUND, [reply("c1", examples=0), reply("c1")], CLIENTS)
    assert not again.accepted, "a second try after a bad one is no first reply"


def test_a_late_reply_does_not_stand_in_the_way_of_the_right_one() -> None:
    right = reply("c1")
    judged = GATE.judge(ROUND, [reply("c1", round=3), right], CLIENTS)
    assert judged.accepted == (right,)
    assert rules(judged) == {"c1": "round"}


def test_only_who_is_known_and_was_asked_may_answer() -> None:
    replies = [reply("stranger"), reply("c7"), reply("c1"), reply(7), reply(["c1"])]  # type: ignore[arg-type]
    judged = GATE.judge(ROUND, replies, ["c1", "c2"])
    assert [one.client for one in judged.accepted] == ["c1"]
    assert [one.rule for one in judged.rejections] == ["client"] * 4


def test_the_names_of_a_stranger_do_not_fill_the_log() -> None:
    judged = GATE.judge(ROUND, [reply("x" * 10**6)], CLIENTS)
    assert len(judged.rejections[0].client) < 120


def test_replies_are_judged_as_they_come() -> None:
    told = []

    def coming():
        for client in ("c0", "c1"):
            told.append(client)
            yield reply(client)
        told.append("end")

    assert len(GATE.judge(ROUND, coming(), CLIENTS).accepted) == 2
    assert told == ["c0", "c1", "end"]
    assert GATE.judge(ROUND, [], CLIENTS).accepted == ()


@pytest.mark.parametrize(
    ("share", "minimum", "accepted", "selected", "enough"),
    [
        (0.5, 1, 5, 10, True), (0.5, 1, 4, 10, False), (0.5, 1, 2, 5, False), (0.5, 1, 3, 5, True),
        (0.7, 1, 7, 10, True), (0.3, 1, 3, 10, True), (0.0, 1, 0, 10, False), (0.5, 4, 3, 4, False),
        (1.0, 1, 9, 10, False), (1.0, 1, 1, 1, True), (0.5, 1, 0, 0, False),
    ],
)  # fmt: skip
def test_a_round_needs_a_share_and_a_number(
    share: float, minimum: int, accepted: int, selected: int, enough: bool
) -> None:
    gate = Gate(GateConfig(share=share, minimum=minimum), SENT, {})
    assert gate.quorum(accepted, selected) is enough


def test_control_is_like_the_control_that_was_sent() -> None:
    control = {"weight": torch.zeros(2, 3)}
    sent = Broadcast(4, SENT, control=control)
    judged = GATE.judge(
        sent,
        [
            reply("c0", control={"weight": torch.ones(2, 3)}),
            reply("c1"),
            reply("c2", control={"weight": torch.full((2, 3), math.inf)}),
            reply("c3", control={"weight": torch.ones(3)}),
        ],
        CLIENTS,
    )
    assert [one.client for one in judged.accepted] == ["c0"]
    assert rules(judged) == {"c1": "control", "c2": "control", "c3": "control"}


def test_rows_that_were_seen_are_counted_in_whole_numbers() -> None:
    gate = Gate(GateConfig(), SENT, dict.fromkeys(CLIENTS, 100), frozenset({"weight", "private"}))
    counts = {
        "c0": torch.tensor([1, 0]), "c1": torch.tensor([-1, 0]), "c2": torch.tensor([1.0, 0.0]),
        "c3": torch.tensor([1]), "c4": torch.tensor([1, 0]),
    }  # fmt: skip
    replies = [reply(client, seen={"weight": seen}) for client, seen in counts.items()]
    judged = gate.judge(ROUND, [*replies, reply("c5")], CLIENTS)
    assert [one.client for one in judged.accepted] == ["c0", "c4"]
    assert rules(judged) == dict.fromkeys(("c1", "c2", "c3", "c5"), "seen")


def test_an_update_that_is_too_long_is_shortened_and_told(tmp_path: Path) -> None:
    wild = reply("c0", weights=changed(weight=SENT["weight"] + 1e6))
    judged = GATE.judge(ROUND, [wild, *map(reply, CLIENTS[1:])], CLIENTS)
    assert len(judged.accepted) == 10 and not judged.rejections
    assert [(one.client, one.rule) for one in judged.clipped] == [("c0", "norm")]
    audit(tmp_path / "audit.jsonl", judged)
    assert records.read(tmp_path / "audit.jsonl")[0]["action"] == "clipped"


def test_limits_are_the_largest_that_pass() -> None:
    """Of a size that is given, of examples, and of metrics; one more of any is too many."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in SENT.values())
    for given, rejected in ((size, {}), (size - 1, {"c0": "size"})):
        gate = Gate(GateConfig(size=given), SENT, dict.fromkeys(CLIENTS, 100))
        assert rules(gate.judge(ROUND, [reply(examples=100)], CLIENTS)) == rejected
    many = {str(place): 0.5 for place in range(64)}
    assert not GATE.judge(ROUND, [reply(metrics=many)], CLIENTS).rejections
    assert rules(GATE.judge(ROUND, [reply(metrics=many | {"x": 1.0})], CLIENTS)) == {
        "c0": "metrics"
    }


def test_a_model_with_counts_and_control_is_not_too_large() -> None:
    """Unless a size is given a reply may be about four times the model, and not without end."""
    large = {"w": torch.zeros(2**16)}
    gate = Gate(GateConfig(), large, {"a": 1})
    sent = Broadcast(1, large, control=large)
    assert gate.judge(sent, [Reply("a", 1, large, 1, control=large)], ["a"]).accepted
    for more in (3, 9):
        control = {str(place): large["w"] for place in range(more)}
        judged = gate.judge(sent, [Reply("a", 1, large, 1, control=control)], ["a"])
        assert rules(judged) == {"a": "size" if more == 9 else "control"}


def test_a_long_update_that_leads_away_is_told_as_a_rejection_of_the_round(tmp_path: Path) -> None:
    back = reply("c0", weights=changed(weight=SENT["weight"] - 1e3))
    judged = GATE.judge(ROUND, [back, *map(reply, CLIENTS[1:])], CLIENTS)
    assert [one.client for one in judged.accepted] == CLIENTS[1:] and not judged.clipped
    audit(tmp_path / "audit.jsonl", judged)
    (line,) = records.read(tmp_path / "audit.jsonl")
    assert [line[name] for name in ("round", "action", "client", "rule")] == [
        4, "rejected", "c0", "norm",
    ]  # fmt: skip


def test_rows_are_shortened_at_the_gate_where_tables_go_by_row() -> None:
    gate = Gate(GateConfig(), SENT, dict.fromkeys(CLIENTS, 100), frozenset({"weight"}))
    moves = torch.ones(2, 3)
    replies = [
        reply(
            c, weights=changed(weight=SENT["weight"] + moves), seen={"weight": torch.ones(2).long()}
        )
        for c in CLIENTS[:4]
    ]
    far = SENT["weight"] + torch.tensor([[4.0], [1.0]]) * moves
    replies.append(reply("c5", weights=changed(weight=far), seen=replies[0].seen))
    judged = gate.judge(ROUND, replies, CLIENTS)
    assert [(one.client, one.rule) for one in judged.clipped][-1:] == [("c5", "rows")]
    assert len(judged.accepted) == 5
    moved = judged.accepted[-1].weights["weight"] - SENT["weight"]
    torch.testing.assert_close(moved[:, 0], torch.tensor([3.0, 1.0]), rtol=1e-3, atol=1e-3)


def test_no_limit_leaves_an_update_as_it_is() -> None:
    gate = Gate(GateConfig(clip=ClipConfig(updates=0, few=0)), SENT, dict.fromkeys(CLIENTS, 100))
    wild = reply("c0", weights=changed(weight=SENT["weight"] + 1e6))
    assert gate.judge(ROUND, [wild, *map(reply, CLIENTS[1:])], CLIENTS).accepted[0] is wild


def test_the_log_forgets_rounds_that_come_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in (1, 2, 3):
        audit(path, GATE.judge(Broadcast(number, SENT), [reply(round=9)], CLIENTS))
    keep_audit(path, 2)
    assert [line["round"] for line in records.read(path)] == [1, 2]
    keep_audit(path, 0)
    keep_audit(tmp_path / "none.jsonl", 3)
    assert records.read(path) == []
