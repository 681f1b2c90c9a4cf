"""A trie over the token sequences of a catalogue: what a language model may say next.

Nodes are numbered by depth, then by the order of their sequences, so that the children of a node
stand side by side and the whole is a handful of flat arrays. At a node only its children are looked
at: no mask as wide as the vocabulary is ever made.

Several items may have one sequence, such as items of one title: they share its last node. No
sequence may begin another, or what was said would not tell where it ends; an `end` token sees to
that, and makes an empty sequence one that can be said.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.errors import BadInput

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trie:
    """n nodes, of which node 0 has said nothing, over I items."""

    tokens: Tensor
    """(n,) int64 the token that leads to each node; node 0: 0"""
    parents: Tensor
    """(n,) int64; node 0 is its own"""
    depths: Tensor
    """(n,) int64 tokens said"""
    starts: Tensor
    """(n+1,) int64: children of node j are nodes starts[j]..starts[j+1]−1"""
    ends: Tensor
    """(I,) int64 node at which each item has been said"""
    item_starts: Tensor
    """(n+1,) int64: items said at node j are items[item_starts[j]:item_starts[j+1]]"""
    items: Tensor
    """(I,) int64 rows of items by their node, and at one node the first to be named first"""

    @classmethod
    def of(
        cls, sequences: npt.ArrayLike, end: int | None = None, order: npt.ArrayLike | None = None
    ) -> Self:
        """Build the trie of a catalogue.

        Args:
            sequences: (I, L) tokens of each item, −1 after its last.
            end: Token that is said after each; None: sequences are such that none begins another.
            order: (I,) of items with one sequence the least is named first; None: in their order.

        Raises:
            BadInput: If there is no item.
            ValueError: If a sequence is the beginning of another, or empty, and there is no `end`.
        """
        rows = np.asarray(sequences, np.int64)
        if not len(rows):
            raise BadInput("There is no item to name.", "catalogue", "Give at least one.")
        rows = rows if end is None else _ended(rows, end)
        by = np.arange(len(rows)) if order is None else np.asarray(order)
        sort = np.lexsort((by, *rows.T[::-1]))
        rows = rows[sort]
        new, said = _new_nodes(rows), rows >= 0
        depth, first = np.nonzero(new.T)
        numbers = np.cumsum(new.T.reshape(-1)).reshape(new.T.shape).T  # node 0 has said nothing
        lengths = said.sum(1)
        if not lengths.all():
            raise ValueError("an empty sequence can only be said with a token that ends it")
        ends = numbers[np.arange(len(rows)), lengths - 1]
        above = np.where(depth, numbers[first, np.maximum(depth - 1, 0)], 0)
        count = 1 + len(depth)
        parents = np.concatenate([[0], above])
        if np.isin(ends, parents[1:]).any():
            raise ValueError("a sequence begins another; give a token that ends them")
        every = np.arange(count + 1)
        at_node = np.argsort(ends, kind="stable")
        flat = (
            np.concatenate([[0], rows[first, depth]]),
            parents,
            np.concatenate([[0], depth + 1]),
            1 + np.searchsorted(above, every),
            ends[np.argsort(sort)],
            np.searchsorted(ends[at_node], every),
            sort[at_node],
        )
        return cls(*(torch.from_numpy(np.asarray(array, np.int64)) for array in flat))

    @cached_property
    def shortest(self) -> int:
        """Fewest tokens of an item."""
        return int(self.depths[self.ends].min())

    @cached_property
    def longest(self) -> int:
        """Most tokens of an item."""
        return int(self.depths[self.ends].max())

    @cached_property
    def first_tokens(self) -> Tensor:
        """(I,) int64 the token that each item begins with."""
        nodes = self.ends
        for _ in range(self.longest - 1):
            nodes = torch.where(self.depths[nodes] > 1, self.parents[nodes], nodes)
        return self.tokens[nodes]

    @cached_property
    def leaf(self) -> int:
        """A node at which an item has been said."""
        return int(self.ends[0])

    @cached_property
    def said(self) -> Tensor:
        """(n,) bool, whether items are said at a node: it leads nowhere."""
        return self.starts[:-1] == self.starts[1:]

    @cached_property
    def _ways(self) -> tuple[Tensor, Tensor]:
        """(n,) int64 first node that each leads to, itself where items are said, and how many."""
        own = torch.arange(len(self), device=self.starts.device)
        first = torch.where(self.said, own, self.starts[:-1])
        return first, torch.where(self.said, 1, self.starts[1:] - first)

    @property
    def num_items(self) -> int:
        """I."""
        return len(self.items)

    def __len__(self) -> int:
        """Number of nodes n."""
        return len(self.tokens)

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        moved: dict[str, Any] = {f.name: vars(self)[f.name].to(device) for f in fields(self)}
        return replace(self, **moved)

    def children(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Where each node leads.

        Args:
            nodes: (...) int64.

        Returns:
            (..., W) int64 nodes and bool, whether there is one; W is the most children of any, and
            at least 1. A node at which an item has been said leads to itself alone.
        """
        first, count = self._ways
        return _spans(first.take(nodes), count.take(nodes))

    def named(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """The items that have been said at nodes.

        Args:
            nodes: (...) int64.

        Returns:
            (..., W) int64 rows of items, the first to be named first, and bool, whether it is one.
        """
        first = self.item_starts[nodes]
        places, there = _spans(first, self.item_starts[nodes + 1] - first)
        return self.items[places.clamp(max=self.num_items - 1)], there

    def places(self) -> Tensor:
        """(I,) int64 how many items with the same sequence are named before each."""
        places = torch.empty_like(self.items)
        counted = torch.arange(self.num_items, device=places.device)
        places[self.items] = counted - self.item_starts[self.ends[self.items]]
        return places


def _spans(first: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """The next `count` numbers from each first one: (..., W) int64, and which are among them.

    The others are the first again.
    """
    width = max(1, int(count.max())) if count.numel() else 1
    steps = torch.arange(width, device=first.device)
    inside = steps < count[..., None]
    return first[..., None] + steps * inside, inside


def _ended(rows: Int64s, end: int) -> Int64s:
    """(I, L+1) sequences with a token after their last."""
    ended = np.concatenate([rows, np.full((len(rows), 1), -1, np.int64)], axis=1)
    ended[np.arange(len(rows)), (rows >= 0).sum(1)] = end
    return ended


def _new_nodes(rows: Int64s) -> npt.NDArray[np.bool_]:
    """(I, L) of sorted sequences, whether each token begins a node."""
    if (np.diff((rows >= 0).astype(np.int8), axis=1) > 0).any():
        raise ValueError("−1 stands after the last token of a sequence alone")
    differs = np.ones(rows.shape, bool)
    differs[1:] = np.logical_or.accumulate(rows[1:] != rows[:-1], axis=1)
    return differs & (rows >= 0)
