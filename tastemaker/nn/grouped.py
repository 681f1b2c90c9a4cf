"""Rows that each belong to a group, met by what their group has: its matrix, or its negatives.

A loop over groups pays for each of them, and padding all to the largest pays in arithmetic. Here
groups of like size are taken together, in one product each, and a large group in pieces; a run of
them is as large as a processor's cache, so that memory does not grow with rows times negatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.nn.losses import CHUNK

ALIKE = 0.75
"""Groups are taken together if none has fewer than this share of the rows of the largest."""
LONE = 256
"""Groups of so many rows stand alone: padding others would cost more than a product of its own."""
_LEAST = 1e-30


@dataclass(frozen=True)
class Run:
    """g groups of at most m rows each; those with fewer are padded with rows of their own."""

    first: int
    """its first row, of those sorted by run"""
    after: int
    """the first row after it"""
    groups: Tensor
    """(g,) int64"""
    rows: Tensor | None
    """(g·m,) int64 row of each place, of those sorted; None: g = 1, and they are first to after"""
    places: Tensor | None
    """(after − first,) int64 place of each row among g·m"""

    def take(self, rows: Tensor) -> Tensor:
        """Of sorted rows (T, …) its own, (g, m, …)."""
        if self.rows is None:
            return rows[None, self.first : self.after]
        own = rows.index_select(0, self.rows)
        return own.view(len(self.groups), -1, *rows.shape[1:])

    def take_once(self, rows: Tensor) -> Tensor:
        """The same with zeros for padding."""
        own = self.take(rows)
        if self.places is None:
            return own
        real = rows.new_zeros(own.shape[0] * own.shape[1])
        return own * real.index_fill_(0, self.places, 1).view(*own.shape[:2], 1)

    def product(self, plus: Tensor, left: Tensor, right: Tensor, into: Tensor) -> None:
        """Sum of (g, m or 1, D) and (g, m, K) times (g, K, D), into its own of sorted rows (T, D)."""
        own = into[self.first : self.after]
        if self.places is None:
            torch.addmm(plus[0], left[0], right[0], out=own)
        else:
            tiles = torch.baddbmm(plus, left, right)
            torch.index_select(tiles.flatten(0, 1), 0, self.places, out=own)


class Runs:
    """Rows in runs of groups of like size."""

    def __init__(self, groups: Tensor, count: int, rows: int, together: int) -> None:
        """Plan the runs.

        Args:
            groups: (T,) int64 group of each row. Rows of a group that lie together, as `by_group`
                puts them, need no more sorting.
            count: Number of groups G.
            rows: Most rows of a run, with padding.
            together: Most groups of a run.
        """
        self._rows, self._together = max(1, rows), max(1, together)
        self.order: Tensor | None = None
        """(T,) the rows as they are sorted; None: as they are"""
        self._back: Tensor | None = None
        met, lengths = torch.unique_consecutive(groups, return_counts=True)
        if len(met) > count or bool((torch.bincount(met, minlength=count) > 1).any()):
            self.order, self._back = by_group(groups, count)
            sorted_groups = groups.index_select(0, self.order)
            met, lengths = torch.unique_consecutive(sorted_groups, return_counts=True)
        self._groups, self._sizes = met, lengths.cpu().numpy()

    def sort(self, rows: Tensor) -> Tensor:
        """Rows (T, …) as they are sorted."""
        return rows if self.order is None else rows.index_select(0, self.order)

    def back(self, rows: Tensor) -> Tensor:
        """Sorted rows (T, …) as they were."""
        return rows if self._back is None else rows.index_select(0, self._back)

    def places(self, rows: Tensor) -> Tensor:
        """(R,) numbers of rows → their numbers among those sorted."""
        return rows if self._back is None else self._back.index_select(0, rows)

    def __iter__(self) -> Iterator[Run]:
        """Runs that hold each row once; groups without a row are in none."""
        sizes, starts = self._sizes, self._sizes.cumsum() - self._sizes
        group = 0
        while group < len(sizes):
            wide, first = int(sizes[group]), int(starts[group])
            near = sizes[group : group + min(self._together, self._rows // wide)]
            unlike = np.flatnonzero((near > wide) | (near < ALIKE * wide))
            count = int(unlike[0]) if len(unlike) else len(near)
            if count > 1 and wide < LONE:
                yield self._several(group, group + count, wide, first)
                group += count
                continue
            pieces = -(-wide // self._rows)
            own = self._groups[group : group + 1]
            for piece in np.array_split(np.arange(first, first + wide), pieces):
                yield Run(int(piece[0]), int(piece[-1]) + 1, own, None, None)
            group += 1

    def _several(self, group: int, after: int, wide: int, first: int) -> Run:
        sizes = self._sizes[group:after]
        starts, groups = sizes.cumsum() - sizes, self._groups[group:after]
        within = np.minimum(np.arange(wide), sizes[:, None] - 1)
        rows = torch.from_numpy((first + starts[:, None] + within).flatten())
        shifts = np.repeat(np.arange(len(sizes)) * wide - starts, sizes)
        places = torch.from_numpy(shifts + np.arange(len(shifts)))
        after_it, device = first + len(shifts), groups.device
        return Run(first, after_it, groups, rows.to(device), places.to(device))


def by_group(groups: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(T,) order that puts rows of a group together, the largest first; (T,) place of each in it."""
    by_size = torch.bincount(groups, minlength=count).argsort(descending=True, stable=True)
    ranks = places_in(by_size)
    order = ranks.index_select(0, groups).argsort(stable=True)
    return order, places_in(order)


