"""A causal language model that goes on from what it has read: keys and values are kept.

What has been read may be padded on any side. What is read next are columns after it, of which each
says by itself what it may read: one that follows the other, or branches that do not see each
other, so that many beginnings of answers are read at once beside a prompt that is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from tastemaker.models.user_llm import Layers, hidden_states

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Past(NamedTuple):
    """What has been read of B rows, C columns."""

    layers: Layers
    """keys and values (B, H, C, ·) of each layer"""
    valid: Tensor
    """(B, C) bool, columns that hold something"""

    @property
    def places(self) -> Tensor:
        """(B,) int64 position of what comes next."""
        return self.valid.sum(1)


class Prompt(NamedTuple):
    """B prompts that have been read, and are to be answered."""

    past: Past
    """what was read"""
    state: Tensor
    """(B, D) last hidden state of each, which says the first token"""

    def rows(self, wanted: Tensor) -> Prompt:
        """Those of some (R,) int64 rows."""
        layers = [(keys[wanted], values[wanted]) for keys, values in self.past.layers]
        return Prompt(Past(layers, self.past.valid[wanted]), self.state[wanted])


@dataclass(frozen=True)
class Causal:
    """A model with its tokens and its head."""

    body: PreTrainedModel
    """reads vectors, gives last hidden states; without token table and head"""
    embed: Callable[[Tensor], Tensor]
    """(...) int64 tokens → (..., D) vectors as the body reads them"""
    logits: Callable[[Tensor], Tensor]
    """(..., D) last hidden states → (..., V)"""

    def log_probs(self, states: Tensor) -> Tensor:
        """(..., V) float32 log probabilities of what is said after (..., D) last hidden states."""
        return self.logits(states).float().log_softmax(-1)


def read(
    body: PreTrainedModel, x: Tensor, valid: Tensor, past: Past | None = None
) -> tuple[Tensor, Past]:
    """Read columns one after another.

    Args:
        body: The model.
        x: (B, N, D) vectors; what padding holds makes no difference.
        valid: (B, N) bool, false at padding.
        past: What stands before.

    Returns:
        (B, N, D) last hidden states, of which those of padding mean nothing, and all that has been
        read.
    """
    before = valid.new_zeros(len(x), 0) if past is None else past.valid
    every = torch.cat([before, valid], 1)
    begun = before.sum(1, keepdim=True)
    positions = (begun + valid.cumsum(1) - 1).clamp(min=0)
    count, width = before.shape[1], x.shape[1]
    own = torch.ones(width, width, dtype=torch.bool, device=x.device).tril()
    own = own & valid[:, None] | torch.eye(width, dtype=torch.bool, device=x.device)
    mask = torch.cat([before[:, None].expand(-1, width, count), own], 2)
    states, layers = hidden_states(body, x, positions, mask, [] if past is None else past.layers)
    return states, Past(layers, every)


def parts_of(prompt: Prompt, rows: int) -> Iterator[Prompt]:
    """The same prompts, `rows` of them at a time."""
    past, state = prompt
    for start in range(0, len(state), rows):
        some = slice(start, start + rows)
        layers = [(keys[some], values[some]) for keys, values in past.layers]
        yield Prompt(Past(layers, past.valid[some]), state[some])


def branch(
    body: PreTrainedModel, x: Tensor, places: Tensor, reads: Tensor, layers: Layers
) -> tuple[Tensor, Layers]:
    """Read columns that say by themselves what they may read.

    Args:
        body: The model.
        x: (B, N, D) vectors.
        places: (B, N) positions.
        reads: (B, N, C + N) bool, columns that each may read; itself among them.
        layers: Keys and values of C columns.

    Returns:
        (B, N, D) last hidden states, and keys and values of C + N columns.
    """
    return hidden_states(body, x, places, reads, layers)
