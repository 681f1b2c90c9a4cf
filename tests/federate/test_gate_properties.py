"""Whatever arrives in whatever order, the gate keeps what it promises."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.federate.aggregation import average
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.gate import Gate, GateConfig, Judged
from tastemaker.seams import Broadcast, Reply

CLIENTS = [f"c{number}" for number in range(6)]
CAP = 40
SENT = {"weight": torch.zeros(3), "count": torch.tensor(1)}
ROUND = Broadcast(2, SENT)
GATE = Gate(GateConfig(), SENT, dict.fromkeys(CLIENTS, CAP))
VALUES = [0.0, 0.5, -1.0, 1.5, 100.0, -1e30, math.nan, math.inf]

numbers = st.sampled_from([1, 2, 3, 2, 2])
names = st.sampled_from([*CLIENTS, *CLIENTS, "stranger", ""])
weights = st.one_of(
    st.lists(st.sampled_from(VALUES), min_size=3, max_size=3).map(
        lambda values: {"weight": torch.tensor(values), "count": torch.tensor(1)}
    ),
    st.sampled_from([{}, {"weight": torch.zeros(3)}, {**SENT, "more": torch.zeros(1)}]),
)
examples = st.sampled_from([1, CAP, CAP + 1, 0, -3, 2.0, True, 10**30])
replies = st.builds(Reply, names, numbers, weights, examples)
arrivals = st.lists(replies, max_size=14)
asked = st.lists(st.sampled_from(CLIENTS), unique=True, max_size=6)


def sound(reply: Reply) -> bool:
    """What the rules say of a reply by itself, written anew."""
    told: Any = reply.examples
    fits = reply.weights.keys() == SENT.keys() and bool(reply.weights["weight"].isfinite().all())
    return reply.round == 2 and fits and type(told) is int and 1 <= told <= CAP


def first_in(arrived: Sequence[Reply], selected: Sequence[str]) -> dict[str, Reply]:
    """The reply of each client that counts: the first of this round, whatever it holds."""
    found: dict[str, Reply] = {}
    for reply in arrived:
        if reply.round == 2 and reply.client in selected:
            found.setdefault(reply.client, reply)
    return {client: reply for client, reply in found.items() if sound(reply)}


def judged(arrived: Sequence[Reply], selected: Sequence[str]) -> Judged:
    return GATE.judge(ROUND, iter(arrived), selected)


@given(arrivals, asked)
def test_who_is_accepted_is_sound_was_asked_and_counts_once(
    arrived: list[Reply], selected: list[str]
) -> None:
    found, right = judged(arrived, selected), first_in(arrived, selected)
    led_away = {one.client for one in found.rejections if one.rule == "norm"}
    assert {reply.client for reply in found.accepted} == right.keys() - led_away
    assert max(Counter(reply.client for reply in found.accepted).values(), default=1) == 1
    assert led_away <= right.keys()


@given(arrivals, asked)
def test_every_reply_is_accepted_or_told_of(arrived: list[Reply], selected: list[str]) -> None:
    found = judged(arrived, selected)
    assert len(found.accepted) + len(found.rejections) == len(arrived)
    assert all(one.round == 2 and one.value and one.rule for one in found.rejections)


@given(arrivals, asked)
def test_what_is_accepted_is_finite_and_no_longer_than_it_was(
    arrived: list[Reply], selected: list[str]
) -> None:
    given_ = first_in(arrived, selected)
    for reply in judged(arrived, selected).accepted:
        after, before = reply.weights["weight"], given_[reply.client].weights["weight"]
        assert after.isfinite().all()
        assert float(after.double().norm()) <= float(before.double().norm()) * (1 + 1e-5)
        assert reply.examples == given_[reply.client].examples


@given(arrivals, asked, st.randoms(use_true_random=False))
def test_the_order_of_different_clients_plays_no_part(
    arrived: list[Reply], selected: list[str], random: Any
) -> None:
    once = list({reply.client: reply for reply in arrived}.values())
    mixed = random.sample(once, len(once))
    left, right = (judged(order, selected) for order in (once, mixed))
    kept = {reply.client: reply.weights["weight"] for reply in right.accepted}
    assert kept.keys() == {reply.client for reply in left.accepted}
    for reply in left.accepted:
        assert torch.allclose(reply.weights["weight"], kept[reply.client])


@given(arrivals, asked)
def test_what_passes_can_be_averaged(arrived: list[Reply], selected: list[str]) -> None:
    accepted = judged(arrived, selected).accepted
    if accepted:
        mean = average(SENT, accepted, frozenset())
        values = torch.stack([reply.weights["weight"] for reply in accepted])
        assert mean["weight"].isfinite().all() and mean["count"] == 1
        assert (mean["weight"] <= values.amax(0) + values.abs().amax() * 1e-5).all()
        assert (mean["weight"] >= values.amin(0) - values.abs().amax() * 1e-5).all()


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.01, 1.0), st.integers(1, 5))
def test_a_quorum_is_never_lost_by_one_more_reply(
    accepted: int, selected: int, share: float, minimum: int
) -> None:
    gate = Gate(GateConfig(share=share, minimum=minimum), SENT, {})
    if gate.quorum(accepted, selected):
        assert gate.quorum(accepted + 1, selected) and accepted >= minimum
        assert accepted >= share * selected - 1e-6
    assert gate.quorum(max(selected, minimum), selected)


@settings(max_examples=40)
@given(st.lists(st.floats(0.5, 2.0), min_size=4, max_size=8), st.floats(4.0, 1e6))
def test_one_long_update_moves_the_mean_no_more_than_three_usual_ones(
    lengths: list[float], factor: float
) -> None:
    clients = [f"d{number}" for number in range(len(lengths) + 1)]
    along = torch.tensor([1.0, 0.0, 0.0])
    moves = [*lengths, factor * max(lengths)]
    sent = [
        Reply(client, 2, {"weight": move * along, "count": torch.tensor(1)}, 1)
        for client, move in zip(clients, moves, strict=True)
    ]
    gate = Gate(GateConfig(clip=ClipConfig(updates=3.0)), SENT, dict.fromkeys(clients, CAP))
    found = gate.judge(ROUND, sent, clients)
    usual = float(torch.tensor(moves).median())
    longest = max(float(reply.weights["weight"].norm()) for reply in found.accepted)
    assert longest <= 3 * max(usual, float(torch.tensor(moves).quantile(0.5))) * (1 + 1e-5)
    assert len(found.accepted) == len(clients)  # it leads where the others lead: shortened alone
