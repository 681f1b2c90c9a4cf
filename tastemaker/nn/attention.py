"""Causal attention: the softmax kind of SASRec and eSASRec, the pointwise kind of HSTU.

Content stands left and padding right, so the causal mask alone keeps real positions from reading
padding. Sources: arXiv 1706.03762 (softmax), arXiv 2402.17152 (pointwise, backbones §3.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SCORES = 2**18
"""Scores of the pointwise kind held at once: 1 MB in float32, which stays in the cache."""
_QUERIES = 64
"""Queries of a tile; keys after its newest query are never touched."""


def pick(x: Tensor, newest: Tensor | None) -> Tensor:
    """(B, N, ·) → (B, 1, ·) at position `newest` (B,) of each row; unchanged without it."""
    return x if newest is None else x[torch.arange(len(x), device=x.device), newest][:, None]


def readable(newest: Tensor, length: int) -> Tensor:
    """(B, 1, 1, N) true at the positions that `newest` (B,) of each row may read."""
    return (torch.arange(length, device=newest.device) <= newest[:, None])[:, None, None]


class SelfAttention(nn.Module):
    """Multi-head softmax attention in which each position reads itself and what came before."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        """Maps of width `dim`; `heads` divides it."""
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.out, self.drop = nn.Linear(dim, dim), nn.Dropout(dropout)

    def forward(self, queries: Tensor, keys: Tensor, newest: Tensor | None = None) -> Tensor:
        """Mix what may be read.

        Args:
            queries: (B, N, D), or (B, 1, D) of the `newest` positions.
            keys: (B, N, D).
            newest: (B,) positions that ask; None: all of them do.

        Returns:
            As `queries`.
        """
        q, k, v = (
            self._heads(t) for t in (self.query(queries), *self.key_value(keys).chunk(2, -1))
        )
        if newest is None:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            mask = readable(newest, keys.shape[1])
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out: Tensor = self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, D) → (B, H, N, D/H)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def pointwise_attention(
    qkv: tuple[Tensor, Tensor, Tensor],
    position_bias: Tensor,
    time_weights: Tensor,
    buckets: Tensor | None,
    divisor: float,
) -> Tensor:
    """Σ_{j≤i} silu(qᵢ·kⱼ + bias_ij)·vⱼ / divisor: no softmax, no division by √d.

    Args:
        qkv: Queries and keys (B, H, N, K) and values (B, H, N, V).
        position_bias: (N, N), or (B, N, N), added to every head.
        time_weights: (T,) weight of each time bucket.
        buckets: (B, N, N) int64 bucket of each pair; None: no time term.
        divisor: The fixed constant N_const, the same for every length.

    Returns:
        (B, H, N, V).
    """
    kind = qkv[0].dtype
    with torch.autocast(qkv[0].device.type, enabled=False):
        parts = (*qkv, position_bias.to(kind), time_weights.to(kind), buckets, divisor)
        out: Tensor = _Pointwise.apply(*parts)  # type: ignore[no-untyped-call]
    return out


def pointwise_newest(
    qkv: tuple[Tensor, Tensor, Tensor], bias: Tensor, newest: Tensor, divisor: float
) -> Tensor:
    """The same for one query a row, the `newest` (B,): q is (B, H, 1, K), `bias` (B or 1, 1, N)."""
    q, k, v = qkv
    shares = F.silu(q @ k.transpose(2, 3) + bias[:, None]) / divisor
    return (shares * readable(newest, k.shape[2])) @ v


class _Pointwise(torch.autograd.Function):
    """Tiles of rows and queries, so that (B, H, N, N) scores are never held nor saved."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        q, k, v, position, weights, buckets, divisor = inputs
        ctx.save_for_backward(q, k, v, position, weights, buckets)
        ctx.divisor = divisor
        out: Tensor = v.new_empty(*q.shape[:3], v.shape[3])
        for at in _tiles(q):
            scores = _scores(at, q, k, position, weights, buckets)
            shares = F.silu(scores, inplace=True).mul_(_causal(at, scores, divisor))
            torch.matmul(shares, at.keys(v), out=at.queries(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, position, weights, buckets = ctx.saved_tensors
        grad = grads[0].contiguous()
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        grad_position, grad_weights = torch.zeros_like(position), torch.zeros_like(weights)
        for at in _tiles(q):
            scores = _scores(at, q, k, position, weights, buckets)
            gate, mask = torch.sigmoid(scores), _causal(at, scores, ctx.divisor)
            mine = at.queries(grad)
            at.keys(grad_v).add_((scores * gate * mask).transpose(2, 3) @ mine)
            # d silu(s) = σ(s)·(1 + s·(1 − σ(s)))
            slope = scores.mul_(1 - gate).add_(1).mul_(gate).mul_(mask)
            slope.mul_(mine @ at.keys(v).transpose(2, 3))
            torch.matmul(slope, at.keys(k), out=at.queries(grad_q))
            at.keys(grad_k).add_(slope.transpose(2, 3) @ at.queries(q))
            over_heads = slope.sum(1)
            bias = at.pairs(grad_position)
            bias.add_(over_heads.sum(0) if position.dim() == 2 else over_heads)
            if buckets is not None:
                flat = at.pairs(buckets).flatten()
                found = torch.bincount(flat, over_heads.flatten(), len(weights))
                grad_weights += found.to(weights.dtype)
        return grad_q, grad_k, grad_v, grad_position, grad_weights, None, None


class _Tile:
    """Some rows of the batch and some queries, with the keys they may read."""

    def __init__(self, rows: slice, start: int, stop: int) -> None:
        self.rows, self.start, self.stop = rows, start, stop

    def queries(self, x: Tensor) -> Tensor:
        """Part of (B, H, N, ·) that asks."""
        return x[self.rows, :, self.start : self.stop]

    def keys(self, x: Tensor) -> Tensor:
        """Part of (B, H, N, ·) that is read."""
        return x[self.rows, :, : self.stop]

    def pairs(self, x: Tensor) -> Tensor:
        """Part of (N, N) or (B, N, N)."""
        x = x if x.dim() == 2 else x[self.rows]
        part: Tensor = x[..., self.start : self.stop, : self.stop]
        return part


def _tiles(q: Tensor) -> Iterator[_Tile]:
    batch, heads, length, _ = q.shape
    for start in range(0, length, _QUERIES):
        stop = min(start + _QUERIES, length)
        rows = max(1, _SCORES // (heads * (stop - start) * stop))
        for row in range(0, batch, rows):
            yield _Tile(slice(row, row + rows), start, stop)


def _scores(
    at: _Tile, q: Tensor, k: Tensor, position: Tensor, weights: Tensor, buckets: Tensor | None
) -> Tensor:
    scores: Tensor = at.queries(q) @ at.keys(k).transpose(2, 3)
    bias = at.pairs(position)
    scores += bias if bias.dim() == 2 else bias[:, None]
    if buckets is not None:
        scores += weights[at.pairs(buckets)][:, None]
    return scores


def _causal(at: _Tile, scores: Tensor, divisor: float) -> Tensor:
    """(queries, keys) 1/divisor where a query may read a key, else 0."""
    share = scores.new_full((at.stop - at.start, at.stop), 1 / divisor)
    return share.tril_(at.start)
