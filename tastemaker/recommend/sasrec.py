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
from tastemaker.nn.attention import SelfAttention
from tastemaker.nn.next_item import IdModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.nn.view import WHOLE, KeyValue, LayerView, Pass, View, through


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

    def forward(self, x: Tensor, view: LayerView) -> tuple[Tensor, KeyValue]:
        """(B, N, D) → (B, N, D), or (B, 1, D) of the view's `newest`; and what was read."""
        normed: Tensor = self.attention_norm(x)
        asking = view.pick(normed)
        if self.norm == "query":
            read = self.attention.keys_values(x, view)
            normed = self.ffn_norm(asking + self.attention(asking, read, view))
            return normed + self.feed(normed), read
        read = self.attention.keys_values(normed, view)
        a: Tensor = view.pick(x) + self.attention(asking, read, view)
        return a + self.feed(self.ffn_norm(a)), read

    def feed(self, x: Tensor) -> Tensor:
        """Two linear maps with a ReLU between."""
        out: Tensor = self.drop(self.narrow(F.relu(self.widen(x))))
        return out


class SASRec(IdModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: SASRecConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.dim)

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        """States of every position, or of the view's `newest`."""
        x, keys_values = through(self.layers, self.inputs(batch, vectors), view)
        return view.passed(
            self.final_norm(x) * view.pick(batch.valid[..., None]), keys_values, batch
        )
