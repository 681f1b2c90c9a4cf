"""How a sequence model reads: what is wanted, what may be read, what stands before.

Scoring wants one position a row; compression keeps some positions from reading others and keeps
keys and values; caching reads keys and values that an earlier pass has left. All three are the same
forward pass under another `View`. Shapes: B rows of N positions; in front of them stand P columns
of the past, so that a position may read C = P + N columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tastemaker.data.batches import Batch


class KeyValue(NamedTuple):
    """What the positions of one layer offer to be read."""

    keys: Tensor
    """(B, H, C, K)."""
    values: Tensor
    """(B, H, C, V)."""


@dataclass(frozen=True)
class Past:
    """Keys and values that an earlier pass left, and where in time they stand.

    The axis of rows may be 1 wherever all rows of a batch share the past.
    """

    layers: tuple[KeyValue, ...]
    """of each layer, over P columns."""
    position_ids: Tensor
    """(P,) or (B, P) int64, of the same counting as those of the batch that reads them."""
    times: Tensor | None = None
    """(B, P) int64 seconds."""

    def columns(self, chosen: slice | Tensor) -> Past:
        """The same past of some columns alone: a slice of 0..P−1, or (p,) int64 of them."""
        return Past(
            tuple(KeyValue(k[:, :, chosen], v[:, :, chosen]) for k, v in self.layers),
            self.position_ids[..., chosen],
            None if self.times is None else self.times[:, chosen],
        )


class Pass(NamedTuple):
    """What a pass gives."""

    states: Tensor
    """(B, N, D), or (B, 1, D) of the `newest` positions; padded positions are zero."""
    past: Past | None
    """All that a later pass may read, P + N columns; None unless the view keeps it."""


@dataclass(frozen=True)
class LayerView:
    """The part of a view that one layer needs."""

    newest: Tensor | None = None
    """(B,) positions that ask; None: all."""
    allow: Tensor | None = None
    """(N, C) or (B, N, C) bool, as in `View`."""
    before: KeyValue | None = None
    """This layer's past."""

    def pick(self, x: Tensor) -> Tensor:
        """(B, N, ·) → (B, 1, ·) of the positions that ask; unchanged where all do."""
        return pick(x, self.newest)

    def behind(self, newest: KeyValue) -> KeyValue:
        """Keys and values of C columns: the past, and behind it this pass's `own`."""
        if self.before is None:
            return newest
        rows = len(newest.keys)
        early = (part.to(newest.keys.dtype).expand(rows, -1, -1, -1) for part in self.before)
        return KeyValue(*(torch.cat(pair, 2) for pair in zip(early, newest, strict=True)))

    def mask(self, queries: int, columns: int, device: torch.device) -> Tensor | None:
        """What each query may read.

        Args:
            queries: n, the newest positions of those that can be read; 1 beside `newest`.
            columns: C, those of the past and their own.
            device: Of the mask.

        Returns:
            (n, C) or (B, n, C) bool; None where it is torch's own causal mask, n = C.

        Raises:
            ValueError: If the shapes do not fit.
        """
        earlier = columns - queries
        if earlier < 0:
            raise ValueError(f"{queries} queries are more than the {columns} keys that they read")
        if self.newest is not None:
            if queries != 1:
                raise ValueError(f"{queries} queries a row stand beside one newest position a row")
            past = 0 if self.before is None else self.before.keys.shape[2]
            causal = torch.arange(columns, device=device) <= (self.newest + past)[:, None, None]
        elif earlier or self.allow is not None:
            # torch's own causal mask would give the first query the first key alone.
            causal = torch.ones(queries, columns, dtype=torch.bool, device=device).tril_(earlier)
        else:
            return None
        return causal if self.allow is None else causal & self._allowed(queries, columns)

    def _allowed(self, queries: int, columns: int) -> Tensor:
        """(n, C) or (B, n, C) of `allow` for those that ask."""
        assert self.allow is not None
        rows = self.allow
        if self.newest is not None:
            rows = rows[self.newest][:, None] if rows.dim() == 2 else pick(rows, self.newest)
        if rows.shape[-2:] != (queries, columns):
            shape = tuple(self.allow.shape)
            raise ValueError(f"allow {shape} is not of {queries} positions and {columns} columns")
        return rows


