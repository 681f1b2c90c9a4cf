"""Queries: what a model is asked when it is measured, and what really came next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tastemaker.data.contexts import Contexts, Int32s, Int64s, ranges


@dataclass(frozen=True)
class Queries:
    """What to predict: Q contexts and, for each, the items that really came next."""

    contexts: Contexts
    """events strictly before the targets; at test they include the validation events. Their
    request time is that of the first target."""
    target_items: Int32s
    """flat item codes."""
    target_offsets: Int64s
    """(Q+1,) row bounds into `target_items`."""

    def __len__(self) -> int:
        """Number of queries Q, one a user."""
        return len(self.contexts)

    def take(self, rows: Int64s) -> Queries:
        """Some of the queries, in the order given."""
        target = self.target_offsets
        counts = np.diff(target)[rows]
        return Queries(
            self.contexts.take(rows),
            self.target_items[ranges(target[rows], target[rows + 1])],
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )
