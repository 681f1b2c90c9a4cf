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
from tastemaker.nn.attention import pointwise_attention, pointwise_newest
from tastemaker.nn.next_item import IdModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.nn.view import WHOLE, KeyValue, LayerView, Pass, View, through

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


class PairTerms(NamedTuple):
    """How the positions of a row relate to all columns that they may read."""

    distances: Tensor
    """(N, C) or (B, N, C) index into the position bias: i − j + history − 1."""
    buckets: Tensor | None
    """(B, N, C) time bucket; None: no time term."""


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

    def forward(self, x: Tensor, view: LayerView, pairs: PairTerms) -> tuple[Tensor, KeyValue]:
        """(B, N, D) → (B, N, D), or (B, 1, D) of the view's `newest`; and what was read."""
        xn = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        # U and Q are wanted where a state is, V and K everywhere; the weight holds U, V, Q, K.
        weights = self.project.weight.chunk(4)
        asking = F.linear(view.pick(xn), torch.cat([weights[0], weights[2]]))
        u, q = F.silu(asking).chunk(2, -1)
        v, k = F.silu(F.linear(xn, torch.cat([weights[1], weights[3]]))).chunk(2, -1)
        read = view.behind(KeyValue(self._heads(k), self._heads(v)))
        mixed = self._mixed(self._heads(q), read, view, pairs).transpose(1, 2).flatten(2)
        gated = u * F.layer_norm(mixed, mixed.shape[-1:], eps=1e-6)
        return view.pick(x) + self.out(self.drop(gated)), read

    def _mixed(self, q: Tensor, read: KeyValue, view: LayerView, pairs: PairTerms) -> Tensor:
        """(B, H, n, V) values by what the n queries make of the keys."""
        bias, buckets, newest = self.position[pairs.distances], pairs.buckets, view.newest
        qkv = (q, *read)
        if newest is None:
            return pointwise_attention(qkv, bias, self.time, buckets, self.divisor, view.allow)
        bias = bias[newest][:, None] if bias.dim() == 2 else view.pick(bias)
        if buckets is not None:
            bias = bias + self.time[view.pick(buckets)]
        mask = view.mask(1, read.keys.shape[2], q.device)
        assert mask is not None
        return pointwise_newest(qkv, bias, mask, self.divisor)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, H·K) → (B, H, N, K)."""
        return x.view(*x.shape[:2], self.heads, self.head_dim).transpose(1, 2)


class HSTU(IdModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    def __init__(self, config: HSTUConfig, num_items: int) -> None:
        super().__init__(config, num_items)
        self.time, self.temperature = config.time, config.temperature
        self.layers = nn.ModuleList(HSTULayer(config) for _ in range(config.layers))
        nn.init.trunc_normal_(self.positions.weight, std=config.dim**-0.5)

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        """Unit vectors divided by the temperature, of every position or of the `newest`."""
        asking, columns = batch.position_ids, view.position_ids(batch)
        distances = asking[..., :, None] - columns[..., None, :] + self.config.history - 1
        if distances.dim() == 3 and len(distances) == 1:
            distances = distances[0]  # one row stands for all
        pairs = PairTerms(distances, self._buckets(batch, view))
        x, keys_values = through(self.layers, self.inputs(batch, vectors), view, pairs)
        scale = view.pick(batch.valid[..., None]) / self.temperature
        return view.passed(F.normalize(x, dim=-1) * scale, keys_values, batch)

    def table(self) -> Tensor:
        """(I+1, D) unit vectors; row 0 stays zero."""
        return F.normalize(self.items.weight, dim=-1)

    def _buckets(self, batch: Batch, view: View) -> Tensor | None:
        """(B, N, C) time bucket of every position and column; None without times."""
        if self.time == "none" or batch.times is None:
            return None
        columns = view.times(batch)
        if columns is None:
            raise ValueError("the batch has times, and the past that stands before it has none")
        asked = batch.upcoming() if self.time == "request" else batch.times
        return time_buckets(asked[:, :, None] - columns[:, None, :])


def time_buckets(seconds: Tensor) -> Tensor:
    """Bucket 0..128 of a difference in seconds, whatever its sign."""
    steps = torch.log(seconds.abs().clamp(min=1).float()) / 0.301
    return steps.long().clamp(max=BUCKETS - 1)
