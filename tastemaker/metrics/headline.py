"""What a run is judged by: which users are asked, and how the answers are ranked."""

from __future__ import annotations

import numpy as np

from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.metrics.evaluate import EvalOptions

K = 10
"""Items of a list that is shown."""

VALIDATION_USERS = 10_000
"""Users that models are chosen on, at most."""


def options_of(
    cuts: Split, filter_seen: bool, ks: tuple[int, ...] = (1, 5, 10, 20, 50)
) -> EvalOptions:
    """How a run ranks: candidates are the items with training events."""
    return EvalOptions(ks, filter_seen, cuts.trained_items)


def validation_queries(cuts: Split) -> Queries:
    """The validation queries of at most 10,000 fixed users."""
    queries = cuts.queries("valid")
    if len(queries) <= VALIDATION_USERS:
        return queries
    rows = np.random.default_rng(0).choice(len(queries), VALIDATION_USERS, replace=False)
    return queries.take(np.sort(rows))
