"""Causal attention: the softmax kind of SASRec and eSASRec, the pointwise kind of HSTU.

Content stands left and padding right, so the causal mask alone keeps real positions from reading
padding. Queries may be fewer than keys: they are the newest of them, and the last query reads every
key. Sources: arXiv 1706.03762 (softmax), arXiv 2402.17152 (pointwise, backbones §3.4).
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
            queries: (B, n, D) of the n newest positions, or (B, 1, D) of the `newest` ones.
            keys: (B, N, D), N ≥ n.
            newest: (B,) positions that ask; None: the n newest, which are all where n = N.

        Returns:
            As `queries`.

        Raises:
            ValueError: If there are more queries than keys, or several beside `newest`.
        """
        earlier = _earlier(queries.shape[1], keys.shape[1])
        q, k, v = (
            self._heads(t) for t in (self.query(queries), *self.key_value(keys).chunk(2, -1))
        )
        if newest is not None:
            _one_query(q)
            mask = readable(newest, keys.shape[1])
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        elif earlier:
            # torch's own causal mask gives the first query the first key.
            mask = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask.tril_(earlier))
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
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
        qkv: Queries (B, H, n, K) of the n newest positions, keys (B, H, N, K), values (B, H, N, V).
        position_bias: (n, N), or (B, n, N), added to every head.
        time_weights: (T,) weight of each time bucket.
        buckets: (B, n, N) int64 bucket of each pair; None: no time term.
        divisor: The fixed constant N_const, the same for every length.

    Returns:
        (B, H, n, V).

    Raises:
        ValueError: If the shapes do not fit, as with more queries than keys.
    """
    q, k, _ = qkv
    _earlier(q.shape[2], k.shape[2])
    pairs = (len(q), q.shape[2], k.shape[2])
    if position_bias.shape not in (pairs, pairs[1:]):
        raise ValueError(f"position_bias {tuple(position_bias.shape)} is not of the pairs {pairs}")
    if buckets is not None and buckets.shape != pairs:
        raise ValueError(f"buckets {tuple(buckets.shape)} are not of the pairs {pairs}")
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
    _one_query(q)
    shares = F.silu(q @ k.transpose(2, 3) + bias[:, None]) / divisor
    return (shares * readable(newest, k.shape[2])) @ v


def _earlier(queries: int, keys: int) -> int:
    """Keys that stand before the first query."""
    if queries > keys:
        raise ValueError(f"{queries} queries are more than the {keys} keys they are the newest of")
    return keys - queries


def _one_query(q: Tensor) -> None:
    if q.shape[2] != 1:
        raise ValueError(f"{q.shape[2]} queries a row stand beside one newest position a row")


class _Pointwise(torch.autograd.Function):
    """Tiles of rows and queries, so that (B, H, N, N) scores are never held nor saved."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        q, k, v, position, weights, buckets, divisor = inputs
        ctx.save_for_backward(q, k, v, position, weights, buckets)
        ctx.divisor = divisor
        out: Tensor = v.new_empty(*q.shape[:3], v.shape[3])
        for at in _tiles(q, k):
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
        for at in _tiles(q, k):
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

    def __init__(self, rows: slice, start: int, stop: int, earlier: int) -> None:
        self.rows, self.start, self.stop, self.earlier = rows, start, stop, earlier

    def queries(self, x: Tensor) -> Tensor:
        """Part of (B, H, n, ·) that asks."""
        return x[self.rows, :, self.start : self.stop]

    def keys(self, x: Tensor) -> Tensor:
        """Part of (B, H, N, ·) that is read."""
        return x[self.rows, :, : self.earlier + self.stop]

    def pairs(self, x: Tensor) -> Tensor:
        """Part of (n, N) or (B, n, N)."""
        x = x if x.dim() == 2 else x[self.rows]
        part: Tensor = x[..., self.start : self.stop, : self.earlier + self.stop]
        return part


def _tiles(q: Tensor, k: Tensor) -> Iterator[_Tile]:
    batch, heads, length, _ = q.shape
    earlier = k.shape[2] - length
    for start in range(0, length, _QUERIES):
        stop = min(start + _QUERIES, length)
        rows = max(1, _SCORES // (heads * (stop - start) * (earlier + stop)))
        for row in range(0, batch, rows):
            yield _Tile(slice(row, row + rows), start, stop, earlier)


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
    share = scores.new_full((at.stop - at.start, at.earlier + at.stop), 1 / divisor)
    return share.tril_(at.earlier + at.start)
