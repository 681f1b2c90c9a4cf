"""Histories → steps in which every row is the past of one event, and that event its only target.

For models that spend work on a whole history before they answer, where `NextItemBatches` has a
target at every position. Rows of like length share a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts, Int64s


@dataclass(frozen=True)
class Prefixes(Batch):
    """A step of such rows; its targets stand at the newest position alone."""

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> list[Self]:
        """What process `rank` of `world` computes: its rows in one piece.

        A loss may have terms that are no sums over rows, so the rows of a process stay together.
        """
        return super().parts(rank, world)

    @property
    def answers(self) -> torch.Tensor:
        """(B,) int64 the target of each row; 0: the row is one that carries no loss."""
        if self.targets is None:
            raise ValueError("these rows have no targets")
        return self.targets.sum(1)


@dataclass(frozen=True)
class PrefixBatches:
    """Every event but a user's first with the events before it; the seam `Steps`.

    Which rows share a step depends on (seed, epoch) alone.
    """

    contexts: Contexts
    """training events, a row a user"""
    history: int = 50
    """newest events that are read"""
    rows: int = 128
    """rows in a step"""
    seed: int = 0
    most: int = 0
    """events of a user in an epoch, drawn anew in each; 0: all"""

    @cached_property
    def _events(self) -> tuple[Int64s, Int64s]:
        """(R,) row of the contexts and flat number of every event that has a past."""
        owner = np.repeat(np.arange(len(self.contexts)), self.contexts.lengths)
        first = np.zeros(len(owner), bool)
        first[self.contexts.offsets[:-1][self.contexts.lengths > 0]] = True
        events = np.flatnonzero(~first)
        return owner[events], events

    def __len__(self) -> int:
        """Steps in an epoch."""
        counts = np.bincount(self._events[0])
        drawn = np.minimum(counts, self.most).sum() if self.most else counts.sum()
        return -(-int(drawn) // self.rows)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Prefixes]:
        """Steps of epoch `number`, from step `skip` on."""
        rng = np.random.default_rng([self.seed, number])
        owners, events = self._drawn(rng) if self.most else self._events
        starts = np.maximum(self.contexts.offsets[owners], events - self.history)
        order = rng.permutation(len(events))
        order = order[np.argsort((events - starts)[order], kind="stable")]
        for step in list(rng.permutation(len(self)))[skip:]:
            rows = order[step * self.rows : (step + 1) * self.rows]
            yield self._step(owners[rows], starts[rows], events[rows])

    def _drawn(self, rng: np.random.Generator) -> tuple[Int64s, Int64s]:
        """`most` events of each user, or all where there are fewer."""
        owners, events = self._events
        order = rng.permutation(len(events))
        order = order[np.argsort(owners[order], kind="stable")]
        places = np.arange(len(events)) - np.searchsorted(owners, owners)  # owners are in order
        kept = np.sort(order[places < self.most])
        return owners[kept], events[kept]

    def _step(self, owners: Int64s, starts: Int64s, events: Int64s) -> Prefixes:
        """The step of some events."""
        contexts = self.contexts
        past = Contexts.gather(contexts.users[owners], starts, events, contexts.columns)
        if contexts.times is not None:
            past = replace(past, request_times=contexts.times[events])
        batch = last(past, self.history)
        targets = torch.zeros_like(batch.items)
        newest = batch.valid.sum(1, keepdim=True) - 1
        targets.scatter_(
            1, newest, torch.from_numpy(contexts.items[events].astype(np.int64))[:, None]
        )
        return Prefixes(
            batch.items,
            batch.valid,
            batch.position_ids,
            batch.times,
            batch.request_times,
            targets,
            target_count=len(events),
            rows=owners,
            users=torch.from_numpy(past.users),
        )
