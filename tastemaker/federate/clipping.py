"""How far a client may move the model: no more than others do.

An update is what a client adds to the weights it was sent. One that is much longer than the others
is shortened, not refused, since a client with more data may honestly be the longest; but where it
also leads away from where the others go, shortening would leave its direction, and it is refused.
Rows of a table of items are shortened one by one as well, and most of all those that few clients
saw, because there nobody contradicts a client that lies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from tastemaker.federate.checks import within
from tastemaker.seams import Broadcast, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

_COMPARED = 3
"""Fewest updates of which a median says something."""


@dataclass(frozen=True)
class ClipConfig:
    """What an update is brought to; a limit of 0 is none."""

    updates: float = 3.0
    """most an update's norm may be, in median norms of the round"""
    few: float = 100.0
    """most an update's norm may be where fewer than three are to be compared"""
    rows: float = 3.0
    """most the norm of a row's update may be, in median norms of the rows that were seen"""
    alone: float = 1.0
    """the same for a row that fewer than `witnesses` clients saw"""
    witnesses: int = 2
    """clients that must have seen a row for it to move as others do"""
    counts: int = 1000
    """most often that a client may say it saw a row; more counts as this"""

    def __post_init__(self) -> None:
        """Refuse limits below none."""
        for name, limit in vars(self).items():
            within(f"gate.{name}", limit, 0)


@dataclass(frozen=True)
class Clipped:
    """What was shortened of a reply, or why it was refused, as the audit log keeps it."""

    client: str
    round: int
    rule: Literal["norm", "control", "rows", "counts"]
    value: str
    """what it was, and what it was brought to"""


def clip_updates(
    config: ClipConfig, broadcast: Broadcast, replies: Sequence[Reply]
) -> tuple[list[Reply], list[Clipped], list[Clipped]]:
    """Bring every update, and every change of control, to a few median norms.

    Args:
        config: Limits.
        broadcast: What the clients were sent.
        replies: Replies whose tensors are like those, and finite.

    Returns:
        The replies, the same objects where nothing had to be done; what was shortened; and what is
        refused: updates that are too long and lead away from where the others go.
    """
    zero = {name: torch.zeros(()) for name in broadcast.control}
    moves = [_norm(reply.weights, broadcast.weights) for reply in replies]
    controls = [_norm(reply.control, zero) for reply in replies]
    far, wide = _limit(config, moves), _limit(config, controls)
    kept, clipped, refused = [], [], []
    others = [reply for reply, move in zip(replies, moves, strict=True) if move <= far]
    compared = len(others) >= _COMPARED - 1 and len(others) < len(replies)
    towards = _direction(others, broadcast) if compared else {}
    for reply, move, control in zip(replies, moves, controls, strict=True):
        told = reply
        if move > far and _leads_away(reply, towards, broadcast):
            refused.append(Clipped(reply.client, reply.round, "norm", f"{move:.6g}, and away"))
            continue
        if move > far:
            shorter = _shortened(reply.weights, broadcast.weights, far / move)
            told = replace(told, weights=shorter)
            clipped.append(_clipped(reply, "norm", move, far))
        if control > wide:
            told = replace(told, control=_shortened(reply.control, zero, wide / control))
            clipped.append(_clipped(reply, "control", control, wide))
        kept.append(told)
    return kept, clipped, refused


def _direction(replies: Sequence[Reply], broadcast: Broadcast) -> dict[str, Tensor]:
    """Sum of updates, float64, of all that is not whole numbers."""
    total = {
        name: torch.zeros(start.shape, dtype=torch.float64)
        for name, start in broadcast.weights.items()
        if start.is_floating_point()
    }
    for reply in replies:
        for name, part in total.items():
            part += reply.weights[name].double() - broadcast.weights[name].double()
    return total


def _leads_away(reply: Reply, towards: Tensors, broadcast: Broadcast) -> bool:
    """Whether an update has less than nothing in common with a direction; where there is none: no.

    The update is halved before it is taken from, so that the longest there is stays finite.
    """
    shared = 0.0
    for name, direction in towards.items():
        half = reply.weights[name].double() / 2 - broadcast.weights[name].double() / 2
        shared += float((half * direction).sum())
    return shared < 0


def _limit(config: ClipConfig, norms: Sequence[float]) -> float:
    """The longest that an update of a round may be."""
    middle = median(norms) if len(norms) >= _COMPARED else 0.0
    return _times(config.updates, middle) if middle > 0 else config.few or math.inf


