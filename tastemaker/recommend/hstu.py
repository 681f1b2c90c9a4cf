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
from typing import Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.errors import BadInput
from tastemaker.nn.attention import pick, pointwise_attention, pointwise_newest
from tastemaker.nn.next_item import IdModel, NextItemConfig

BUCKETS = 129
"""Time buckets: ln of seconds in steps of 0.301, which reaches beyond any clock."""


@dataclass(frozen=True)
class HSTUConfig(NextItemConfig):
    """Shape and loss of the model."""

    heads: int = 1
    """attention heads."""
    head_dim: int = 64
    """width of a head's queries, keys, values and gates (the paper for ML-1M: 50)."""
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

    def suited(self, num_items: int, times: bool = True) -> Self:
        """As every model; position only where there are no times."""
        config = super().suited(num_items, times)
        return config if times else replace(config, time="none")


class Pairs(NamedTuple):
    """How two positions of a row relate."""

    distances: Tensor
    """(N, N) or (B, N, N) index into the position bias: i − j + N − 1."""
    buckets: Tensor | None
    """(B, N, N) time bucket; None: no time term."""


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

    def forward(self, x: Tensor, pairs: Pairs, newest: Tensor | None = None) -> Tensor:
        """(B, N, D) → (B, N, D), or (B, 1, D) of the `newest` positions."""
        xn = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        # U and Q are wanted where a state is, V and K everywhere; the weight holds U, V, Q, K.
        weights = self.project.weight.chunk(4)
        asking = F.linear(pick(xn, newest), torch.cat([weights[0], weights[2]]))
        u, q = F.silu(asking).chunk(2, -1)
        v, k = F.silu(F.linear(xn, torch.cat([weights[1], weights[3]]))).chunk(2, -1)
        qkv = self._heads(q), self._heads(k), self._heads(v)
        bias = self.position[pairs.distances]
        if newest is None:
            read = pointwise_attention(qkv, bias, self.time, pairs.buckets, self.divisor)
        else:
            bias = bias[newest][:, None] if bias.dim() == 2 else pick(bias, newest)
            if pairs.buckets is not None:
                bias = bias + self.time[pick(pairs.buckets, newest)]
            read = pointwise_newest(qkv, bias, newest, self.divisor)
        read = read.transpose(1, 2).flatten(2)
        gated = u * F.layer_norm(read, read.shape[-1:], eps=1e-6)
        out: Tensor = pick(x, newest) + self.out(self.drop(gated))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, H·K) → (B, H, N, K)."""
        return x.view(*x.shape[:2], self.heads, self.head_dim).transpose(1, 2)


class HSTU(IdModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: HSTUConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        self.time, self.temperature = config.time, config.temperature
        *lower, self.top = (HSTULayer(config) for _ in range(config.layers))
        self.lower = nn.ModuleList(lower)
        nn.init.trunc_normal_(self.positions.weight, std=config.dim**-0.5)

    def states(self, batch: Batch, newest: Tensor | None = None) -> Tensor:
        """(B, N, D), or (B, 1, D) of the `newest`: unit vectors divided by the temperature."""
        x, at = self.inputs(batch), batch.position_ids
        distances = at[..., :, None] - at[..., None, :] + self.config.history - 1
        pairs = Pairs(distances, self._buckets(batch))
        for layer in self.lower:
            x = layer(x, pairs)
        x = F.normalize(self.top(x, pairs, newest), dim=-1)
        return x * (pick(batch.valid[..., None], newest) / self.temperature)

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
