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

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch, Contexts, last
from tastemaker.errors import BadInput
from tastemaker.nn import losses

Loss = Literal["softmax", "sampled", "gbce"]


@dataclass(frozen=True)
class SASRecConfig:
    """Shape and loss of the model; widths are those of the published ML-1M runs."""

    dim: int = 64
    """width D of items and states."""
    layers: int = 2
    """transformer blocks."""
    heads: int = 2
    """attention heads; divides `dim`."""
    inner: int = 256
    """width of the feed-forward part (the paper: `dim`)."""
    dropout: float = 0.2
    """share of activations dropped in training."""
    history: int = 50
    """events read, N; older ones are not seen."""
    norm: Literal["pre", "query"] = "pre"
    """where layers normalise: before each part, or the paper's queries only."""
    loss: Loss = "softmax"
    """full softmax over all items, sampled softmax, or gBCE."""
    negatives: int = 512
    """negatives shared by a batch, for the sampled losses."""
    calibration: float = 0.75
    """gBCE's t: 0 trusts the sampled scores, 1 corrects them in full."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        for name in ("dim", "layers", "heads", "inner", "history", "negatives"):
            if getattr(self, name) < 1:
                fix = "Give a whole number of at least 1."
                raise BadInput(f"{name} = {getattr(self, name)} is too small.", "sasrec", fix)
        if self.dim % self.heads:
            what = f"dim = {self.dim} does not divide into heads = {self.heads}."
            raise BadInput(what, "sasrec", "Choose heads that divide dim.")
        if not 0 <= self.dropout < 1:
            raise BadInput(f"dropout = {self.dropout} is not in [0, 1).", "sasrec", "Use 0.2.")

    @property
    def sampled(self) -> int:
        """Negatives a batch must carry: 0 for the full softmax."""
        return 0 if self.loss == "softmax" else self.negatives


class Block(nn.Module):
    """Causal self-attention and a feed-forward part, each with a residual."""

    def __init__(self, config: SASRecConfig) -> None:
        super().__init__()
        self.heads, self.norm, dim = config.heads, config.norm, config.dim
        self.attention_norm, self.ffn_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.widen, self.narrow = nn.Linear(dim, config.inner), nn.Linear(config.inner, dim)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) → (B, N, D)."""
        normed: Tensor = self.attention_norm(x)
        if self.norm == "query":
            normed = self.ffn_norm(normed + self.attend(normed, x))
            return normed + self.feed(normed)
        a = x + self.attend(normed, normed)
        return a + self.feed(self.ffn_norm(a))

    def attend(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Each position reads itself and what came before; padding on the right is never read."""
        shape = (*queries.shape[:2], self.heads, -1)
        q = self.query(queries).view(shape).transpose(1, 2)
        k, v = (t.view(shape).transpose(1, 2) for t in self.key_value(keys).chunk(2, -1))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        return out

    def feed(self, x: Tensor) -> Tensor:
        """Two linear maps with a ReLU between."""
        out: Tensor = self.drop(self.narrow(F.relu(self.widen(x))))
        return out


class SASRec(nn.Module):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: SASRecConfig, num_items: int) -> None:
        super().__init__()
        self.config, self.num_items = config, num_items
        self.items = nn.Embedding(num_items + 1, config.dim, padding_idx=0)
        self.positions = nn.Embedding(config.history, config.dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.dim)
        self.drop = nn.Dropout(config.dropout)
        for table in (self.items, self.positions):
            nn.init.trunc_normal_(table.weight, std=0.02)
        with torch.no_grad():
            self.items.weight[0] = 0

    def states(self, batch: Batch) -> Tensor:
        """(B, N, D) state of every position; padded positions are zero."""
        x = self.items(batch.items) * self.config.dim**0.5 + self.positions(batch.position_ids)
        x = self.drop(x)
        for block in self.blocks:
            x = block(x)
        states: Tensor = self.final_norm(x) * batch.valid[..., None]
        return states

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state at the last real position; zero for an empty history."""
        newest = (batch.valid.sum(1) - 1).clamp(min=0)
        return self.states(batch)[torch.arange(len(newest), device=newest.device), newest]

    def item_vectors(self) -> Tensor:
        """(I, D) vectors whose dot product with `encode` is the score."""
        return self.items.weight[1:]

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, in float32; column j is item code j + 1."""
        batch = last(contexts, self.config.history).to(self.items.weight.device)
        return (self.encode(batch) @ self.item_vectors().T).float()

    def forward(self, batch: Batch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def loss(self, batch: Batch) -> Tensor:
        """Sum over this batch's targets divided by the targets of the whole step."""
        if batch.targets is None:
            raise ValueError("a training batch carries targets")
        wanted = batch.targets > 0
        states, targets = self.states(batch)[wanted], batch.targets[wanted]
        table = self.items.weight
        if self.config.loss == "softmax":
            total = losses.full_softmax(states, table, targets)
        elif batch.negatives is None:
            raise ValueError(f"loss {self.config.loss!r} needs a batch with negatives")
        elif self.config.loss == "sampled":
            total = losses.sampled_softmax(states, table, targets, batch.negatives)
        else:
            calibration = self.config.calibration
            total = losses.gbce(states, table, targets, batch.negatives, calibration)
        return total / max(1, batch.target_count)
