"""eSASRec: SASRec's objective with gated (LiGR) layers and a sampled softmax.

Paper: eSASRec, arXiv 2508.06450; the layer: From Features to Transformers (LiGR), arXiv 2502.03417.

    x = x + σ(W₁x + b₁) ⊙ MHA(LN x);  x = x + σ(W₂x + b₂) ⊙ SwiGLU(LN x)
    SwiGLU(z) = W_o(silu(W_a z) ⊙ W_b z), width 4·D, no bias

The gates read the stream before normalisation. With gate weights 0 and biases +30 a layer is the
ungated pre-norm block; with −30 it is the identity. As in the authors' code no norm follows the
last layer.

Left out: nothing of the layer. The negatives are shared by a batch; the authors draw them for each
position, which costs K times the memory.
Checked: tests/recommend/test_esasrec.py and recipes/esasrec_ml1m.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.nn.attention import SelfAttention
from tastemaker.nn.next_item import IdModel
from tastemaker.nn.next_item_shape import Loss, NextItemConfig
from tastemaker.nn.view import WHOLE, KeyValue, LayerView, Pass, View, through


@dataclass(frozen=True)
class ESASRecConfig(NextItemConfig):
    """Shape and loss of the model; the defaults are the paper's for ML-1M, one head more."""

    loss: Loss = "sampled"
    """full softmax over all items, sampled softmax, or gBCE."""
    negatives: int = 256
    """negatives shared by a batch, for the sampled losses."""


class LiGR(nn.Module):
    """Gated attention and a gated SwiGLU part, each with a residual."""

    def __init__(self, config: ESASRecConfig) -> None:
        super().__init__()
        dim = config.dim
        self.attention = SelfAttention(dim, config.heads, config.dropout)
        self.attention_norm, self.ffn_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention_gate, self.ffn_gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.widen = nn.Linear(dim, 2 * 4 * dim, bias=False)  # W_a and W_b side by side
        self.narrow = nn.Linear(4 * dim, dim, bias=False)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, view: LayerView) -> tuple[Tensor, KeyValue]:
        """(B, N, D) → (B, N, D), or (B, 1, D) of the view's `newest`; and what was read."""
        normed, x = self.attention_norm(x), view.pick(x)
        read = self.attention.keys_values(normed, view)
        mixed = self.attention(view.pick(normed), read, view)
        x = x + torch.sigmoid(self.attention_gate(x)) * mixed
        return x + torch.sigmoid(self.ffn_gate(x)) * self.feed(self.ffn_norm(x)), read

    def feed(self, x: Tensor) -> Tensor:
        """SwiGLU."""
        a, b = self.widen(x).chunk(2, -1)
        out: Tensor = self.drop(self.narrow(F.silu(a) * b))
        return out


class ESASRec(IdModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: ESASRecConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        self.layers = nn.ModuleList(LiGR(config) for _ in range(config.layers))

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        """States of every position, or of the view's `newest`."""
        x, keys_values = through(self.layers, self.inputs(batch, vectors), view)
        return view.passed(x * view.pick(batch.valid[..., None]), keys_values, batch)