def _times(limit: float, usual: float) -> float:
    """A limit that is given in what is usual."""
    return limit * usual if limit else math.inf


def _clipped(reply: Reply, rule: Literal["norm", "control"], norm: float, limit: float) -> Clipped:
    return Clipped(reply.client, reply.round, rule, f"{norm:.6g} to {limit:.6g}")


def _norm(tensors: Tensors, origin: Tensors) -> float:
    """Length of an update, over all that is not whole numbers; infinite beyond float64."""
    parts = (
        (tensor.double() - origin[name].double()).square().sum()
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    )
    return math.sqrt(sum(float(part) for part in parts))


def _shortened(tensors: Tensors, origin: Tensors, share: float) -> dict[str, Tensor]:
    """Tensors at a share of the way from their origin; whole numbers as they were."""
    return {name: _between(tensor, origin[name], share) for name, tensor in tensors.items()}


def _between(tensor: Tensor, origin: Tensor, share: Tensor | float) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    start, end = origin.double(), tensor.double()
    # Not start + share · (end − start): that difference may be more than the type can hold.
    return (start * (1 - share) + end * share).to(tensor.dtype)


def clip_rows(
    config: ClipConfig, broadcast: Broadcast, replies: Sequence[Reply], by_row: frozenset[str]
) -> tuple[list[Reply], list[Clipped]]:
    """Bring the update of every row, and the claim how often it was seen, to what is usual.

    Args:
        config: Limits.
        broadcast: What the clients were sent.
        replies: Replies whose tensors are like those, and finite.
        by_row: Names of the tables, `(R, …)` each.

    Returns:
        The replies, the same objects where nothing had to be done; and what was.
    """
    kept, clipped = list(replies), list[Clipped]()
    for name in sorted(by_row) if replies else ():
        origin = broadcast.weights[name]
        norms = [_row_norms(reply.weights[name], origin) for reply in kept]
        touched = [reply.seen[name] > 0 for reply in kept]
        usual = _usual(norms, touched)
        witnesses = torch.stack(touched).sum(0)
        lone, shared = _times(config.alone, usual), _times(config.rows, usual)
        limits = torch.where(witnesses < config.witnesses, lone, shared).double()
        for place, (reply, norm) in enumerate(zip(kept, norms, strict=True)):
            kept[place], told = _row_by_row(config, reply, name, origin, (norm, limits))
            clipped += told
    return kept, clipped


def _row_norms(table: Tensor, origin: Tensor) -> Tensor:
    """(R,) float64 lengths of the updates of a table's rows."""
    rows = table.shape[0], math.prod(table.shape[1:])
    moves = (table.double() - origin.double()).reshape(rows)
    return moves.square().sum(1).sqrt()


def _usual(norms: Sequence[Tensor], touched: Sequence[Tensor]) -> float:
    """Median length of the updates of rows that were seen; infinite where there is none.

    The middle one of the clients' medians: a client that claims to have seen every row has one
    vote, as the others have.
    """
    lengths = [norm[seen & (norm > 0)] for norm, seen in zip(norms, touched, strict=True)]
    middles = [float(length.median()) for length in lengths if len(length)]
    return median(middles) if middles else math.inf


def _row_by_row(
    config: ClipConfig, reply: Reply, name: str, origin: Tensor, limits: tuple[Tensor, Tensor]
) -> tuple[Reply, list[Clipped]]:
    """A reply whose rows are no longer than their limits and seen no more often than counts."""
    norms, most = limits
    told = []
    long = norms > most
    if bool(long.any()):
        shares = torch.where(long, most / norms, 1.0).reshape(-1, *[1] * (origin.dim() - 1))
        table = torch.where(
            long.reshape(shares.shape),
            _between(reply.weights[name], origin, shares),
            reply.weights[name],
        )
        reply = replace(reply, weights={**reply.weights, name: table})
        told.append(Clipped(reply.client, reply.round, "rows", f"{name}: {int(long.sum())} rows"))
    if config.counts and bool((reply.seen[name] > config.counts).any()):
        value = f"{name}: {int(reply.seen[name].max())} to {config.counts}"
        told.append(Clipped(reply.client, reply.round, "counts", value))
        seen = {**reply.seen, name: reply.seen[name].clamp(max=config.counts)}
        reply = replace(reply, seen=seen)
    return reply, told
