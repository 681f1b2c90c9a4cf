"""Causal attention: the softmax kind of SASRec and eSASRec, the pointwise kind of HSTU.

Content stands left and padding right, so the causal mask alone keeps real positions from reading
padding. Queries may be fewer than keys: they are the newest of them, and the last query reads every
key. A view narrows that (`nn/view.py`). Sources: arXiv 1706.03762 (softmax), arXiv 2402.17152
(pointwise, backbones §3.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.nn.view import ALL, KeyValue, LayerView

_SCORES = 2**18
"""Scores of the pointwise kind that a CPU holds at once: 1 MB, which stays in the cache."""
_LARGE = 2**25
"""The same on a GPU, which takes few large products faster than many small ones: 128 MB."""
_QUERIES = 64
"""Queries of a tile; keys after its newest query are never touched."""


class SelfAttention(nn.Module):
    """Multi-head softmax attention in which each position reads itself and what came before."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        """Maps of width `dim`; `heads` divides it."""
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.out, self.drop = nn.Linear(dim, dim), nn.Dropout(dropout)

    def keys_values(self, x: Tensor, view: LayerView = ALL) -> KeyValue:
        """What (B, N, D) offer to be read, behind what stands before in the view."""
        keys, values = (self._heads(part) for part in self.key_value(x).chunk(2, -1))
        return view.behind(KeyValue(keys, values))

    def forward(self, queries: Tensor, read: KeyValue, view: LayerView = ALL) -> Tensor:
        """Mix what may be read.

        Args:
            queries: (B, n, D) of the n newest positions, or (B, 1, D) of the view's `newest`.
            read: Keys and values of C ≥ n columns, as `keys_values` gives them.
            view: Who asks, and what may be read.

        Returns:
            As `queries`.

        Raises:
            ValueError: If there are more queries than keys, or several beside `newest`.
        """
        q, (k, v) = self._heads(self.query(queries)), read
        mask = view.mask(q.shape[2], k.shape[2], k.device)
        if mask is None:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        elif view.allow is None:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=_over_heads(mask))
        else:
            # A softmax over nothing is no number: who may read nothing reads all, and forgets it.
            blind = _over_heads(~mask.any(-1, keepdim=True))
            mask = _over_heads(mask) | blind
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).masked_fill(blind, 0)
        out: Tensor = self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, D) → (B, H, N, D/H)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _over_heads(mask: Tensor) -> Tensor:
    """(n, C) or (B, n, C) → the same for every head."""
    return mask if mask.dim() == 2 else mask[:, None]


def pointwise_attention(
    qkv: tuple[Tensor, Tensor, Tensor],
    position_bias: Tensor,
    time_weights: Tensor,
    buckets: Tensor | None,
    divisor: float,
    allow: Tensor | None = None,
) -> Tensor:
    """Σ_{j≤i} silu(qᵢ·kⱼ + bias_ij)·vⱼ / divisor: no softmax, no division by √d.

    Args:
        qkv: Queries (B, H, n, K) of the n newest positions, keys (B, H, N, K), values (B, H, N, V).
        position_bias: (n, N), or (B, n, N), added to every head.
        time_weights: (T,) weight of each time bucket.
        buckets: (B, n, N) int64 bucket of each pair; None: no time term.
        divisor: The fixed constant N_const, the same for every length.
        allow: (n, N) or (B, n, N) bool, the pairs that may be read of those in order; None: all.

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
    if allow is not None and allow.shape not in (pairs, pairs[1:]):
        raise ValueError(f"allow {tuple(allow.shape)} is not of the pairs {pairs}")
    if buckets is not None and buckets.shape != pairs:
        raise ValueError(f"buckets {tuple(buckets.shape)} are not of the pairs {pairs}")
    kind = q.dtype
    with torch.autocast(q.device.type, enabled=False):
        bias = position_bias.to(kind)
        if allow is not None:
            # silu and its slope are exactly 0 so far down, so what may not be read needs no mask.
            bias = torch.where(allow, bias, torch.finfo(kind).min / 2)
        parts = (*qkv, bias, time_weights.to(kind), buckets, divisor)
        out: Tensor = _Pointwise.apply(*parts)  # type: ignore[no-untyped-call]
    return out


