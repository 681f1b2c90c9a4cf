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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tastemaker.nn.losses import CHUNK

Merge = Literal["combine", "average", "calibrated"]

TILE = 64
"""Most items of one group that a product takes at once."""
_MANY = 8
"""Users from whom on scores are made item by item: a product with few columns is a slow one."""


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

    @classmethod
    def of(cls, known: Sequence[Tensor], num_items: int) -> Tiles:
        """Of the columns that each of C groups knows, of I."""
        most = max(1, sum(map(len, known)) // max(1, len(known)))
        size = min(TILE, 1 << (most - 1).bit_length())
        parts = [(group, part) for group, own in enumerate(known) for part in own.split(size)]
        columns = torch.full((len(parts), size), num_items)
        for row, (_, part) in zip(columns, parts, strict=True):
            row[: len(part)] = part
        device = known[0].device if known else None
        groups = torch.tensor([group for group, part in parts if len(part)], dtype=torch.int64)
        full = columns[columns[:, 0] < num_items]
        return cls(groups.to(device), full.to(device))


@dataclass(frozen=True, eq=False)
class HeadSet:
    """Heads of B users: Q for each of C groups of items, numbered c·Q + q."""

    outputs: Tensor
    """(B, C·Q, D)"""
    known: Sequence[Tensor] | None
    """for each group (n,) columns that its heads know; None: C = 1, and they know all"""
    log_shares: Tensor
    """(B, C·Q) log p(head | context)"""
    active: Tensor
    """(B, C·Q) bool; a head that is not speaks for nothing"""
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
            active = self.active[:, heads, None]
            yield heads.start, columns, given.masked_fill(~active, -torch.inf)


    def best(self, items: Tensor) -> Tensor:
        """(B, I) the most that an active head which knows the item gives it; −inf if none does."""
        users, heads, dim = self.outputs.shape
        groups = 1 if self.known is None else len(self.known)
        shape = (users, groups, heads // groups)
        outputs = self.outputs.view(*shape, dim)
        bias = torch.zeros_like(self.active, dtype=items.dtype) if self.added is None else self.added
        everyone = self.added is None and bool(self.active.all())
        bias = bias.masked_fill(~self.active, -torch.inf).view(*shape)
        if self.known is None:
            given = outputs[:, 0] @ items.T
            return (given if everyone else given + bias[:, 0, :, None]).amax(1)
        tiles = self.tiles or Tiles.of(self.known, len(items))
        best = _by_item if users > _MANY else _by_user
        return best(outputs, None if everyone else bias, tiles, items)


def _by_item(outputs: Tensor, bias: Tensor | None, tiles: Tiles, items: Tensor) -> Tensor:
    """`HeadSet.best` of many users: (B, C, Q, D) outputs, (B, C, Q) bias."""
    users, groups, width, dim = outputs.shape
    each = outputs.permute(1, 2, 0, 3).reshape(groups, width * users, dim)
    extra = None if bias is None else bias.permute(1, 2, 0)
    best = items.new_full((len(items) + 1, users), -torch.inf)
    step = max(1, CHUNK // 4 // (tiles.columns.shape[1] * max(dim, width * users)))
    for own, columns in zip(tiles.groups.split(step), tiles.columns.split(step), strict=True):
        vectors = items[columns.clamp(max=len(items) - 1)]
        given = (vectors @ each[own].mT).unflatten(2, (width, users))
        if extra is not None:
            given = given + extra[own][:, None]
        most = given[:, :, 0] if width == 1 else given.amax(2)
        index = columns.flatten()[:, None].expand(-1, users)
        best.scatter_reduce_(0, index, most.flatten(0, 1), "amax")
    return best[:-1].T.contiguous()


def _by_user(outputs: Tensor, bias: Tensor | None, tiles: Tiles, items: Tensor) -> Tensor:
    """`HeadSet.best` of few users."""
    users, groups, width, dim = outputs.shape
    each = outputs.permute(1, 2, 0, 3).reshape(groups, width * users, dim)
    extra = None if bias is None else bias.permute(1, 2, 0)[..., None]
    best = items.new_full((users, len(items) + 1), -torch.inf)
    columns = tiles.columns.flatten()
    vectors = items.index_select(0, columns.clamp(max=len(items) - 1))
    vectors = vectors.view(*tiles.columns.shape, dim)
    given = torch.bmm(each.index_select(0, tiles.groups), vectors.mT)
    given = given.unflatten(1, (width, users))
    if extra is not None:
        given = given + extra[tiles.groups]
    most = given.amax(1).transpose(0, 1).reshape(users, -1)
    best.scatter_reduce_(1, columns.expand(users, -1), most, "amax")
    return best[:, :-1]


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
