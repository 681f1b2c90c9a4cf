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
_LEAST = 1e-30


@dataclass(frozen=True)
class Run:
    """g groups of at most m rows each; those with fewer are padded with rows of others."""

    first: int
    """its first row, of those sorted by run"""
    after: int
    """the first row after it"""
    groups: Tensor
    """(g,) int64"""
    slots: Tensor | None
    """(after − first,) int64 place of each row among g·m; None: g = 1, and they are the rows"""
    wide: int
    """m"""

    def take(self, rows: Tensor) -> Tensor:
        """Of sorted rows (T, …) its own, (g, m, …), zero where padded."""
        own = rows[self.first : self.after]
        if self.slots is None:
            return own[None]
        whole = own.new_zeros(len(self.groups) * self.wide, *rows.shape[1:])
        return whole.index_copy_(0, self.slots, own).view(-1, self.wide, *rows.shape[1:])

    def give(self, tiles: Tensor) -> Tensor:
        """(g, m, …) → (after − first, …), its own rows without the padding."""
        flat = tiles.flatten(0, 1)
        return flat if self.slots is None else flat[self.slots]


class Runs:
    """Rows in runs of groups of like size."""

    def __init__(self, groups: Tensor, count: int, rows: int, together: int) -> None:
        """Plan the runs.

        Args:
            groups: (T,) int64 group of each row.
            count: Number of groups G.
            rows: Most rows of a run, with padding.
            together: Most groups of a run.
        """
        sizes = torch.bincount(groups, minlength=count)
        by_size = sizes.argsort(descending=True, stable=True)
        rank = torch.empty_like(by_size)
        rank[by_size] = torch.arange(count, device=groups.device)
        self.order = rank[groups].argsort(stable=True)
        """(T,) the rows as they are sorted"""
        self._groups, self._sizes = by_size, sizes[by_size].cpu().numpy()
        self._rows, self._together = max(1, rows), max(1, together)

    def __iter__(self) -> Iterator[Run]:
        """Runs that hold each row once; groups without a row are in none."""
        sizes, starts = self._sizes, self._sizes.cumsum() - self._sizes
        group, present = 0, int((sizes > 0).sum())
        while group < present:
            wide, first = int(sizes[group]), int(starts[group])
            alike = int(np.searchsorted(-sizes, -ALIKE * wide, side="right")) - group
            count = min(self._together, self._rows // wide, alike)
            if count > 1:
                yield self._several(group, group + count, wide, first)
                group += count
                continue
            pieces = -(-wide // self._rows)
            own = self._groups[group : group + 1]
            for piece in np.array_split(np.arange(first, first + wide), pieces):
                yield Run(int(piece[0]), int(piece[-1]) + 1, own, None, len(piece))
            group += 1

    def _several(self, group: int, after: int, wide: int, first: int) -> Run:
        sizes = self._sizes[group:after]
        starts = sizes.cumsum() - sizes
        shifts = np.repeat(np.arange(len(sizes)) * wide - starts, sizes)
        slots = torch.from_numpy(shifts + np.arange(len(shifts)))
        groups = self._groups[group:after]
        return Run(first, first + len(shifts), groups, slots.to(groups.device), wide)


class GroupedBlocks(torch.autograd.Function):
    """silu(W_g·x + b_g) of rows x, each with the matrix of its group."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """(T, D) rows, (T,) groups, (G, D, D) weights, (G, D) biases → (T, D)."""
        rows, groups, weight, bias = inputs
        runs = Runs(groups, len(weight), *_room(rows, 2 * rows.shape[1], weight[:1].numel()))
        sorted_rows = rows[runs.order]
        inner = torch.empty_like(sorted_rows)
        for run in runs:
            own = bias[run.groups][:, None]
            product = torch.baddbmm(own, run.take(sorted_rows), weight[run.groups].mT)
            inner[run.first : run.after] = run.give(product)
        ctx.save_for_backward(sorted_rows, inner, weight)
        ctx.runs = runs
        return torch.empty_like(rows).index_copy_(0, runs.order, F.silu(inner))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of rows, weights and biases."""
        sorted_rows, inner, weight = ctx.saved_tensors
        outer = torch.ops.aten.silu_backward(grads[0][ctx.runs.order], inner)
        grad_weight, grad_bias = torch.zeros_like(weight), weight.new_zeros(weight.shape[:2])
        grad_rows = torch.empty_like(outer)
        for run in ctx.runs:
            own = run.take(outer)
            grad_rows[run.first : run.after] = run.give(own @ weight[run.groups])
            grad_weight.index_add_(0, run.groups, own.mT @ run.take(sorted_rows))
            grad_bias.index_add_(0, run.groups, own.sum(1))
        back = torch.empty_like(grad_rows).index_copy_(0, ctx.runs.order, grad_rows)
        return back, None, grad_weight, grad_bias


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
        sorted_states = states[runs.order]
        grad_states, grad_table = torch.empty_like(sorted_states), torch.zeros_like(table)
        pairs = pairs.sorted(runs.order)
        for run, own in zip(runs, pairs.parts(list(runs)), strict=True):
            columns, bias = rivals.of(run.groups)
            part, found = run.take(sorted_states), F.embedding(columns, table)
            scores = torch.baddbmm(bias[:, None], part, found.mT)
            highest = scores.amax(2, keepdim=True)
            weights = scores.sub_(highest).exp_()
            norm = weights.sum(2).flatten()
            places = own.rows if run.slots is None else run.slots[own.rows]
            asked, wanted = part.flatten(0, 1)[places], F.embedding(own.targets, table)
            positive = torch.linalg.vecdot(asked, wanted)
            met = weights.flatten(0, 1)[places, own.columns.clamp(min=0)]
            met = torch.where(own.columns >= 0, met, 0)
            others = (norm[places] - met).clamp_(min=_LEAST)
            margin = highest.flatten()[places] + others.log() - positive
            total -= (F.logsigmoid(-margin) * own.weights).sum()
            pull = torch.sigmoid(margin) * own.weights
            each = pull / others
            push = -(pull + each * met)[:, None]  # a rival that is the target has its vector
            each = torch.zeros_like(norm).index_add_(0, places, each)
            each = each.view(len(columns), -1, 1)
            gradient = (weights @ found) * each
            gradient.view(-1, gradient.shape[2]).index_add_(0, places, push * wanted)
            grad_states[run.first : run.after] = run.give(gradient)
            grad_rivals = (weights.mT @ (part * each)).flatten(0, 1)
            grad_table.index_add_(0, columns.flatten(), grad_rivals)
            grad_table.index_add_(0, own.targets, push * asked)
        back = torch.empty_like(states).index_copy_(0, runs.order, grad_states)
        ctx.save_for_backward(back, grad_table)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of states and table."""
        states, table = (saved * grads[0] for saved in ctx.saved_tensors)
        return states, table, None, None, None


@dataclass(frozen=True)
class Pairs:
    """R targets, each of one of the rows."""

    rows: Tensor
    """(R,) int64 row"""
    targets: Tensor
    """(R,) int64 row of the table"""
    columns: Tensor
    """(R,) int64 column of the target among the rivals of its row's group; −1: it is none"""
    weights: Tensor
    """(R,)"""

    def sorted(self, order: Tensor) -> Pairs:
        """The same for rows (T,) in another order, and in that order."""
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        rows, by_row = place[self.rows].sort(stable=True)
        return Pairs(rows, self.targets[by_row], self.columns[by_row], self.weights[by_row])

    def parts(self, runs: list[Run]) -> Iterator[Pairs]:
        """Those of each run, whose rows are counted from its first."""
        ends = torch.tensor([run.after for run in runs], device=self.rows.device)
        start = 0
        for run, end in zip(runs, torch.searchsorted(self.rows, ends).tolist(), strict=True):
            own = slice(start, end)
            rows = self.rows[own] - run.first
            yield Pairs(rows, self.targets[own], self.columns[own], self.weights[own])
            start = end


@dataclass(frozen=True)
class Rivals:
    """Negatives of C groups, each once, with how often it was drawn."""

    columns: Tensor
    """(C, K) int64 rows of the table in rising order; 0 after the last"""
    bias: Tensor
    """(C, K) log of how often; −inf after the last"""
    counts: Tensor
    """(C,) int64 how many, on the CPU"""
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
        columns = torch.zeros_like(rows).scatter_(1, place, rows)
        times = table.new_zeros(rows.shape).scatter_add_(1, place, table.new_ones(rows.shape))
        counts = place[:, -1].cpu() + 1
        groups = torch.arange(len(rows), device=rows.device)[:, None]
        keys = (groups * len(table) + rows).flatten()
        return cls(columns, times.log(), counts, keys, place.flatten(), len(table))

    def of(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """(g, k) rows and biases of some groups, as many as the largest of them has."""
        most = int(self.counts[groups.cpu()].max())
        return self.columns[groups, :most], self.bias[groups, :most]

    def column(self, groups: Tensor, targets: Tensor) -> Tensor:
        """(R,) column of each target in its group; −1 where it is none."""
        wanted = groups * self.n + targets
        key = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
        return torch.where(self.keys[key] == wanted, self.places[key], -1)


def _room(rows: Tensor, wide: int, each: int) -> tuple[int, int]:
    """Most rows and groups of a run: rows need `wide` numbers, groups `each`."""
    chunk = CHUNK if rows.device.type == "cpu" else 32 * CHUNK
    return chunk // max(1, wide), chunk // max(1, each)
