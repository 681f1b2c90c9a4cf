"""Queries: contexts and the items that came next stay together."""

import numpy as np

from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import last_events


def test_taking_queries_keeps_rows_together() -> None:
    log = Interactions.from_sequences({f"u{u}": list("abcdef"[u % 2 :]) for u in range(5)})
    queries = last_events(log, 2).queries("test")
    some = queries.take(np.array([3, 0]))
    assert some.contexts.users.tolist() == queries.contexts.users[[3, 0]].tolist()
    assert some.target_items[:2].tolist() == queries.target_items[6:8].tolist()
    assert len(some) == 2
