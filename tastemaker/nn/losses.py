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

CHUNK = 500_000
"""Scores held at once by a softmax on a CPU: 2 MB in float32, which stays in the cache."""
LARGE_CHUNK = 2**26
"""The same on a GPU, which takes few large products faster than many small ones: 256 MB."""


class _Softmax(torch.autograd.Function):
    """Softmax cross-entropy of targets against competitors, never holding all scores.

    The gradient is made in the forward pass, chunk by chunk, with the three products that plain
    autograd needs too; memory falls from T·C to CHUNK and, on a CPU, the scores stay in the cache.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        states, table, targets, rivals, bias, columns = inputs
        total: Tensor = states.new_zeros(())
        grad_states, grad_rivals = torch.empty_like(states), torch.zeros_like(rivals)
        grad_table = torch.zeros_like(table)
        chunk = CHUNK if states.device.type == "cpu" else LARGE_CHUNK
        rows = max(1, chunk // max(1, len(rivals)))
        buffer = states.new_empty(min(rows, len(states)), len(rivals))
        for start in range(0, len(states), rows):
            part, own, column = (t[start : start + rows] for t in (states, targets, columns))
            # The target is scored apart from its rivals, so that it may be none of those sampled.
            wanted = table[own]
            positive = (part * wanted).sum(1, keepdim=True)
            scores = torch.addmm(bias, part, rivals.T, out=buffer[: len(part)])
            met = (column >= 0).nonzero()[:, 0]
            scores[met, column[met]] = -torch.inf  # a rival equal to the target is none
            highest = torch.maximum(scores.amax(1, keepdim=True), positive)
            # exp once, in place; the norm divides the small products instead of all the scores.
            weights, share = scores.sub_(highest).exp_(), (positive - highest).exp_()
            norm = weights.sum(1, keepdim=True) + share
            total += (highest + norm.log() - positive).sum()
            share.div_(norm).sub_(1)
            gradient = torch.matmul(weights, rivals, out=grad_states[start : start + rows])
            gradient.div_(norm).addcmul_(share, wanted)
            grad_rivals.addmm_(weights.T, part / norm)
            grad_table.index_add_(0, own, part * share)  # a target may stand at many positions
        ctx.save_for_backward(grad_states, grad_table, grad_rivals)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states, table, rivals = (saved * grads[0] for saved in ctx.saved_tensors)
        return states, table, None, rivals, None, None


def full_softmax(states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy over all items: −s⁺ + logsumexp over I.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes 1..I.

    Returns:
        Scalar sum over T.
    """
    return _softmax(states, table, targets, table[1:], table.new_zeros(()), targets - 1)


def sampled_softmax(
    states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor, num_items: int | None = None
) -> Tensor:
    """Cross-entropy of the target against K negatives shared by all positions.

    A negative equal to the target contributes nothing; one drawn twice counts twice.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes.
        negatives: (K,) item codes, uniform over 1..I.
        num_items: I, to add log((I−1)/K) to the negatives, which makes the loss an estimate of the
            full one; None: they stand as they are.

    Returns:
        Scalar sum over T.
    """
    drawn, times = torch.unique(negatives, return_counts=True)
    bias = times.to(table.dtype).log()
    if num_items is not None:
        bias = bias + math.log((num_items - 1) / len(negatives))
    columns = torch.full((len(table),), -1, device=table.device)
    columns[drawn] = torch.arange(len(drawn), device=table.device)
    rivals = F.embedding(drawn, table)
    return _softmax(states, table, targets, rivals, bias, columns[targets])


def _softmax(
    states: Tensor, table: Tensor, targets: Tensor, rivals: Tensor, bias: Tensor, columns: Tensor
) -> Tensor:
    """Sum of −s⁺ + log(exp s⁺ + Σ exp(rivals + bias)); `columns` names the rival to leave out."""
    with torch.autocast(states.device.type, enabled=False):
        parts = (states.to(table.dtype), table, targets, rivals, bias, columns)
        total: Tensor = _Softmax.apply(*parts)  # type: ignore[no-untyped-call]
    return total


def gbce(
    states: Tensor,
    table: Tensor,
    targets: Tensor,
    negatives: Tensor,
    num_items: int,
    calibration: float = 0.75,
) -> Tensor:
    """Generalised binary cross-entropy (gSASRec, arXiv 2308.07192).

    L = −(1/(k+1))·[β·log σ(s⁺) + Σ_r log σ(−s_r)], β = 1 − t·(1 − α), α = k/(I−1). t = 0 is plain
    binary cross-entropy over k+1; written with log-sigmoid, so stable in float32.

    Args:
        states: (T, D).
        table: (I+1, D), row 0 padding.
        targets: (T,) item codes.
        negatives: (K,) item codes shared by all positions.
        num_items: I, which a table of one step's items does not tell.
        calibration: t in [0, 1].

    Returns:
        Scalar sum over T.
    """
    positive, negative = _scores(states, table, targets, negatives)
    k = len(negatives)
    alpha = k / (num_items - 1)
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
