"""Steps of next items laid out with tokens; some recent events may be hidden in training.

What is hidden is neither read nor learnt from, so that more must stand in the tokens. All depends
on (seed, epoch, step) alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.persrec_layout import Layout, columns_of, laid_out


@dataclass(frozen=True)
class PerSRecBatches:
    """Batches of next items, laid out."""

    batches: NextItemBatches
    layout: Layout
    hidden: float = 0.0
    """share of recent events that are hidden"""

    @property
    def contexts(self) -> Contexts:
        """Training events, a row a user."""
        return self.batches.contexts

    def __len__(self) -> int:
        """Steps in an epoch."""
        return len(self.batches)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """Batches of epoch `number`, from step `skip` on."""
        for step, batch in enumerate(self.batches.epoch(number, skip), start=skip):
            made = laid_out(batch, self.layout, batch.valid.sum(1).clamp(max=self.layout.recent))
            if self.hidden:
                made = self._without(made, np.random.default_rng([self.batches.seed, number, step]))
            yield replace(made, target_count=int((targets_of(made) > 0).sum()))

    def _without(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Some recent events hidden: they are neither read nor learnt from."""
        recent = columns_of(batch) >= self.layout.length - self.layout.recent
        lot = torch.from_numpy(rng.random(batch.items.shape) < self.hidden) & recent
        return replace(
            batch,
            items=batch.items.masked_fill(lot, 0),
            valid=batch.valid & ~lot,
            targets=targets_of(batch).masked_fill(lot, 0),
        )
