"""Slices of histories → batches that a model can read.

Scoring reads `Contexts`: the raw past of some users, in compressed sparse rows. Training reads
`Batch`: padded rows of equal length with the next item as the target of every position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import ROW, Contexts, Int32s, Int64s, along, ranges

POSITIONS = 6400
"""Positions that a CPU takes at once: what they need stays in its cache, and freshly mapped memory,
which costs more than the arithmetic, is not asked for."""


@dataclass(frozen=True)
class Batch:
    """Rows of equal length N for one training or scoring step; content left, padding right."""

    items: Tensor = field(metadata=ROW)
    """(B, N) int64 item codes, 0 where padded."""
    valid: Tensor = field(metadata=ROW)
    """(B, N) bool, true at real positions."""
    position_ids: Tensor
    """(N,) or (B, N) int64, given, never derived from content."""
    times: Tensor | None = field(default=None, metadata=ROW)
    """(B, N) int64 seconds."""
    request_times: Tensor | None = field(default=None, metadata=ROW)
    """(B,) int64 seconds of the event after each row's newest one; None: not known."""
    targets: Tensor | None = field(default=None, metadata=ROW)
    """(B, N) int64, the next item; 0 carries no loss."""
    negatives: Tensor | None = None
    """(K,) int64 item codes shared by the batch."""
    target_count: int = 1
    """Targets in the *global* batch, by which every process divides its loss."""
    rows: Int64s | None = field(default=None, metadata=ROW)
    """(B,) numbers of the training rows, for messages."""
    users: Tensor | None = field(default=None, metadata=ROW)
    """(B,) int64 user codes; −1 for somebody the log does not know."""
    target_events: Tensor | None = field(default=None, metadata=ROW)
    """(B, N) int64 kind of each target's event; None: all of one kind."""
    columns: Tensor | None = None
    """(N,) int64 columns of a model's layout, in rising order; None: these are plain histories."""

    def to(self, device: torch.device) -> Self:
        """The same batch on another device."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def shard(self, rank: int, world: int) -> Self:
        """Rows rank, rank + world, … of whatever has an axis of rows.

        Negatives, positions common to all rows and `target_count` stay those of the whole.
        """
        rows = {name: value[rank::world] for name, value in along(self, "row")}
        if self.position_ids.dim() == 2:
            rows["position_ids"] = self.position_ids[rank::world]
        return replace(self, **rows)

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> list[Self]:
        """What process `rank` of `world` computes, in pieces whose losses add up.

        Args:
            rank: Number of the process.
            world: Number of processes.
            small: In pieces of at most `POSITIONS`, or one row, as a CPU takes them fastest.
        """
        mine = self.shard(rank, world) if world > 1 else self
        if not len(mine.items):  # models do not all take nothing: a row without a target will do
            first = self.shard(0, len(self.items))
            mine = replace(first, targets=None if first.targets is None else 0 * first.targets)
        rows = max(1, POSITIONS // mine.items.shape[1])
        count = max(1, -(-len(mine.items) // rows)) if small else 1
        return [mine.shard(piece, count) for piece in range(count)] if count > 1 else [mine]

    def upcoming(self) -> Tensor:
        """(B, N) seconds of the event after each position.

        After the newest one it is the request time; where that is not known, the newest event's
        own time stands in, as if the request had come at once.
        """
        if self.times is None:
            raise ValueError("this batch has no times")
        newest = (self.valid.sum(1, keepdim=True) - 1).clamp(min=0)
        asked = self.request_times
        following = self.times.roll(-1, 1)
        known = self.times.gather(1, newest) if asked is None else asked[:, None]
        return following.scatter(1, newest, known)


def last(contexts: Contexts, history: int) -> Batch:
    """The newest `history` events of every row, padded on the right, for scoring."""
    ends = contexts.offsets[1:]
    starts = np.maximum(contexts.offsets[:-1], ends - history)
    length = max(1, int((ends - starts).max(initial=0)))
    batch = _pad(contexts.items, contexts.times, starts, ends, length)
    if contexts.request_times is None:
        return batch
    return replace(batch, request_times=torch.from_numpy(contexts.request_times))


def _pad(items: Int32s, times: Int64s | None, starts: Int64s, ends: Int64s, length: int) -> Batch:
    valid = np.arange(length)[None, :] < (ends - starts)[:, None]
    return Batch(
        _padded(items, starts, ends, length),
        torch.from_numpy(valid),
        torch.arange(length),
        None if times is None else _padded(times, starts, ends, length),
    )


def _padded(array: npt.NDArray[np.integer], starts: Int64s, ends: Int64s, length: int) -> Tensor:
    """(B, N) int64 pieces of a flat array, padded with zeros on the right."""
    columns = np.arange(length)[None, :]
    valid = columns < (ends - starts)[:, None]
    if not len(array):
        return torch.zeros(valid.shape, dtype=torch.int64)
    positions = np.where(valid, starts[:, None] + columns, 0)
    return torch.from_numpy(np.where(valid, array[positions], 0).astype(np.int64))


@dataclass(frozen=True)
class NextItemBatches:
    """Chunks of training histories with a target at every position.

    Rows of like length share a batch (a few fixed widths, so that shapes repeat); the rows of a
    batch and its negatives depend on (seed, epoch, step) alone, so that a resumed run and every
    process of a distributed one see the same.
    """

    contexts: Contexts
    """training events, a row per user."""
    history: int = 50
    """longest row N, in events."""
    tokens: int = 6400
    """targets in a full batch; rows = tokens / width."""
    negatives: int = 0
    """shared negatives K, drawn from the items that have training events; 0 for full softmax."""
    popular: bool = False
    """draw an item as often as it was chosen, not each alike."""
    tail: bool = False
    """true: only each user's newest N+1 events; false: whole histories in chunks of N."""
    seed: int = 0

    @cached_property
    def _rows(self) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """Bounds, width and owner of every row.

        Each chunk of ≤ N+1 events overlaps the next by the one shared event.
        """
        starts, ends = self.contexts.offsets[:-1], self.contexts.offsets[1:]
        if self.tail:
            starts = np.maximum(starts, ends - self.history - 1)
        targets = np.maximum(ends - starts - 1, 0)
        pieces = -(-targets // self.history)
        owner = np.repeat(np.arange(len(starts)), pieces)
        piece = ranges(np.zeros_like(pieces), pieces)
        # Cut from the newest end, so that only a user's oldest chunk is short.
        chunk_ends = ends[owner] - piece * self.history
        chunk_starts = np.maximum(starts[owner], chunk_ends - self.history - 1)
        return chunk_starts, chunk_ends, _width(chunk_ends - chunk_starts - 1, self.history), owner

    @cached_property
    def _steps(self) -> int:
        counts = zip(*np.unique(self._rows[2], return_counts=True), strict=True)
        return sum(-(-int(rows) // self._rows_of(int(width))) for width, rows in counts)

    @cached_property
    def _pool(self) -> Int32s:
        """Item codes that negatives are drawn from, each alike."""
        return self.contexts.items if self.popular else np.unique(self.contexts.items)

    @property
    def targets(self) -> int:
        """Targets in an epoch."""
        starts, ends, *_ = self._rows
        return int((ends - starts - 1).sum())

    @property
    def padding_share(self) -> float:
        """Share of positions in an epoch that are padding."""
        return 1 - self.targets / max(1, int(self._rows[2].sum()))

    def __len__(self) -> int:
        """Steps in an epoch."""
        return self._steps

    def _rows_of(self, width: int) -> int:
        return max(1, self.tokens // width)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """Batches of epoch `number`, from step `skip` on."""
        starts, ends, widths, owners = self._rows
        rng = np.random.default_rng([self.seed, number])
        plan: list[Int64s] = []
        for width in np.unique(widths):
            rows = rng.permutation(np.flatnonzero(widths == width))
            per = self._rows_of(int(width))
            plan += [rows[i : i + per] for i in range(0, len(rows), per)]
        for step in list(rng.permutation(len(plan)))[skip:]:
            rows = plan[step]
            batch = self._batch(starts[rows], ends[rows], int(widths[rows[0]]), (number, int(step)))
            users = torch.from_numpy(self.contexts.users[owners[rows]])
            yield replace(batch, rows=rows, users=users)

    def _batch(self, starts: Int64s, ends: Int64s, width: int, key: tuple[int, int]) -> Batch:
        batch = _pad(self.contexts.items, self.contexts.times, starts, ends - 1, width)
        following = starts + 1, ends, width
        events, negatives = self.contexts.events, None
        if self.negatives:
            rng = np.random.default_rng([self.seed, *key, 1])
            drawn = rng.integers(0, len(self._pool), self.negatives)
            negatives = torch.from_numpy(self._pool[drawn].astype(np.int64))
        times = self.contexts.times
        return replace(
            batch,
            request_times=None if times is None else torch.from_numpy(times[ends - 1]),
            targets=_padded(self.contexts.items, *following),
            target_events=None if events is None else _padded(events, *following),
            negatives=negatives,
            target_count=int((ends - starts - 1).sum()),
        )


def _width(lengths: Int64s, history: int) -> Int64s:
    """Smallest of a few fixed widths (1/8, 1/4, 3/8 … of `history`) that holds each row."""
    step = max(1, -(-history // 8))
    width: Int64s = np.minimum(history, -(-np.maximum(lengths, 1) // step) * step)
    return width
