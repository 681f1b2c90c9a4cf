"""A few users of a run by title: what they chose, what came next, what was recommended."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.data.catalog import Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import Evaluation

USERS = 3
ITEMS = 10


def examples(
    measured: Evaluation,
    log: Interactions,
    queries: Queries,
    catalog: Catalog,
    refused: Interactions,
    users: int = USERS,
) -> list[JsonObject]:
    """A few users spread over the log.

    Args:
        measured: What a model did on the queries.
        log: The log they were made from.
        queries: Contexts and targets.
        catalog: Titles, aligned with the item codes.
        refused: The same users with the items that each refused, which nobody is shown.
        users: How many.
    """
    titles, categories = catalog.titles(), catalog.frame["categories"].to_list()

    def shown(row: int) -> JsonObject:
        context = queries.contexts.slice(row, row + 1).items
        bounds = queries.target_offsets
        user = int(measured.users[row])
        offered = measured.lists[row][~np.isin(measured.lists[row], [0, *refused.history(user)])]
        targets = queries.target_items[bounds[row] : bounds[row + 1]]
        return {
            "user": log.user_ids[user],
            "history": [titles[code - 1] for code in context[::-1][:ITEMS]],
            "held_out": [titles[code - 1] for code in targets],
            "recommendations": [
                {
                    "item": log.item_ids[int(code) - 1],
                    "title": titles[code - 1],
                    "categories": categories[code - 1] or [],
                    "hit": bool(code in targets),
                }
                for code in offered[:ITEMS]
            ],
        }

    return [shown(int(row)) for row in _rows(len(queries), users)]


def _rows(count: int, users: int) -> npt.NDArray[np.int64]:
    """Rows spread evenly, neither the first nor the last of many."""
    return np.unique(np.linspace(0, count - 1, users + 2).astype(np.int64)[1:-1])
