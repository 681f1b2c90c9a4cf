"""How accepted replies become the weights of the next round.

    w_{t+1} = Σ_i p_i w_i        p_i = n_i / Σ n                      `average`, FedAvg

Paper: Communication-Efficient Learning of Deep Networks from Decentralized Data, algorithm 1,
https://arxiv.org/abs/1602.05629. A table of items is averaged row by row over those who saw a row,
or silos that never did would shrink what the others learned of it:

    Δ_r = Σ_i n_ir Δ_ir / max(Σ_i n_ir, 1)

SCAFFOLD's control of all clients moves by the changes of those that took part (algorithm 1, line
17): c ← c + Σ_i Δc_i / n.

Sums are taken in float64, in the order of the clients' names, so the order of arrival changes no
bit, and what all clients agree on stays as it is. Counters and flags are no quantities: they are
taken from the client with the most examples.
Checked: `test_a_mean_by_hand`, `test_order_changes_no_bit`, `test_rows_by_hand`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from tastemaker.seams.federating import Reply, Tensors


def average(
    weights: Tensors, accepted: Sequence[Reply], by_row: frozenset[str] = frozenset()
) -> dict[str, Tensor]:
    """Weights of the next round.

    Args:
        weights: w_t by name; they stay where nobody replied.
        accepted: Replies with the same names, shapes and types, no two of a client.
        by_row: Names of tables (R, …) averaged by row; a reply's `seen` has (R,) counts for each.
            A row counts at most as often as its client has examples. One nobody saw stays.

    Returns:
        New tensors, of the types of `weights`.
    """
    replies = sorted(accepted, key=lambda reply: reply.client)
    if not replies:
        return {name: tensor.clone() for name, tensor in weights.items()}
    found = {}
    for name, before in weights.items():
        if not before.is_floating_point():
            most = max(replies, key=lambda reply: reply.examples)  # of equals the first by name
            found[name] = most.weights[name].clone()
        elif name in by_row:
            found[name] = _by_row(name, before, replies)
        else:
            found[name] = _whole(name, before, replies)
    return found


def shares(accepted: Sequence[Reply]) -> list[float]:
    """p_i of replies, in their order; they sum to 1."""
    whole = sum(reply.examples for reply in accepted)
    return [reply.examples / whole for reply in accepted]


def _whole(name: str, before: Tensor, replies: Sequence[Reply]) -> Tensor:
    total = torch.zeros_like(before, dtype=torch.float64)
    for share, reply in zip(shares(replies), replies, strict=True):
        total.add_(reply.weights[name].double(), alpha=share)
    return total.to(before.dtype)


def _by_row(name: str, before: Tensor, replies: Sequence[Reply]) -> Tensor:
    counts = [_seen(name, before, reply) for reply in replies]  # each (R,)
    whole = torch.stack(counts).sum(0)
    total, column = torch.zeros_like(before, dtype=torch.float64), (-1, *[1] * (before.dim() - 1))
    for count, reply in zip(counts, replies, strict=True):
        share = (count / whole.clamp(min=1)).reshape(column)
        total.addcmul_(reply.weights[name].double(), share)
    return torch.where((whole > 0).reshape(column), total.to(before.dtype), before)


def _seen(name: str, before: Tensor, reply: Reply) -> Tensor:
    """(R,) float64 how much a reply counts for each row: what a client says, within limits."""
    if name not in reply.seen:
        return before.new_zeros(len(before), dtype=torch.float64)
    return reply.seen[name].double().clamp(0, reply.examples)


def next_control(control: Tensors, accepted: Sequence[Reply], clients: int) -> dict[str, Tensor]:
    """SCAFFOLD's c after a round.

    Args:
        control: c before; empty: zeros.
        accepted: Replies, each with the change of its c_i.
        clients: n, how many there are in all, whether they took part or not.
    """
    replies = sorted(accepted, key=lambda reply: reply.client)
    found = dict(control)
    for name in replies[0].control if replies else ():
        changes = [reply.control[name] for reply in replies]
        total = control[name].double() if name in control else torch.zeros_like(changes[0]).double()
        for change in changes:
            total = total + change.double() / clients
        found[name] = total.to(changes[0].dtype)
    return found


def distance(weights: Tensors, others: Tensors) -> float:
    """L2 norm of the difference of all that is no counter: how far a client went."""
    squares = [
        float((tensor.double() - others[name].double()).square().sum())
        for name, tensor in weights.items()
        if tensor.is_floating_point()
    ]
    return math.sqrt(sum(squares))
