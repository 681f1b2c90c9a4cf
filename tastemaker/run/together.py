"""A few items of a run and what goes with each, at both ends of the dial and where it stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.data.ground import Ground
from tastemaker.files import JsonObject
from tastemaker.run.similar import dial_of, searched
from tastemaker.seams import Learned

ITEMS = 6
"""Items shown beside each."""
PLACES = (0, 9, 49)
"""Which of the items are asked from, the one with most events first."""


def together(model: Learned, ground: Ground) -> list[JsonObject]:
    """Three items that people know and what goes with them; none for a model without two heads.

    Args:
        model: A trained model.
        ground: What it was built on, with its training events.
    """
    search = searched(model)
    if search is None or ground.train is None:
        return []
    titles = [*ground.catalog.titles(), *ground.unseen.titles()]
    usual = dial_of(model)

    def beside(row: int, dial: float) -> JsonObject:
        near = search.nearest(row, ITEMS, dial)
        return {"relevance": dial, "items": [titles[item] for item in near.items.tolist()]}

    known = search.voices.asks & search.voices.means
    counts = np.bincount(ground.train.items, minlength=ground.num_items + 1)[1:]
    return [
        {
            "item": titles[row],
            "usual": usual,
            "lists": [beside(row, dial) for dial in sorted({0.0, usual, 1.0})],
        }
        for row in _known_best(counts, known[: ground.num_items])
    ]


def _known_best(counts: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> list[int]:
    """Rows of items that both heads know, of those with most events."""
    order = np.argsort(-counts, kind="stable")
    order = order[known[order]]
    return [int(order[place]) for place in PLACES if place < len(order)]
