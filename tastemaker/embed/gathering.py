"""Vectors of all processes, so that a step's negatives are those of the whole step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def everyone(mine: Tensor, counts: Sequence[int], rank: int) -> Tensor:
    """Rows of all processes in their order; those of this one keep their gradient.

    What the others hold are constants here. Each process computes the loss of the whole step, and
    its gradient by its own rows; the sum of these over processes is the gradient of the step.

    Args:
        mine: (counts[rank], d).
        counts: Rows of each process; one number where there is no other.
        rank: Number of this process.

    Returns:
        (sum of counts, d).
    """
    if len(counts) == 1:
        return mine
    padded = mine.new_zeros(max(counts), mine.shape[1])
    padded[: len(mine)] = mine.detach()
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    rows = [part[:count] for part, count in zip(parts, counts, strict=True)]
    rows[rank] = mine
    return torch.cat(rows)


def one_share(whole: Tensor, world: int) -> Tensor:
    """A part in `world` of a loss that every process has computed whole, with all its gradient."""
    return whole - whole.detach() * (1 - 1 / world) if world > 1 else whole


def counted_once(value: Tensor, world: int) -> Tensor:
    """A parameter that every process reads whole: its gradients over processes add up to one."""
    return value.detach() + (value - value.detach()) / world if world > 1 else value
