"""Synthetic items fitted to those of a real log: as many of each category, and as popular.

Their ids are new, their numbers drawn by lot, and their texts made of their categories and of words
that say nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Int64s
from tastemaker.worlds.behaviour import NONE, Behaviour
from tastemaker.worlds.topics import FILLERS

Floats = npt.NDArray[np.float64]
_TURNS = 16
"""Draws of what is not drawn yet, after which the rest is drawn without luck."""


@dataclass(frozen=True)
class FittedItems:
    """Items, those of one category side by side, the most popular first."""

    ids: pl.Series
    categories: list[tuple[str, ...]]
    """categories of each item"""
    starts: Int64s
    """(C+1,) items of category c are `starts[c]:starts[c + 1]`"""
    edges: Floats
    """(I+1,) running sum of popularity"""

    def history(self, taste: Floats, length: int, again: int, rng: np.random.Generator) -> Int64s:
        """(length,) items of one user, in no order; `again` of them, at least, met before."""
        most = len(self.ids)
        fresh = self._distinct(taste, min(length - again, most), rng)
        old = fresh[rng.integers(0, len(fresh), length - len(fresh))]
        return np.asarray(rng.permutation(np.concatenate([fresh, old])), np.int64)

    def _distinct(self, taste: Floats, many: int, rng: np.random.Generator) -> Int64s:
        chosen, running = np.empty(0, np.int64), np.cumsum(taste)
        for _ in range(_TURNS):
            need = many - len(chosen)
            if not need:
                return chosen
            place = np.searchsorted(running, rng.random(need) * running[-1], "right")
            place = np.minimum(place, len(taste) - 1)
            low, high = self.edges[self.starts[place]], self.edges[self.starts[place + 1]]
            drawn = np.searchsorted(self.edges, low + rng.random(need) * (high - low), "right") - 1
            drawn = np.clip(drawn, self.starts[place], self.starts[place + 1] - 1)
            both = np.concatenate([chosen, drawn])
            chosen = both[np.sort(np.unique(both, return_index=True)[1])]
        # What is left is drawn without luck: the largest Gumbel-shifted logarithms.
        weights = np.diff(self.edges) * np.repeat(taste, np.diff(self.starts)) + 1e-12
        keys = np.log(weights) + rng.gumbel(size=len(weights))
        keys[chosen] = -np.inf
        rest = np.argsort(-keys, kind="stable")[: many - len(chosen)]
        return np.concatenate([chosen, rest])

    def catalog(self, rng: np.random.Generator) -> Catalog:
        """The items with their categories, and a text made of them."""
        filling = rng.permuted(np.tile(np.array(FILLERS), (len(self.categories), 1)), axis=1)
        words = [" ".join(three) for three in filling[:, :3].tolist()]
        said = [", ".join(name for name in own if name != NONE) for own in self.categories]
        texts = [f"{told} {three}".strip() for told, three in zip(said, words, strict=True)]
        lists = [[name for name in own if name != NONE] or None for own in self.categories]
        columns = {
            "item_id": self.ids,
            "text": pl.Series(texts, dtype=pl.String),
            "categories": pl.Series(lists, dtype=pl.List(pl.String)),
        }
        rest = [
            pl.lit(None).cast(SCHEMA[name]).alias(name) for name in SCHEMA if name not in columns
        ]
        return Catalog(pl.DataFrame(columns).with_columns(rest).select(list(SCHEMA)))


def fitted_items(real: Behaviour, rng: np.random.Generator) -> FittedItems:
    """As many items of each category, as popular, as a real log has."""
    order = np.lexsort((-real.popularity, real.first))
    order = order[real.popularity[order] > 0]
    first = real.first[order]
    starts = np.searchsorted(first, np.arange(len(real.names) + 1)).astype(np.int64)
    popularity = real.popularity[order].astype(np.float64)
    categories: list[tuple[str, ...]] = []
    for low, high in zip(starts[:-1], starts[1:], strict=True):
        chance = popularity[low:high] / popularity[low:high].sum() if high > low else None
        picks = rng.choice(np.arange(low, high), high - low, p=chance) if high > low else []
        categories += [real.categories[order[pick]] for pick in picks]
    names = new_names("item", len(order), set(real.log.item_ids))
    ids = pl.Series(names).gather(rng.permutation(len(order)))
    return FittedItems(ids, categories, starts, np.concatenate([[0.0], np.cumsum(popularity)]))


def new_names(prefix: str, many: int, taken: Collection[str]) -> list[str]:
    """Ids that no real one is."""
    while any(f"{prefix}{number}" in taken for number in range(many)):
        prefix += "-"
    return [f"{prefix}{number}" for number in range(many)]