def pointwise_newest(
    qkv: tuple[Tensor, Tensor, Tensor], bias: Tensor, mask: Tensor, divisor: float
) -> Tensor:
    """The same for one query a row, so few that all scores can be held.

    Args:
        qkv: Queries (B, H, 1, K), keys (B, H, N, K), values (B, H, N, V).
        bias: (B or 1, 1, N) of position and time.
        mask: (B, 1, N) bool, what may be read.
        divisor: N_const.

    Returns:
        (B, H, 1, V).
    """
    q, k, v = qkv
    shares = F.silu(q @ k.transpose(2, 3) + bias[:, None]) / divisor
    return (shares * mask[:, None]) @ v


def _earlier(queries: int, keys: int) -> int:
    """Keys that stand before the first query."""
    if queries > keys:
        raise ValueError(f"{queries} queries are more than the {keys} keys they are the newest of")
    return keys - queries


class _Pointwise(torch.autograd.Function):
    """Tiles of rows and queries, so that (B, H, N, N) scores are never held nor saved.

    Each score is read several times between two products; a tile small enough to stay in the cache
    is read from there. The backward pass makes scores anew: that costs one product, and saving them
    would cost the memory of all pairs.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        q, k, v, position, weights, buckets, divisor = inputs
        ctx.save_for_backward(q, k, v, position, weights, buckets)
        ctx.divisor = divisor
        out: Tensor = v.new_empty(*q.shape[:3], v.shape[3])
        for tile in _tiles(q, k):
            scores = _scores(tile, q, k, position, weights, buckets)
            # In place and into the output, so that scores are the only large thing made.
            shares = F.silu(scores, inplace=True).mul_(_causal(tile, scores, divisor))
            torch.matmul(shares, tile.keys(v), out=tile.queries(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, position, weights, buckets = ctx.saved_tensors
        grad = grads[0].contiguous()
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        grad_position, grad_weights = torch.zeros_like(position), torch.zeros_like(weights)
        for tile in _tiles(q, k):
            scores = _scores(tile, q, k, position, weights, buckets)
            gate, mask = torch.sigmoid(scores), _causal(tile, scores, ctx.divisor)
            mine = tile.queries(grad)
            tile.keys(grad_v).add_((scores * gate * mask).transpose(2, 3) @ mine)
            # d silu(s) = σ(s)·(1 + s·(1 − σ(s)))
            slope = scores.mul_(1 - gate).add_(1).mul_(gate).mul_(mask)
            slope.mul_(mine @ tile.keys(v).transpose(2, 3))
            torch.matmul(slope, tile.keys(k), out=tile.queries(grad_q))
            tile.keys(grad_k).add_(slope.transpose(2, 3) @ tile.queries(q))
            over_heads = slope.sum(1)  # the heads share one bias
            bias = tile.pairs(grad_position)
            bias.add_(over_heads.sum(0) if position.dim() == 2 else over_heads)
            if buckets is not None:
                # A weighted count by bucket: the sum without a matrix of pairs and buckets.
                flat = tile.pairs(buckets).flatten()
                sums = torch.bincount(flat, over_heads.flatten(), len(weights))
                grad_weights += sums.to(weights.dtype)
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
        # As many rows as fit the cache; later tiles read more keys, so they hold fewer rows.
        most = _SCORES if q.device.type == "cpu" else _LARGE
        rows = max(1, most // (heads * (stop - start) * (earlier + stop)))
        for row in range(0, batch, rows):
            yield _Tile(slice(row, row + rows), start, stop, earlier)


def _scores(
    tile: _Tile, q: Tensor, k: Tensor, position: Tensor, weights: Tensor, buckets: Tensor | None
) -> Tensor:
    scores: Tensor = tile.queries(q) @ tile.keys(k).transpose(2, 3)
    bias = tile.pairs(position)
    scores += bias if bias.dim() == 2 else bias[:, None]
    if buckets is not None:
        scores += weights[tile.pairs(buckets)][:, None]
    return scores


def _causal(tile: _Tile, scores: Tensor, divisor: float) -> Tensor:
    """(queries, keys) 1/divisor where a query may read a key, else 0."""
    share = scores.new_full((tile.stop - tile.start, tile.earlier + tile.stop), 1 / divisor)
    return share.tril_(tile.earlier + tile.start)