ALL = LayerView()
"""Every position asks, and nothing stands before."""


@dataclass(frozen=True)
class View:
    """How a model reads a batch."""

    newest: Tensor | None = None
    """(B,) positions that are wanted, so that the last layer need not compute the others; None:
    all of them."""
    allow: Tensor | None = None
    """(N, C) or (B, N, C) bool, the columns that each position may read, of those not after it: a
    view never opens the future. A position that may read none is finite. None: all of those."""
    past: Past | None = None
    """What stands before; None: nothing, C = N."""
    keep: bool = False
    """Whether keys and values are kept for a later pass; else a layer's are let go with it."""

    def layer(self, depth: int, layers: int) -> LayerView:
        """What layer `depth` of 0..layers−1 needs: those below the last compute every position."""
        before = None if self.past is None else self.past.layers[depth]
        return LayerView(self.newest if depth + 1 == layers else None, self.allow, before)

    def pick(self, x: Tensor) -> Tensor:
        """(B, N, ·) → (B, 1, ·) of the wanted positions; unchanged where all are."""
        return pick(x, self.newest)

    @property
    def plain(self) -> bool:
        """Whether nothing is special but which positions are wanted."""
        return self.allow is None and self.past is None and not self.keep

    def mask(self, batch: Batch) -> Tensor | None:
        """(N, C) or (B, N, C) of every position, for layers that are not ours; None: causal."""
        queries, columns = batch.items.shape[1], self.position_ids(batch).shape[-1]
        return LayerView(allow=self.allow).mask(queries, columns, batch.items.device)

    def position_ids(self, batch: Batch) -> Tensor:
        """(C,) or (B, C) of all columns."""
        if self.past is None:
            return batch.position_ids
        return _joined(self.past.position_ids, batch.position_ids)

    def times(self, batch: Batch) -> Tensor | None:
        """(B, C) seconds of all columns; None where some have none."""
        if self.past is None or batch.times is None:
            return batch.times
        return None if self.past.times is None else _joined(self.past.times, batch.times)

    def passed(self, states: Tensor, layers: list[KeyValue], batch: Batch) -> Pass:
        """States, and the past of a later pass where it is kept."""
        if not self.keep:
            return Pass(states, None)
        return Pass(states, Past(tuple(layers), self.position_ids(batch), self.times(batch)))


WHOLE = View()
"""Every position is wanted and reads itself and what came before."""


def through(
    layers: Iterable[Callable[..., tuple[Tensor, KeyValue]]], x: Tensor, view: View, *also: object
) -> tuple[Tensor, list[KeyValue]]:
    """One pass: (B, N, D) → (B, N or 1, D), and keys and values of every layer if they are kept.

    Args:
        layers: Each takes x, its `LayerView` and `also`, and returns what it makes of x beside the
            keys and values it read.
        x: (B, N, D) what the first layer reads.
        view: How.
        also: What every layer needs besides.

    Raises:
        ValueError: If the past is that of another number of layers.
    """
    layers, past = list(layers), []
    if view.past is not None and len(view.past.layers) != len(layers):
        raise ValueError(f"a past of {len(view.past.layers)} layers before {len(layers)} layers")
    for depth, layer in enumerate(layers):
        x, read = layer(x, view.layer(depth, len(layers)), *also)
        if view.keep:
            past.append(read)
    return x, past


def pick(x: Tensor, newest: Tensor | None) -> Tensor:
    """(B, N, ·) → (B, 1, ·) at position `newest` (B,) of each row; unchanged without it."""
    return x if newest is None else x[torch.arange(len(x), device=x.device), newest][:, None]


def _joined(early: Tensor, late: Tensor) -> Tensor:
    """(P,) or (B, P) and (N,) or (B, N) → (C,) or (B, C); one row stands for all."""
    if early.dim() == late.dim() == 1:
        return torch.cat([early, late])
    rows = max(len(part) if part.dim() == 2 else 1 for part in (early, late))
    return torch.cat([part.expand(rows, -1) for part in (early, late)], 1)