def places_in(order: Tensor) -> Tensor:
    """(T,) where each number stands in an order of all of them."""
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order), device=order.device)
    return places


class GroupedBlocks(torch.autograd.Function):
    """x + silu(W_g·x + b_g) of rows x, each with the matrix of its group."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """(T, D) rows, (T,) groups, (G, D, D) weights, (G, D) biases → (T, D)."""
        rows, groups, weight, bias = inputs
        runs = Runs(groups, len(weight), *_room(rows, 2 * rows.shape[1], weight[:1].numel()))
        rows, inner = runs.sort(rows), torch.empty_like(rows)
        for run in runs:
            weights = weight.index_select(0, run.groups).mT
            run.product(bias[run.groups][:, None], run.take(rows), weights, inner)
        ctx.save_for_backward(rows, inner, weight)
        ctx.runs = runs
        return runs.back(F.silu(inner).add_(rows))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of rows, weights and biases."""
        rows, inner, weight = ctx.saved_tensors
        grad = ctx.runs.sort(grads[0])
        outer, grad_rows = torch.ops.aten.silu_backward(grad, inner), torch.empty_like(grad)
        grad_weight, grad_bias = torch.zeros_like(weight), weight.new_zeros(weight.shape[:2])
        for run in ctx.runs:
            own = run.take_once(outer)
            run.product(run.take(grad), own, weight.index_select(0, run.groups), grad_rows)
            grad_weight.index_add_(0, run.groups, own.mT @ run.take(rows))
            grad_bias.index_add_(0, run.groups, own.sum(1))
        return ctx.runs.back(grad_rows), None, grad_weight, grad_bias


class GroupedSoftmax(torch.autograd.Function):
    """Softmax cross-entropy of targets against the negatives of a group, many targets a row.

    The gradient is made in the forward pass, run by run, as `nn/losses.py` does. A row's scores
    are made once for all its targets: what a target must not compete with, itself, is subtracted
    from the row's sum.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """(T, D) states, (n, D) table, (T,) groups, rivals, and (R,) pairs → sum of the losses."""
        states, table, groups, rivals, pairs = inputs
        total = states.new_zeros(())
        wide = rivals.columns.shape[1]
        runs = Runs(groups, len(rivals.columns), *_room(states, wide, wide * states.shape[1]))
        sorted_states = runs.sort(states)
        grad_states, grad_table = torch.empty_like(sorted_states), torch.zeros_like(table)
        listed, pairs = list(runs), pairs.sorted(runs)
        room, none = Room(states), states.new_zeros(1, 1, 1)
        for run, own in zip(listed, pairs.parts(listed), strict=True):
            columns, times = rivals.of(run.groups)
            part = run.take(sorted_states)
            found = room.like("found", (*columns.shape, part.shape[2]))
            torch.index_select(table, 0, columns.flatten(), out=found.flatten(0, 1))
            scores = room.like("scores", (*part.shape[:2], columns.shape[1]))
            torch.bmm(part, found.mT, out=scores)
            highest = scores.amax(2, keepdim=True)
            weights = scores.sub_(highest).exp_()  # each rival once; `times` counts it as drawn
            norm = torch.bmm(weights, times[..., None]).flatten()
            rows = torch.arange(len(norm), device=norm.device) if run.places is None else run.places
            places = rows.index_select(0, own.rows)
            asked = part.flatten(0, 1).index_select(0, places)
            wanted = table.index_select(0, own.targets)
            positive = torch.linalg.vecdot(asked, wanted)
            met = weights.flatten(0, 1)[places, own.columns].mul_(own.times)
            others = (norm[places] - met).clamp_(min=_LEAST)
            margin = highest.flatten()[places] + others.log() - positive
            total -= torch.dot(F.logsigmoid(-margin), own.weights)
            pull = torch.sigmoid(margin).mul_(own.weights)
            each = pull / others
            push = torch.addcmul(pull, each, met).neg_()[:, None]  # met: the target's own vector
            each = norm.new_zeros(run.after - run.first).index_add_(0, own.rows, each)
            run.product(none, weights, found * times[..., None], grad_states)
            gradient = grad_states[run.first : run.after]
            gradient.mul_(each[:, None]).index_add_(0, own.rows, wanted.mul_(push))
            spread = torch.zeros_like(norm).index_copy_(0, rows, each).view(*part.shape[:2], 1)
            torch.bmm(weights.mT, part * spread, out=found).mul_(times[..., None])
            grad_table.index_add_(0, columns.flatten(), found.flatten(0, 1))
            grad_table.index_add_(0, own.targets, asked.mul_(push))
        ctx.save_for_backward(runs.back(grad_states), grad_table)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of states and table."""
        states, table = (saved * grads[0] for saved in ctx.saved_tensors)
        return states, table, None, None, None


