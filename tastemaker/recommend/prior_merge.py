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

Merge = Literal["combine", "average", "calibrated"]


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


def merged(sets: Sequence[HeadSet], items: Tensor, merge: Merge) -> Tensor:
    """(B, I) scores, −inf where no active head knows the item.

    Args:
        sets: Heads by axis; of heads where all axes cross there is one.
        items: (I, D) item vectors.
        merge: How what they give is merged.
    """
    users = len(sets[0].outputs)
    scores = items.new_full((users, len(items)), -torch.inf)
    if merge == "average":
        scores = torch.zeros_like(scores)
    speaking = torch.zeros_like(scores)
    for _, columns, given in _all(sets, items, merge):
        if merge == "combine":
            scores[:, columns] = torch.maximum(scores[:, columns], given.amax(1))
        elif merge == "calibrated":
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
