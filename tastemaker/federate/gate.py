"""The gate: every reply is judged before it counts, and a bad one costs its client, not the round.

In this order, and the first that fails rejects the reply: it is of this round, from a client that
was asked, the first from it, and not too large; its tensors have the names, shapes and types of the
model; they are finite; it claims no more examples than the client declared. What passes is brought
to a norm, or refused where it is long and leads away from all others (`clipping`); and the round
counts only if enough passed (`quorum`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from tastemaker import records
from tastemaker.federate.checks import within
from tastemaker.federate.clipping import ClipConfig, Clipped, clip_rows, clip_updates
from tastemaker.files import shortened
from tastemaker.seams import Broadcast, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

Rule = Literal[
    "round", "client", "duplicate", "size", "keys", "shape", "dtype", "finite", "examples",
    "seen", "control", "metrics", "norm",
]  # fmt: skip
_METRICS = 64
"""Most metrics that a reply may hold."""


@dataclass(frozen=True)
class GateConfig:
    """What a reply must be, and how many there must be."""

    size: int = 0
    """most bytes of a reply's tensors; 0: four times the model's, and 64 KiB"""
    share: float = 0.5
    """of the clients asked in a round, that must be accepted"""
    minimum: int = 1
    """clients that must be accepted whatever the share"""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """what an accepted update is brought to"""

    def __post_init__(self) -> None:
        """Refuse limits that no reply could keep, or that limit nothing."""
        within("gate.size", self.size, 0)
        within("gate.share", self.share, 0, 1)
        within("gate.minimum", self.minimum, 1)


@dataclass(frozen=True)
class Rejection:
    """Why a reply did not count, as the audit log keeps it."""

    client: str
    round: int
    """of the server"""
    rule: Rule
    value: str
    """what broke the rule"""


@dataclass(frozen=True, eq=False)
class Judged:
    """What a round brought."""

    accepted: tuple[Reply, ...]
    """in the order they came, clipped where they had to be"""
    rejections: tuple[Rejection, ...]
    clipped: tuple[Clipped, ...]


class Gate:
    """Judges the replies of a round."""

    def __init__(
        self,
        config: GateConfig,
        template: Tensors,
        clients: Mapping[str, int],
        by_row: frozenset[str] = frozenset(),
    ) -> None:
        """Take what replies are held against.

        Args:
            config: Limits.
            template: Tensors of the shapes and types a reply must have.
            clients: Known clients, and the most examples that each may claim.
            by_row: Names of the tables that are averaged by row.
        """
        self.config, self.template, self.clients = config, dict(template), dict(clients)
        self.by_row = by_row & self.template.keys()
        self.size = config.size or 4 * _bytes(self.template) + 2**16

    def judge(
        self, broadcast: Broadcast, replies: Iterable[Reply], selected: Sequence[str]
    ) -> Judged:
        """Take replies as they arrive; the rejected are forgotten at once.

        Args:
            broadcast: What the clients were sent.
            replies: What they answer.
            selected: Who was asked.
        """
        asked, heard = set(selected), set[str]()
        accepted: list[Reply] = []
        rejections: list[Rejection] = []
        for reply in replies:
            broken = self._arrival(reply, broadcast.round, asked, heard)
            if broken is None:
                heard.add(reply.client)
                broken = self._content(reply, broadcast)
            if broken is None:
                accepted.append(reply)
            else:
                rule, value = broken
                client = shortened(str(reply.client), 80)
                rejections.append(Rejection(client, broadcast.round, rule, shortened(value, 80)))
        kept, clipped, refused = clip_updates(self.config.clip, broadcast, accepted)
        rejections += [Rejection(one.client, one.round, "norm", one.value) for one in refused]
        if self.by_row:
            kept, rows = clip_rows(self.config.clip, broadcast, kept, self.by_row)
            clipped += rows
        return Judged(tuple(kept), tuple(rejections), tuple(clipped))

    def quorum(self, accepted: int, selected: int) -> bool:
        """Whether enough of those asked were accepted for the round to count."""
        # A hair less, because 0.7 × 10 is a little more than 7 in floating point.
        needed = math.ceil(self.config.share * selected - 1e-9)
        return accepted >= max(self.config.minimum, needed)

    def _arrival(
        self, reply: Reply, number: int, asked: set[str], heard: set[str]
    ) -> tuple[Rule, str] | None:
        """What is wrong with a reply before its tensors are looked at."""
        if type(reply.round) is not int or reply.round != number:
            return "round", repr(reply.round)
        if type(reply.client) is not str or reply.client not in self.clients:
            return "client", "not known"
        if reply.client not in asked:
            return "client", "not asked in this round"
        if reply.client in heard:
            return "duplicate", "answered already"
        size = sum(_bytes(part) for part in (reply.weights, reply.seen, reply.control))
        return ("size", f"{size} bytes") if size > self.size else None

    def _content(self, reply: Reply, broadcast: Broadcast) -> tuple[Rule, str] | None:
        """What is wrong with what a reply holds."""
        return (
            _unlike(reply.weights, self.template)
            or _infinite(reply.weights)
            or self._examples(reply)
            or self._seen(reply)
            or _control(reply, broadcast)
            or _metrics(reply.metrics)
        )

    def _examples(self, reply: Reply) -> tuple[Rule, str] | None:
        count, most = reply.examples, self.clients[reply.client]
        if type(count) is int and 1 <= count <= most:
            return None
        return "examples", f"{shortened(repr(count), 40)}, where 1 to {most} were declared"

    def _seen(self, reply: Reply) -> tuple[Rule, str] | None:
        """Counts of rows: for the tables by row, each a whole number that is not negative."""
        if reply.seen.keys() != self.by_row:
            return "seen", _difference(reply.seen.keys(), self.by_row)
        for name, counts in reply.seen.items():
            rows = self.template[name].shape[:1]
            fits = isinstance(counts, Tensor) and counts.dtype == torch.int64
            if not fits or counts.shape != rows or bool((counts < 0).any()):
                return "seen", f"{name}: not {rows[0]} counts"
        return None


def audit(path: Path, judged: Judged) -> None:
    """Add what was rejected or clipped in a round to the audit log, a line each."""
    for rejection in judged.rejections:
        told = {"client": rejection.client, "rule": rejection.rule, "value": rejection.value}
        records.append(path, {"round": rejection.round, "action": "rejected", **told})
    for clipped in judged.clipped:
        told = {"client": clipped.client, "rule": clipped.rule, "value": clipped.value}
        records.append(path, {"round": clipped.round, "action": "clipped", **told})


def keep_audit(path: Path, rounds: int) -> None:
    """Take back what the audit log says of rounds after the first `rounds`: they come again."""
    lines = records.read(path)
    kept = sum(1 for line in lines if isinstance(line["round"], int) and line["round"] <= rounds)
    if kept < len(lines):
        records.keep(path, kept)


def _bytes(tensors: Mapping[str, object]) -> int:
    """What tensors take when they are written out."""
    held = (tensor for tensor in tensors.values() if isinstance(tensor, Tensor))
    return sum(tensor.numel() * tensor.element_size() for tensor in held)


def _unlike(tensors: Tensors, template: Tensors) -> tuple[Rule, str] | None:
    """Where names, shapes or types are not those of the template."""
    if tensors.keys() != template.keys():
        return "keys", _difference(tensors.keys(), template.keys())
    for name, expected in template.items():
        tensor: object = tensors[name]
        if not isinstance(tensor, Tensor):
            return "dtype", f"{name}: {type(tensor).__name__}"
        if tensor.shape != expected.shape:
            return "shape", f"{name}: {tuple(tensor.shape)}, expected {tuple(expected.shape)}"
        if tensor.dtype != expected.dtype or tensor.layout != expected.layout:
            return "dtype", f"{name}: {tensor.dtype}, expected {expected.dtype}"
    return None


def _infinite(tensors: Tensors) -> tuple[Rule, str] | None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return "finite", f"{name} holds NaN or infinity"
    return None


def _control(reply: Reply, broadcast: Broadcast) -> tuple[Rule, str] | None:
    """A change of control is like the control that was sent."""
    broken = _unlike(reply.control, broadcast.control) or _infinite(reply.control)
    return None if broken is None else ("control", f"{broken[0]}: {broken[1]}")


def _metrics(metrics: Mapping[str, float]) -> tuple[Rule, str] | None:
    if len(metrics) > _METRICS:
        return "metrics", f"{len(metrics)} of them"
    for name, value in metrics.items():
        told: object = value
        if type(told) not in (int, float) or not math.isfinite(value):
            return "metrics", f"{shortened(str(name), 30)}: {shortened(repr(told), 30)}"
    return None


def _difference(given: Iterable[str], expected: Iterable[str]) -> str:
    """Names that are missing, and names that are too many."""
    given, expected = set(given), set(expected)
    missing, extra = sorted(map(str, expected - given)), sorted(map(str, given - expected))
    told = [("missing", missing), ("unknown", extra)]
    return "; ".join(f"{word}: {', '.join(names[:3])}" for word, names in told if names)
