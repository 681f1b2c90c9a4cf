"""Pairs of items → steps of training: which items meet in a step, and which of them are rivals.

Every pair is drawn once a round, all alike, in an order that depends on (seed, round) alone; its
weight is the loss's matter. So the probability that an item stands among a step's targets is its
share of the pairs, by which a loss over the targets of a step can be corrected (logQ). There are
several pairs an event, so a round takes several epochs: an epoch has as many pairs as events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Int64s, ranges
from tastemaker.data.pairs import Pairs


@dataclass(frozen=True)
class PairStep:
    """P pairs whose T triggers each meet all J targets of the step; a seam `Step`.

    `items` and `targets` are those of the whole step in every part of it, and so are the numbers
    that its losses divide by: the losses of its parts add up exactly.
    """

    items: Tensor
    """(n,) int64 codes of the items of the step, each once"""
    dropped: Tensor
    """(n,) bool, items whose id is not looked at"""
    triggers: Tensor
    """(T,) int64, which of `items` are asked from; each once"""
    targets: Tensor
    """(J,) int64, which of `items` are targets; each once"""
    counts: Tensor
    """(J,) float32, pairs of the whole step that have each target"""
    log_q: Tensor
    """(J,) float32, log probability that a pair has each target"""
    pairs: Tensor
    """(2, P) int64, number of trigger and of target of each pair"""
    weights: Tensor
    """(P,) float32"""
    positives: Tensor
    """(2, M) int64, trigger and target of all that followed each other anywhere in the data"""
    total_weight: float
    """sum of the weights of the whole step"""
    trigger_count: int
    """triggers of the whole step"""
    target_count: int
    """pairs of the whole step"""

    @property
    def rows(self) -> None:
        """Pairs are of no one row of the data."""
        return None

    @property
    def share(self) -> float:
        """Part of the whole step's pairs that are here."""
        return self.pairs.shape[1] / max(1, self.target_count)

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[PairStep]:
        """What process `rank` of `world` computes: some triggers, against all targets.

        Args:
            rank: Number of the process.
            world: Number of processes.
            small: Makes no difference: the targets of a step are rivals, so it stays in one piece.
        """
        if world == 1:
            return [self]
        mine = torch.arange(len(self.triggers))[rank::world]
        new = torch.full((len(self.triggers),), -1)
        new[mine] = torch.arange(len(mine))
        kept = new[self.pairs[0]] >= 0
        known = new[self.positives[0]] >= 0
        pairs, positives = self.pairs[:, kept], self.positives[:, known]
        part = replace(
            self,
            triggers=self.triggers[mine],
            pairs=torch.stack([new[pairs[0]], pairs[1]]),
            weights=self.weights[kept],
            positives=torch.stack([new[positives[0]], positives[1]]),
        )
        return [part]

    def to(self, device: torch.device) -> PairStep:
        """The same on another device."""
        values = ((known.name, vars(self)[known.name]) for known in fields(self))
        moved = {
            name: value.to(device, non_blocking=True)
            for name, value in values
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)  # type: ignore[arg-type]


@dataclass(frozen=True)
class PairSteps:
    """Epochs of `PairStep`; the seam `Steps`."""

    pairs: Pairs
    num_items: int
    """I"""
    events: int
    """training events; an epoch has no more pairs"""
    per_step: int = 512
    """pairs in a step; the last of a round may have fewer"""
    id_dropout: float = 0.1
    """share of a step's items whose id is not looked at"""
    seed: int = 0

    def __len__(self) -> int:
        """Steps in an epoch."""
        return -(-min(len(self.pairs), self.events) // self.per_step)

    @property
    def round(self) -> int:
        """Steps in which every pair is drawn once."""
        return -(-len(self.pairs) // self.per_step)

    def epoch(self, number: int, skip: int = 0) -> Iterator[PairStep]:
        """Steps of epoch `number`, from step `skip` on."""
        order, drawn_for = np.zeros(0, np.int64), -1
        for step in range(number * len(self) + skip, (number + 1) * len(self)):
            turn, place = divmod(step, self.round)
            if turn != drawn_for:
                rng, drawn_for = np.random.default_rng([self.seed, turn]), turn
                order = rng.permutation(len(self.pairs))
            drawn = order[place * self.per_step : (place + 1) * self.per_step]
            yield self._step(drawn, np.random.default_rng([self.seed, turn, place, 1]))

    @cached_property
    def _bounds(self) -> Int64s:
        return self.pairs.bounds(self.num_items)

    @cached_property
    def _log_q(self) -> npt.NDArray[np.float64]:
        return np.log(np.maximum(self.pairs.target_shares(self.num_items), 1e-300))

    def _step(self, drawn: Int64s, rng: np.random.Generator) -> PairStep:
        """The step of some pairs by number."""
        triggers, row = np.unique(self.pairs.triggers[drawn], return_inverse=True)
        targets, column, counts = np.unique(
            self.pairs.targets[drawn], return_inverse=True, return_counts=True
        )
        items = np.union1d(triggers, targets)
        weights = self.pairs.weights[drawn]
        return PairStep(
            torch.from_numpy(items.astype(np.int64)),
            torch.from_numpy(rng.random(len(items)) < self.id_dropout),
            torch.from_numpy(np.searchsorted(items, triggers)),
            torch.from_numpy(np.searchsorted(items, targets)),
            torch.from_numpy(counts.astype(np.float32)),
            torch.from_numpy(self._log_q[targets].astype(np.float32)),
            torch.from_numpy(np.stack([row, column])),
            torch.from_numpy(weights.astype(np.float32)),
            torch.from_numpy(self._positives(triggers, targets)),
            float(weights.sum()),
            len(triggers),
            len(drawn),
        )

    def _positives(self, triggers: npt.NDArray[np.int32], targets: npt.NDArray[np.int32]) -> Int64s:
        """(2, M) numbers of those triggers and targets that are a pair of the data."""
        starts, ends = self._bounds[triggers], self._bounds[triggers + 1]
        column = np.full(self.num_items + 1, -1, np.int64)
        column[targets] = np.arange(len(targets))
        met = column[self.pairs.targets[ranges(starts, ends)]]
        row = np.repeat(np.arange(len(triggers)), ends - starts)
        return np.stack([row[met >= 0], met[met >= 0]])
