"""Softmax cross-entropy where rows of each group compete with negatives of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.nn.grouped import Run, Runs, room_for

_LEAST = 1e-30


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
        total: Tensor = states.new_zeros(())
        wide = rivals.columns.shape[1]
        runs = Runs(groups, len(rivals.columns), *room_for(states, wide, wide * states.shape[1]))
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
        held: Tensor = self._held[name][:size].view(shape)
        return held


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
