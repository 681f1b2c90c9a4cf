"""SASRec: self-attention over a history, a prediction at every position.

Paper: Self-Attentive Sequential Recommendation, arXiv 1808.09781; the losses that bring it to its
published strength: arXiv 2309.07602 (full softmax) and 2308.07192 (gBCE).

A causal transformer reads the newest N items, oldest first. The state at position j predicts item
j+1 by a dot product with the item table, which is shared between input and output.

    x₀ = E[items]·√D + P[positions];  a = x + MHA(LN x);  x = a + FFN(LN a);  h = LN x;  s = h·Eᵀ

Left out: the paper's single sampled negative, which its successors showed to be its weakness; the
order of normalisation is pre-norm, the paper's own is `norm="query"`.
Checked: tests/recommend/test_sasrec.py (no future leak, padding and batch invariance, float64
reference) and recipes/sasrec_ml1m.py (quality).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.nn.attention import SelfAttention, pick
from tastemaker.nn.next_item import IdModel, NextItemConfig


@dataclass(frozen=True)
class SASRecConfig(NextItemConfig):
    """Shape and loss of the model; widths are those of the published ML-1M runs."""

    inner: int = 256
    """width of the feed-forward part (the paper: `dim`)."""
    norm: Literal["pre", "query"] = "pre"
    """where layers normalise: before each part, or the paper's queries only."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        super().__post_init__()
        self.at_least_one("inner")


class Block(nn.Module):
    """Causal self-attention and a feed-forward part, each with a residual."""

    def __init__(self, config: SASRecConfig) -> None:
        super().__init__()
        self.norm, dim = config.norm, config.dim
        self.attention = SelfAttention(dim, config.heads, config.dropout)
        self.attention_norm, self.ffn_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.widen, self.narrow = nn.Linear(dim, config.inner), nn.Linear(config.inner, dim)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, newest: Tensor | None = None) -> Tensor:
        """(B, N, D) → (B, N, D), or (B, 1, D) of the `newest` positions."""
        normed: Tensor = self.attention_norm(x)
        asking = pick(normed, newest)
        if self.norm == "query":
            normed = self.ffn_norm(asking + self.attention(asking, x, newest))
            return normed + self.feed(normed)
        a: Tensor = pick(x, newest) + self.attention(asking, normed, newest)
        return a + self.feed(self.ffn_norm(a))

    def feed(self, x: Tensor) -> Tensor:
        """Two linear maps with a ReLU between."""
        out: Tensor = self.drop(self.narrow(F.relu(self.widen(x))))
        return out


class SASRec(IdModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: SASRecConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        *lower, self.top = (Block(config) for _ in range(config.layers))
        self.lower = nn.Sequential(*lower)
        self.final_norm = nn.LayerNorm(config.dim)

    def states(self, batch: Batch, newest: Tensor | None = None) -> Tensor:
        """(B, N, D) state of every position, or (B, 1, D) of the `newest`."""
        x = self.final_norm(self.top(self.lower(self.inputs(batch)), newest))
        states: Tensor = x * pick(batch.valid[..., None], newest)
        return states
