"""HSTU: pointwise attention with gates and a bias of relative position and time.

Paper: Actions Speak Louder than Words, arXiv 2402.17152 (the research version of its public code).

    xn = LN(x);  [U, V, Q, K] = split(silu(xn W));  A_ij = silu(qᵢ·kⱼ + rab_ij) / N_const, j ≤ i
    y = x + Drop(U ⊙ LN(A V)) W_o + b_o;  rab_ij = w_pos[i−j] + w_time[bucket(dt_ij)]
    bucket(dt) = clamp(⌊ln(max(1, |dt|)) / 0.301⌋, 0, 128)

Scores are cosines divided by the temperature 0.05. The divisor N_const is one constant for every
length, so that a longer history never changes what was computed before.

What dt is: `past` (default) takes t_i − t_j, both known when the state is made. `request` takes
t_{i+1} − t_j, as the public code does: the model is told when the next event happens, which other
models are not, so its figures stand in a column of their own. `none` has no time term; a log
without times is read so.

Left out: row sparsity and the production kernels; the softmax-free layer is exact here.
Checked: tests/recommend/test_hstu.py and recipes/hstu_movielens.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.errors import BadInput
from tastemaker.nn.attention import pointwise_attention
from tastemaker.nn.next_item import Loss, NextItemConfig, NextItemModel

BUCKETS = 129
"""Time buckets: ln of seconds in steps of 0.301, which reaches beyond any clock."""


@dataclass(frozen=True)
class HSTUConfig(NextItemConfig):
    """Shape and loss of the model."""

    heads: int = 1
    """attention heads."""
    head_dim: int = 64
    """width of a head's queries, keys, values and gates (the paper for ML-1M: 50)."""
    loss: Loss = "sampled"
    """full softmax over all items, sampled softmax, or gBCE."""
    temperature: float = 0.05
    """scores are cosines divided by this."""
    time: Literal["past", "request", "none"] = "past"
    """time bias: from events already seen; also from when the next event happens; or none."""
    divisor: int = 211
    """N_const, which divides attention whatever the length."""
    position_bias: bool = True
    """bias by relative position."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        super().__post_init__()
        self.at_least_one("head_dim")
        self.at_least_one("divisor")
        if not self.temperature > 0:
            what = f"temperature = {self.temperature} divides nothing."
            raise BadInput(what, "model options", "Use 0.05.")

    def without_times(self) -> Self:
        """Position only."""
        return replace(self, time="none")


class HSTULayer(nn.Module):
    """One layer; its bias is its own, shared by its heads."""

    def __init__(self, config: HSTUConfig) -> None:
        super().__init__()
        self.heads, self.head_dim, self.divisor = config.heads, config.head_dim, config.divisor
        wide = config.heads * config.head_dim
        self.project = nn.Linear(config.dim, 4 * wide, bias=False)
        self.out = nn.Linear(wide, config.dim)
        self.drop = nn.Dropout(config.dropout)
        self.position = nn.Parameter(torch.zeros(2 * config.history - 1))
        self.time = nn.Parameter(torch.zeros(BUCKETS))
        self.position.requires_grad_(config.position_bias)
        self.time.requires_grad_(config.time != "none")
        nn.init.normal_(self.project.weight, std=0.02)
        nn.init.xavier_uniform_(self.out.weight)
        for bias, used in ((self.position, config.position_bias), (self.time, True)):
            if used and bias.requires_grad:
                nn.init.normal_(bias, std=0.02)

    def forward(self, x: Tensor, distances: Tensor, buckets: Tensor | None) -> Tensor:
        """(B, N, D) → (B, N, D); `distances` index the position bias, `buckets` the time bias."""
        xn = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        mixed = F.silu(self.project(xn))
        shape = (*x.shape[:2], self.heads, self.head_dim)
        u, *rest = mixed.chunk(4, -1)
        v, q, k = (part.reshape(shape).transpose(1, 2) for part in rest)
        bias = self.position[distances]
        read = pointwise_attention((q, k, v), bias, self.time, buckets, self.divisor)
        read = read.transpose(1, 2).flatten(2)
        gated = u * F.layer_norm(read, read.shape[-1:], eps=1e-6)
        out: Tensor = x + self.out(self.drop(gated))
        return out


class HSTU(NextItemModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: HSTUConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        self.time, self.temperature = config.time, config.temperature
        self.layers = nn.ModuleList(HSTULayer(config) for _ in range(config.layers))
        nn.init.trunc_normal_(self.positions.weight, std=config.dim**-0.5)

    def states(self, batch: Batch) -> Tensor:
        """(B, N, D) unit vectors divided by the temperature; padded positions are zero."""
        x = self.inputs(batch)
        at = batch.position_ids
        distances = at[..., :, None] - at[..., None, :] + self.config.history - 1
        buckets = self._buckets(batch)
        for layer in self.layers:
            x = layer(x, distances, buckets)
        return F.normalize(x, dim=-1) * (batch.valid[..., None] / self.temperature)

    def table(self) -> Tensor:
        """(I+1, D) unit vectors; row 0 stays zero."""
        return F.normalize(self.items.weight, dim=-1)

    def _buckets(self, batch: Batch) -> Tensor | None:
        """(B, N, N) time bucket of every pair of positions; None without times."""
        if self.time == "none" or batch.times is None:
            return None
        asked = batch.upcoming() if self.time == "request" else batch.times
        return time_buckets(asked[:, :, None] - batch.times[:, None, :])


def time_buckets(seconds: Tensor) -> Tensor:
    """Bucket 0..128 of a difference in seconds, whatever its sign."""
    steps = torch.log(seconds.abs().clamp(min=1).float()) / 0.301
    return steps.long().clamp(max=BUCKETS - 1)
