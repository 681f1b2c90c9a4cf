"""Rows that each belong to a group, met by what their group has, such as its matrix.

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
        """(g, m or 1, D) plus (g, m, K) times (g, K, D), into its own of sorted rows (T, D)."""
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
    """(T,) order of rows by group, the largest first; (T,) place of each row in it."""
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
        runs = Runs(groups, len(weight), *room_for(rows, 2 * rows.shape[1], weight[:1].numel()))
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


def room_for(rows: Tensor, wide: int, each: int) -> tuple[int, int]:
    """Most rows and groups of a run: rows need `wide` numbers, groups `each`."""
    chunk = CHUNK if rows.device.type == "cpu" else 32 * CHUNK
    return chunk // max(1, wide), chunk // max(1, each)
