"""Heads of human priors → one ranking, and which head speaks for each item.

    combine     score(i) = max over the heads that know i of o·e_i
    average     score(i) = mean over the heads that know i of o·e_i
    calibrated  score(i) = log Σ over the heads that know i of p(head | context)·p(i | head),
                p(i | head) a softmax over the items that the head knows

A head of a group of items knows its items alone; others know all (spec priors §3.3, §3.6, §9).
The head that speaks for an item is the one that adds most; of equal ones, the first.

Source: arXiv 2511.10492; the calibrated merge: ours.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tastemaker.nn.losses import CHUNK

Merge = Literal["combine", "average", "calibrated"]

TILE = 64
"""Most items of one group that a product takes at once."""
_FEW = 8
"""Users up to whom each is scored alone: a product with few columns is a slow one."""
_APART = 80.0
"""Scores of a user within so much of each other have exponentials that float32 holds."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """What groups know, in n tiles of t columns of one group each, so that one product serves all.

    A loop over a thousand groups costs more than their scores, and a table of items by groups holds
    little but zeros.
    """

    groups: Tensor
    """(n,) int64 group of each tile"""
    columns: Tensor
    """(n, t) int64; one past the last item where a tile is not full"""
    heads: Tensor
    """(I, C·Q) sparse rows: the heads that know each item"""
    counts: Tensor
    """(I,) how many they are"""

    @classmethod
    def of(cls, known: Sequence[Tensor], width: int, num_items: int) -> Tiles:
        """Of the columns, of I, that each of C groups of Q heads knows."""
        sizes = torch.tensor([len(own) for own in known])
        flat, device = torch.cat(list(known)).cpu(), known[0].device
        size = min(TILE, 1 << (int(sizes.sum()) // len(known)).bit_length())
        numbers = -(-sizes // size)
        groups = torch.repeat_interleave(torch.arange(len(known)), numbers)
        whose = torch.repeat_interleave(torch.arange(len(known)), sizes)
        starts = numbers.cumsum(0) - numbers
        within = torch.arange(len(flat)) - (sizes.cumsum(0) - sizes)[whose]
        columns = torch.full((len(groups) * size,), num_items)
        columns[starts[whose] * size + within] = flat
        counts = torch.bincount(flat, minlength=num_items) * width
        by_item = (flat * len(known) + whose).argsort()
        own = (whose[by_item][:, None] * width + torch.arange(width)).flatten()
        ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
            shape, zeros = (num_items, len(known) * width), torch.zeros(len(own))
            heads = torch.sparse_csr_tensor(ends, own, zeros, shape, check_invariants=True)
        parts = (groups, columns.view(-1, size), heads, counts)
        return cls(*(part.to(device) for part in parts))


@dataclass(frozen=True, eq=False)
class HeadSet:
    """Heads of B users: Q for each of C groups of items, numbered c·Q + q."""

    outputs: Tensor
    """(B, C·Q, D)"""
    known: Sequence[Tensor] | None
    """for each group (n,) columns that its heads know; None: C = 1, and they know all"""
    log_shares: Tensor
    """(B, C·Q) log p(head | context)"""
    active: Tensor | None
    """(B, C·Q) bool; a head that is not speaks for nothing; None: all are"""
    added: Tensor | None = None
    """(B, C·Q) added to what a head gives its items"""
    tiles: Tiles | None = None
    """the same as `known`, where the caller keeps it; None: made anew"""

    def contributions(self, items: Tensor, merge: Merge) -> Iterator[tuple[int, Tensor, Tensor]]:
        """For each group: its first head, (n,) columns and (B, Q, n) what its heads give them.

        −inf where a head is not active; groups that know nothing are passed over.
        """
        groups = 1 if self.known is None else len(self.known)
        width = self.outputs.shape[1] // groups
        for group in range(groups):
            heads = slice(group * width, (group + 1) * width)
            if self.known is None:
                columns, vectors = torch.arange(len(items), device=items.device), items
            else:
                columns = self.known[group]
                vectors = items[columns]
            if not len(columns):
                continue
            given = self.outputs[:, heads] @ vectors.T
            if merge == "calibrated":
                given = torch.log_softmax(given.float(), 2) + self.log_shares[:, heads, None]
            if self.added is not None:
                given = given + self.added[:, heads, None]
            if self.active is not None:
                given = given.masked_fill(~self.active[:, heads, None], -torch.inf)
            yield heads.start, columns, given

    @torch.no_grad()
    def best(self, items: Tensor) -> Tensor:
        """(B, I) the most that an active head which knows the item gives it; −inf if none does."""
        users, heads, dim = self.outputs.shape
        groups = 1 if self.known is None else len(self.known)
        shape = (users, groups, heads // groups)
        outputs, bias = self.outputs.view(*shape, dim), self._bias(shape)
        if self.known is None:
            given = outputs[:, 0] @ items.T
            return (given if bias is None else given + bias[:, 0, :, None]).amax(1)
        tiles = self.tiles or Tiles.of(self.known, shape[2], len(items))
        way = _by_user if _alone(outputs, items) else _by_item
        return way(outputs, bias, tiles, items)

    @torch.no_grad()
    def mixed(self, items: Tensor) -> Tensor | None:
        """(B, I) log Σ p(head | context)·p(i | head) of few users, without a loop over groups.

        None where that would not be exact: scores of a user so far apart that one scale cannot
        hold them, many users, another device or another precision.
        """
        if self.known is None or not _alone(self.outputs, items):
            return None
        tiles = self.tiles or Tiles.of(
            self.known, self.outputs.shape[1] // len(self.known), len(items)
        )
        heads, rows = tiles.heads.col_indices(), []
        chances = self.log_shares if self.added is None else self.log_shares + self.added
        if self.active is not None:
            chances = chances.masked_fill(~self.active, -torch.inf)
        for own, chance in zip(self.outputs, chances.exp(), strict=True):
            given = torch.sparse.sampled_addmm(tiles.heads, items, own.T, beta=0.0).values()
            highest = given.max()
            if not bool(highest - given.min() < _APART):
                return None
            weights = (given - highest).exp_()
            whole = torch.bincount(heads, weights, minlength=len(own))
            each = torch.where(whole > 0, chance / whole, 0).to(weights.dtype)
            parts = weights.mul_(each.index_select(0, heads))
            summed = torch.segment_reduce(parts, "sum", lengths=tiles.counts, unsafe=True)
            rows.append(summed.log())
        return torch.stack(rows)

    def _bias(self, shape: tuple[int, int, int]) -> Tensor | None:
        """(B, C, Q) what is added to what heads give, −inf for those that are not active."""
        if self.active is None:
            return None if self.added is None else self.added.view(shape)
        nothing = torch.zeros_like(self.active, dtype=self.outputs.dtype)
        bias = nothing if self.added is None else self.added
        return bias.masked_fill(~self.active, -torch.inf).view(shape)


def _alone(outputs: Tensor, items: Tensor) -> bool:
    """Whether users are scored one by one."""
    return len(outputs) <= _FEW and items.device.type == "cpu" and items.dtype == torch.float32


def _by_item(outputs: Tensor, bias: Tensor | None, tiles: Tiles, items: Tensor) -> Tensor:
    """`HeadSet.best` of many users: (B, C, Q, D) outputs, (B, C, Q) bias."""
    users, groups, width, dim = outputs.shape
    each = outputs.permute(1, 2, 0, 3).reshape(groups, width * users, dim)
    extra = None if bias is None else bias.permute(1, 2, 0)
    best = items.new_full((len(items) + 1, users), -torch.inf)
    step = max(1, CHUNK // 4 // (tiles.columns.shape[1] * max(dim, width * users)))
    for start in range(0, len(tiles.groups), step):
        own, columns = (part[start : start + step] for part in (tiles.groups, tiles.columns))
        vectors = items[columns.clamp(max=len(items) - 1)]
        given = (vectors @ each[own].mT).view(*columns.shape, width, users)
        if extra is not None:
            given = given + extra[own][:, None]
        most = given[:, :, 0] if width == 1 else given.amax(2)
        index = columns.flatten()[:, None].expand(-1, users)
        best.scatter_reduce_(0, index, most.flatten(0, 1), "amax")
    return best[:-1].T.contiguous()


def _by_user(outputs: Tensor, bias: Tensor | None, tiles: Tiles, items: Tensor) -> Tensor:
    """`HeadSet.best` of few users: only what a head knows is computed, item after item."""
    rows = []
    for user, heads in enumerate(outputs.flatten(1, 2)):
        given = torch.sparse.sampled_addmm(tiles.heads, items, heads.T, beta=0.0).values()
        if bias is not None:
            given = given + bias[user].flatten()[tiles.heads.col_indices()]
        rows.append(torch.segment_reduce(given, "max", lengths=tiles.counts, unsafe=True))
    return torch.stack(rows)


def merged(sets: Sequence[HeadSet], items: Tensor, merge: Merge) -> Tensor:
    """(B, I) scores, −inf where no active head knows the item.

    Args:
        sets: Heads by axis; of heads where all axes cross there is one.
        items: (I, D) item vectors.
        merge: How what they give is merged.
    """
    if merge == "combine":
        best, *rest = (heads.best(items) for heads in sets)
        for other in rest:
            best = torch.maximum(best, other)
        return best
    if merge == "calibrated" and len(sets) == 1 and (mixed := sets[0].mixed(items)) is not None:
        return mixed
    users = len(sets[0].outputs)
    scores = items.new_full((users, len(items)), -torch.inf)
    if merge == "average":
        scores = torch.zeros_like(scores)
    speaking = torch.zeros_like(scores)
    for _, columns, given in _all(sets, items, merge):
        if merge == "calibrated":
            whole = torch.logsumexp(given, 1) - math.log(len(sets))
            scores[:, columns] = torch.logaddexp(scores[:, columns], whole)
        else:
            finite = given > -torch.inf
            scores[:, columns] += torch.where(finite, given, 0).sum(1)
            speaking[:, columns] += finite.sum(1)
    if merge == "average":
        scores = torch.where(speaking > 0, scores / speaking, -torch.inf)
    return scores


def speakers(sets: Sequence[HeadSet], items: Tensor, merge: Merge) -> Tensor:
    """(B, I) int64 head that gives each item most, counted through the sets; −1: none."""
    best = items.new_full((len(sets[0].outputs), len(items)), -torch.inf)
    speaker = torch.full_like(best, -1, dtype=torch.int64)
    for first, columns, given in _all(sets, items, merge):
        most, head = given.max(1)
        before = best[:, columns]
        speaker[:, columns] = torch.where(most > before, head + first, speaker[:, columns])
        best[:, columns] = torch.maximum(before, most)
    return speaker


def _all(
    sets: Sequence[HeadSet], items: Tensor, merge: Merge
) -> Iterator[tuple[int, Tensor, Tensor]]:
    passed = 0
    for heads in sets:
        for first, columns, given in heads.contributions(items, merge):
            yield passed + first, columns, given
        passed += heads.outputs.shape[1]
