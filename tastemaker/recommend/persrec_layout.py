"""How a history with memory tokens is laid out: what stands where, what may read what.

One part:      [i_1 … i_P, t_1 … t_k, i_{P+1} … i_{P+R}]
Several parts: [part 1, T_1, part 2, T_2, …, part m, T_m, recent]

Old items are padded on the left, so that a part always ends where its tokens begin; recent items on
the right. A column keeps its number whatever is padded (spec PerSRec §3.1). Items of a part can be
read by the part and by its tokens alone; everything newer reads the tokens (§3.2):

    allow[r, c] = c ≤ r and valid[c] and not (c is an item of a part before that of r)

Targets are items, never tokens; the last tokens of a part learn what comes after it (§3.3).
Source: arXiv 2601.03479.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from tastemaker.data.batches import Batch


@dataclass(frozen=True)
class Layout:
    """N = P + k + R columns."""

    old: int
    """P, the items before the newest R, in all parts together"""
    recent: int
    """R"""
    tokens: int
    """k, of all parts together"""
    parts: int = 1
    """m, parts of the old items, each with tokens of its own"""

    @property
    def length(self) -> int:
        """N."""
        return self.old + self.tokens + self.recent

    @cached_property
    def slots(self) -> Tensor:
        """(P+R,) column of each item, the oldest first."""
        return (~self.is_token).nonzero()[:, 0]

    @cached_property
    def part_of(self) -> Tensor:
        """(N,) part of each column, 0..m−1; m of the recent ones."""
        each = self.old // self.parts + self.tokens // self.parts
        early = torch.arange(self.parts).repeat_interleave(each)
        return torch.cat([early, torch.full((self.recent,), self.parts)])

    @cached_property
    def is_token(self) -> Tensor:
        """(N,) bool."""
        items, tokens = self.old // self.parts, self.tokens // self.parts
        part = torch.cat([torch.zeros(items), torch.ones(tokens)])
        return torch.cat([part.repeat(self.parts), torch.zeros(self.recent)]) > 0

    @cached_property
    def blocked(self) -> Tensor:
        """(N, N) bool: column c is an item of a part before that of row r."""
        return ~self.is_token & (self.part_of[None, :] < self.part_of[:, None])

    @cached_property
    def closing(self) -> Tensor:
        """(m,) column of the last token of each part; none without tokens or without old items."""
        ends = (1 + torch.arange(self.parts)) * ((self.old + self.tokens) // self.parts) - 1
        return ends if self.old and self.tokens else ends[:0]


def columns_of(batch: Batch) -> Tensor:
    """(n,) which columns of a layout a batch has.

    Raises:
        ValueError: If it is not laid out.
    """
    if batch.columns is None:
        raise ValueError("this batch is not laid out")
    return batch.columns


def laid_out(batch: Batch, layout: Layout, recent: Tensor, closing: bool = True) -> Batch:
    """Rows of items → rows of columns; some at either end are left out where no row fills them.

    Args:
        batch: B rows, content left and padding right, of at most P + R items.
        layout: Where they stand.
        recent: (B,) how many of each row's newest items are recent, at most R; the others are old,
            at most P.
        closing: Whether the last tokens of a part learn what comes after it.

    Raises:
        ValueError: If a row does not fit.
    """
    counts = batch.valid.sum(1)
    old = counts - recent
    if len(counts) and (int(recent.max()) > layout.recent or int(old.max()) > layout.old):
        raise ValueError(f"a row has more than {layout.old} old or {layout.recent} recent items")
    device = batch.items.device
    slots, ends = layout.slots.to(device), layout.closing.to(device)
    source = torch.arange(layout.old + layout.recent, device=device) - (layout.old - old)[:, None]
    here = (source >= 0) & (source < counts[:, None])
    source = source.clamp(0, batch.items.shape[1] - 1)
    last = (layout.part_of.to(device)[ends] + 1) * (layout.old // layout.parts) - 1

    def placed(values: Tensor, tokens: Tensor | None = None) -> Tensor:
        """(B, N) of (B, n) values by row; at the tokens 0, or (B, m) at the last of a part."""
        whole = values.new_zeros(len(values), layout.length)
        whole[:, slots] = torch.where(here, values.gather(1, source), 0)
        if tokens is not None:
            whole[:, ends] = tokens
        return whole

    def at_ends(values: Tensor) -> Tensor:
        """(B, m) of the newest item of each part; 0 where the part is empty."""
        return torch.where(here[:, last], values.gather(1, source[:, last]), 0)

    valid = placed(batch.valid.long()).bool() | layout.is_token.to(device)
    first = int(valid.any(0).long().argmax()) if len(valid) else 0
    stop = layout.length - layout.recent + (int(recent.max()) if len(recent) else 0)
    columns = torch.arange(first, stop, device=device)

    def cut(whole: Tensor) -> Tensor:
        return whole[:, first:stop].contiguous()

    made = replace(
        batch,
        items=cut(placed(batch.items)),
        valid=cut(valid),
        position_ids=columns,
        columns=columns,
    )
    if batch.times is not None:
        made = replace(made, times=cut(_times(placed(batch.times), here, layout)))
    if batch.targets is not None:
        learnt = at_ends(batch.targets) if closing else None
        made = replace(made, targets=cut(placed(batch.targets, learnt)))
    if batch.target_events is not None:
        kinds = placed(batch.target_events, at_ends(batch.target_events))
        made = replace(made, target_events=cut(kinds))
    return made


def _times(times: Tensor, here: Tensor, layout: Layout) -> Tensor:
    """(B, N) with the end of its part at each token; 0, long ago, where the part is empty.

    Nothing newer may decide it, since the tokens are kept.
    """
    if not (layout.old and layout.tokens):
        return times
    device, each = times.device, layout.old // layout.parts
    known, whole = layout.is_token.to(device), times.clone()
    last = (layout.part_of.to(device)[known] + 1) * each - 1
    whole[:, known] = torch.where(here[:, last], times[:, layout.slots.to(device)[last]], 0)
    return whole


def allowed(batch: Batch, layout: Layout) -> Tensor:
    """(B, n, n) bool columns that each column may read, of those not after it."""
    columns = columns_of(batch)
    blocked = layout.blocked.to(columns.device)[columns][:, columns]
    return batch.valid[:, None, :] & ~blocked


def with_tokens(vectors: Tensor, tokens: Tensor, batch: Batch, layout: Layout) -> Tensor:
    """(B, n, D) vectors of items with those of the (k, D) tokens in their columns."""
    columns = columns_of(batch)
    if not len(tokens):
        return vectors
    here = layout.is_token.to(columns.device)
    place = (here.cumsum(0) - 1)[columns].clamp(min=0)
    return torch.where(here[columns, None], tokens[place].to(vectors.dtype), vectors)


def split_rows(batch: Batch, recent: int) -> tuple[Batch, Batch]:
    """Old and recent items of rows with content left: all but the newest `recent`, and those."""
    counts = batch.valid.sum(1)
    new = counts.clamp(max=recent)
    old = counts - new
    return _piece(batch, torch.zeros_like(old), old), _piece(batch, old, new)


def _piece(batch: Batch, start: Tensor, count: Tensor) -> Batch:
    """Items start..start+count−1 of every row, content left."""
    width = max(1, int(count.max()) if len(count) else 1)
    column = torch.arange(width, device=count.device)
    valid = column < count[:, None]
    source = (start[:, None] + column).clamp(max=batch.items.shape[1] - 1)

    def taken(values: Tensor) -> Tensor:
        return torch.where(valid, values.gather(1, source), 0)

    times = None if batch.times is None else taken(batch.times)
    return replace(batch, items=taken(batch.items), valid=valid, position_ids=column,
                               times=times, targets=None, target_events=None)  # fmt: skip
