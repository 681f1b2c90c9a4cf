"""Several processes and several pieces: who computes what of a batch.

A step's loss is a sum over its targets divided by their number in the whole step, so the shares of
processes and the pieces of one process add up to it, and so do their gradients.
"""

from __future__ import annotations

import os

import torch
from accelerate import Accelerator, PartialState

from tastemaker.data.batches import Batch

POSITIONS = 6400
"""Positions that a CPU takes at once: what they need stays in its cache, and freshly mapped memory,
which costs more than the arithmetic, is not asked for."""


def processes() -> PartialState:
    """Which process this is and of how many; all of them meet here on the first call.

    A `PartialState` that is not told so takes no notice of a launcher that runs on CPUs.
    """
    told = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    return PartialState(cpu=told or not torch.accelerator.is_available())


def parts(batch: Batch, accelerator: Accelerator) -> list[Batch]:
    """What this process computes of a batch; a CPU alone takes it in pieces."""
    if accelerator.num_processes == 1 and accelerator.device.type == "cpu":
        return pieces(batch)
    return [batch.shard(accelerator.process_index, accelerator.num_processes)]


def pieces(batch: Batch, positions: int = POSITIONS) -> list[Batch]:
    """Parts of a batch of at most `positions`, or one row, each; their losses add up to its own."""
    rows = max(1, positions // batch.items.shape[1])
    count = max(1, -(-len(batch.items) // rows))
    return [batch.shard(part, count) for part in range(count)]
