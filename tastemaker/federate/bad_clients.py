"""Clients that fail or lie, to see what a federation stands.

`BadClients` is an engine around an engine: what the clients answer passes through it, and those
that are named answer something else. All of it is repeatable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from tastemaker.seams import Broadcast, Engine, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

Fault = Literal[
    "nan", "infinity", "missing key", "extra key", "wrong shape", "wrong dtype",
    "negative examples", "no examples", "many examples", "duplicate", "stale", "oversized",
    "scaled", "reversed", "greedy", "late", "lost",
]  # fmt: skip
"""What a client does: `scaled` are weights × −10, `reversed` an update × −10, `greedy` claims
10,000 times its examples, `late` answers a round later, `lost` never."""


class BadClients:
    """An engine some of whose clients fail or lie."""

    def __init__(
        self,
        engine: Engine,
        faults: Mapping[str, Fault],
        lost: float = 0.0,
        seed: int = 0,
        begins: int = 2,
    ) -> None:
        """Take who is bad.

        Args:
            engine: What carries the messages.
            faults: What each bad client does.
            lost: Share of the clients of each round, drawn anew, whose reply is lost.
            seed: Of that draw.
            begins: First round in which anybody is bad.
        """
        self.engine, self.faults = engine, dict(faults)
        self.lost, self.seed, self.begins = lost, seed, begins
        self._late: list[Reply] = []

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterator[Reply]:
        """Replies of the engine, after those that were late in the round before."""
        late, self._late = self._late, []
        yield from late
        bad = broadcast.round >= self.begins
        gone = self._gone(broadcast.round, participants) if bad else set()
        for reply in self.engine.round(broadcast, participants):
            fault = self.faults.get(reply.client) if bad else None
            if reply.client in gone or fault == "lost":
                continue
            if fault == "late":
                self._late.append(_kept(reply))
            else:
                yield from _answers(fault, reply, broadcast)

    def _gone(self, number: int, participants: Sequence[str]) -> set[str]:
        """Who is lost in a round; the order of the participants plays no part."""
        count = round(self.lost * len(participants))
        return set(random.Random(f"{self.seed} {number}").sample(sorted(participants), count))


def flipped(labels: Tensor, classes: int) -> Tensor:
    """(N,) labels as a client has them who takes every class for its opposite."""
    return classes - 1 - labels


def _kept(reply: Reply) -> Reply:
    """A reply that stands after the engine has used its tensors for somebody else."""
    return replace(reply, weights={name: tensor.clone() for name, tensor in reply.weights.items()})


def _answers(fault: Fault | None, reply: Reply, broadcast: Broadcast) -> list[Reply]:
    """What comes in place of a reply."""
    if fault is None:
        return [reply]
    if fault == "duplicate":
        return [reply, reply]
    if fault == "stale":
        return [replace(reply, round=reply.round - 1)]
    if fault in _CLAIMS:
        return [replace(reply, examples=_CLAIMS[fault](reply.examples))]
    return [replace(reply, weights=_WEIGHTS[fault](dict(reply.weights), broadcast.weights))]


_CLAIMS: Mapping[Fault, Callable[[int], int]] = {
    "negative examples": lambda count: -count,
    "no examples": lambda count: 0,
    "many examples": lambda count: 10**18,
    "greedy": lambda count: 10_000 * count,
}


def _filled(value: float) -> Callable[[dict[str, Tensor], Tensors], dict[str, Tensor]]:
    """One value of every tensor replaced."""

    def fill(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
        return {name: _one_replaced(tensor, value) for name, tensor in weights.items()}

    return fill


def _one_replaced(tensor: Tensor, value: float) -> Tensor:
    if not (tensor.is_floating_point() and tensor.numel()):
        return tensor
    copy = tensor.clone()
    copy.view(-1)[-1] = value
    return copy


def _beheaded(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
    """Without its first tensor."""
    return {name: weights[name] for name in list(weights)[1:]}


def _with_extra(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
    return {**weights, "extra": torch.zeros(1)}


def _reshaped(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
    """Every tensor with one dimension more."""
    return {name: tensor.unsqueeze(0) for name, tensor in weights.items()}


def _retyped(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
    return {name: tensor.double() for name, tensor in weights.items()}


def _oversized(weights: dict[str, Tensor], _: Tensors) -> dict[str, Tensor]:
    """Many times the bytes of the model, under its names."""
    return {
        name: torch.zeros(16 * tensor.numel() + 2**15, dtype=tensor.dtype)
        for name, tensor in weights.items()
    }


def _moved(share: float, from_zero: bool) -> Callable[[dict[str, Tensor], Tensors], Tensors]:
    """Weights, or their distance from what was sent, times a number."""

    def move(weights: dict[str, Tensor], sent: Tensors) -> dict[str, Tensor]:
        starts = {
            name: torch.zeros_like(tensor) if from_zero else sent[name]
            for name, tensor in weights.items()
        }
        return {
            name: starts[name] + share * (tensor - starts[name])
            if tensor.is_floating_point()
            else tensor
            for name, tensor in weights.items()
        }

    return move


_WEIGHTS: Mapping[Fault, Callable[[dict[str, Tensor], Tensors], Tensors]] = {
    "nan": _filled(float("nan")),
    "infinity": _filled(float("inf")),
    "missing key": _beheaded,
    "extra key": _with_extra,
    "wrong shape": _reshaped,
    "wrong dtype": _retyped,
    "oversized": _oversized,
    "scaled": _moved(-10.0, from_zero=True),
    "reversed": _moved(-10.0, from_zero=False),
}
