"""VRec's thoughts: attention of the newest state over all that was read (LatentR3, RATT).

With h the last hidden states of the columns before the slot p, and rotary embedding R over all d
dimensions with base 1000:

    r = Σ_{c<p} softmax_c( R_{p−1}(Q·h_{p−1}) · R_c(K·h_c) / √d ) V·h_c

One head, no output map, no residual, no norm; the state at the slot itself is not read. Keys and
values are kept, so that a further thought costs one column.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_BASE = 1000.0


class Memory(NamedTuple):
    """What thoughts may read: C columns of B rows."""

    keys: Tensor
    """(B, C, D), turned by their position"""
    values: Tensor
    """(B, C, D)"""
    valid: Tensor
    """(B, C) bool"""


class ThoughtLayer(nn.Module):
    """The attention that makes a thought of width `dim`, which is even."""

    def __init__(self, dim: int, newest: int = 0) -> None:
        """Fresh weights.

        Args:
            dim: Width D.
            newest: Columns that are read; 0: all.
        """
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.newest = newest

    def forward(
        self, states: Tensor, valid: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """The next thought.

        Args:
            states: (B, N, D) last hidden states of the columns read since the thought before.
            valid: (B, N) bool; at least one column of each row.
            memory: What was read before.

        Returns:
            (B, D) thought, and all that the next may read.
        """
        before = valid.new_zeros(len(valid), 0) if memory is None else memory.valid
        places = before.sum(1, keepdim=True) + valid.cumsum(1) - 1
        turns = turns_of(places, states.shape[-1])
        keys = rotated(self.key(states), turns)
        # What padding holds may be anything: 0 · ∞ would be no number.
        values = self.value(states).masked_fill(~valid[..., None], 0.0)
        if memory is not None:
            keys = torch.cat([memory.keys, keys], 1)
            values = torch.cat([memory.values, values], 1)
        memory = Memory(keys, values, torch.cat([before, valid], 1))
        columns = torch.arange(valid.shape[1], device=valid.device)
        newest = torch.where(valid, columns, -1).argmax(1)
        rows = torch.arange(len(valid), device=valid.device)
        query = self.query(states[rows, newest])
        query = rotated(query, Turns(turns.cos[rows, newest], turns.sin[rows, newest]))
        scores = (query[:, None] @ keys.transpose(1, 2))[:, 0].float() / keys.shape[-1] ** 0.5
        readable = memory.valid
        if self.newest:
            last = places[rows, newest][:, None]
            readable = readable & (memory.valid.cumsum(1) - 1 > last - self.newest)
        shares = scores.masked_fill(~readable, -torch.inf).softmax(-1).to(values.dtype)
        # As wide as what it was made of, where products are in low precision.
        return (shares[:, None] @ values)[:, 0].to(states.dtype), memory


class Turns(NamedTuple):
    """How far pairs of numbers are turned."""

    cos: Tensor
    """(..., D/2) float32"""
    sin: Tensor
    """(..., D/2) float32"""


def turns_of(places: Tensor, dim: int) -> Turns:
    """The angles place · 1000^(−2i/D) of (...) int64 positions, D even."""
    half = dim // 2
    speeds = _BASE ** (-torch.arange(half, device=places.device, dtype=torch.float32) / half)
    angles = places[..., None].float() * speeds
    return Turns(angles.cos(), angles.sin())


def rotated(x: Tensor, turns: Turns) -> Tensor:
    """(..., D) vectors turned by their position: pair (i, i + D/2) by its angle."""
    half = x.shape[-1] // 2
    cos, sin = turns.cos.to(x.dtype), turns.sin.to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)
