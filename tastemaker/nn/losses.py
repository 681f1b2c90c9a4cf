"""Losses for next-item models: every catalogue item competes, or a sample does.

Source: backbones §3.2. Each takes the states of T positions and returns the *sum* over them, so
that a caller divides by the targets of the whole step, whatever shard it holds. Scores are dot
products with the rows of an item table whose row 0 is padding and never competes.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 1_000_000
"""Scores held at once by the full softmax: 4 MB in float32, which stays in the cache."""


class _FullSoftmax(torch.autograd.Function):
    """Softmax cross-entropy over all items without ever holding all scores.

    The gradient is made in the forward pass, chunk by chunk, with the three products that plain
    autograd needs too; memory falls from T·I to CHUNK and the scores stay in the cache.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
        items, wanted = table[1:], targets - 1
        total = states.new_zeros(())
        grad_states, grad_table = torch.empty_like(states), torch.zeros_like(table)
        rows = max(1, CHUNK // max(1, len(items)))
        buffer = states.new_empty(min(rows, len(states)), len(items))
        for at in range(0, len(states), rows):
            part, own = states[at : at + rows], wanted[at : at + rows]
            scores = torch.matmul(part, items.T, out=buffer[: len(part)])
            total -= scores.gather(1, own[:, None]).sum()
            highest = scores.amax(1, keepdim=True)
            # exp once, in place; the norm divides the small products instead of all the scores.
            weights = scores.sub_(highest).exp_()
            norm = weights.sum(1, keepdim=True)
            total += (highest + norm.log()).sum()
            gradient = torch.matmul(weights, items, out=grad_states[at : at + rows])
            gradient.div_(norm).sub_(items[own])
            grad_table[1:].addmm_(weights.T, part / norm)
            grad_table[1:].index_add_(0, own, part, alpha=-1)
        ctx.save_for_backward(grad_states, grad_table)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        grad_states, grad_table = ctx.saved_tensors
        return grad_states * grads[0], grad_table * grads[0], None


def full_softmax(states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy over all items: −s⁺ + logsumexp over I.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes 1..I.

    Returns:
        Scalar sum over T.
    """
    with torch.autocast(states.device.type, enabled=False):
        parts = (states.to(table.dtype), table, targets)
        total: Tensor = _FullSoftmax.apply(*parts)  # type: ignore[no-untyped-call]
    return total


def sampled_softmax(
    states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor, logq: bool = False
) -> Tensor:
    """Cross-entropy of the target against K negatives shared by all positions.

    A negative equal to the target contributes nothing.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes.
        negatives: (K,) item codes, uniform over 1..I.
        logq: Add log((I−1)/K) to the negatives, which makes the loss an estimate of the full one.

    Returns:
        Scalar sum over T.
    """
    positive, negative = _scores(states, table, targets, negatives)
    if logq:
        negative = negative + math.log((len(table) - 2) / len(negatives))
    log_norm = torch.logsumexp(torch.cat([positive[:, None], negative], 1), 1)
    return (log_norm - positive).sum()


def gbce(
    states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor, calibration: float = 0.75
) -> Tensor:
    """Generalised binary cross-entropy (gSASRec, arXiv 2308.07192).

    L = −(1/(k+1))·[β·log σ(s⁺) + Σ_r log σ(−s_r)], β = 1 − t·(1 − α), α = k/(I−1). t = 0 is plain
    binary cross-entropy over k+1; written with log-sigmoid, so stable in float32.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes.
        negatives: (K,) item codes shared by all positions.
        calibration: t in [0, 1].

    Returns:
        Scalar sum over T.
    """
    positive, negative = _scores(states, table, targets, negatives)
    k = len(negatives)
    alpha = k / (len(table) - 2)
    beta = 1 - calibration * (1 - alpha)
    parts = beta * F.logsigmoid(positive) + F.logsigmoid(-negative).sum(1)
    return -parts.sum() / (k + 1)


def _scores(
    states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor
) -> tuple[Tensor, Tensor]:
    """(T,) scores of the targets, and (T, K) of the negatives, −inf where they coincide."""
    states = states.to(table.dtype)  # under autocast the states are bf16
    positive = (states * F.embedding(targets, table)).sum(1)
    negative = states @ F.embedding(negatives, table).T
    return positive, negative.masked_fill(negatives[None, :] == targets[:, None], -torch.inf)