class Room:
    """Memory that the parts of a loop use again: fresh memory costs more than the arithmetic."""

    def __init__(self, like: Tensor) -> None:
        """Take none yet; it will be of the kind of `like`."""
        self._like, self._held = like, dict[str, Tensor]()

    def like(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """What was last held under a name, as a tensor of a shape, with any content."""
        size = torch.Size(shape).numel()
        if name not in self._held or len(self._held[name]) < size:
            self._held[name] = self._like.new_empty(size)
        return self._held[name][:size].view(shape)


@dataclass(frozen=True)
class Pairs:
    """R targets, each of one of the rows."""

    rows: Tensor
    """(R,) int64 row"""
    targets: Tensor
    """(R,) int64 row of the table"""
    columns: Tensor
    """(R,) int64 column of the target among the rivals of its row's group; 0 where it is none"""
    times: Tensor
    """(R,) how often it was drawn there"""
    weights: Tensor
    """(R,)"""

    def sorted(self, runs: Runs) -> Pairs:
        """The same in the order of the rows as they are sorted."""
        rows, order = runs.places(self.rows).sort(stable=True)
        rest = (self.targets, self.columns, self.times, self.weights)
        return Pairs(rows, *(values[order] for values in rest))

    def parts(self, runs: list[Run]) -> Iterator[Pairs]:
        """Those of each run, whose rows are counted from its first."""
        ends = torch.tensor([run.after for run in runs], device=self.rows.device)
        start = 0
        for run, end in zip(runs, torch.searchsorted(self.rows, ends).tolist(), strict=True):
            own = slice(start, end)
            rest = (self.targets, self.columns, self.times, self.weights)
            yield Pairs(self.rows[own] - run.first, *(values[own] for values in rest))
            start = end


@dataclass(frozen=True)
class Rivals:
    """Negatives of C groups, each once, with how often it was drawn."""

    columns: Tensor
    """(C, K) int64 rows of the table in rising order, then the first again"""
    times: Tensor
    """(C, K) how often each was drawn, 0 after the last"""
    most: list[int]
    """(C,) how many there are"""
    keys: Tensor
    """(C·K,) rising: group·n + row, repeated as drawn"""
    places: Tensor
    """(C·K,) the column of each key"""
    n: int

    @classmethod
    def drawn(cls, negatives: Tensor, table: Tensor) -> Rivals:
        """Of negatives (C, K) that are rows of a table (n, D)."""
        rows = negatives.sort(1).values
        fresh = torch.ones_like(rows, dtype=torch.bool)
        torch.ne(rows[:, 1:], rows[:, :-1], out=fresh[:, 1:])
        place = fresh.cumsum(1) - 1
        columns = rows[:, :1].repeat(1, rows.shape[1]).scatter_(1, place, rows)
        times = table.new_zeros(rows.shape).scatter_add_(1, place, table.new_ones(rows.shape))
        groups = torch.arange(len(rows), device=rows.device)[:, None]
        keys = (groups * len(table) + rows).flatten()
        most = (place[:, -1] + 1).tolist()
        return cls(columns, times, most, keys, place.flatten(), len(table))

    def of(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """(g, k) rows and times of some groups, as many as the largest of them has."""
        most = max(self.most[group] for group in groups.tolist())
        return self.columns[groups, :most], self.times[groups, :most]

    def met(self, groups: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(R,) column of each target in its group, and how often it was drawn; 0, 0: it was not."""
        wanted = groups * self.n + targets
        key = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
        drawn = self.keys[key] == wanted
        columns = torch.where(drawn, self.places[key], 0)
        return columns, torch.where(drawn, self.times[groups, columns], 0)


def _room(rows: Tensor, wide: int, each: int) -> tuple[int, int]:
    """Most rows and groups of a run: rows need `wide` numbers, groups `each`."""
    chunk = CHUNK if rows.device.type == "cpu" else 32 * CHUNK
    return chunk // max(1, wide), chunk // max(1, each)
