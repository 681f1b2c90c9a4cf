"""Both heads of items, counted: who chose them, and which words they share."""

import numpy as np
import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.tables import from_frame
from tastemaker.recommend.counted_heads import counted_heads
from tastemaker.recommend.item_search import ItemSearch

CHOSEN = [[1, 2], [1, 2], [1, 2, 3], [4, 5], [4, 5], [3, 4]]
TITLES = ["Night river", "Stone", "River of night", "Stone garden", None, "Garden of stone", "!"]


def contexts() -> Contexts:
    ends = np.cumsum([0, *map(len, CHOSEN)])
    return Contexts(np.arange(len(CHOSEN)), ends, np.concatenate(CHOSEN).astype(np.int32))


def catalog(titles: list[str | None]) -> Catalog:
    ids = [f"i{n}" for n in range(1, len(titles) + 1)]
    named = pl.DataFrame({"item_id": ids, "title": pl.Series(titles, dtype=pl.String)})
    return Catalog.from_table(from_frame(named))


def test_items_of_the_same_people_go_together_and_items_of_the_same_words_are_alike() -> None:
    search = ItemSearch(counted_heads(contexts(), 5, catalog(TITLES)))
    assert len(search) == 7
    assert search.nearest(0, 1, 0.0).items.tolist() == [1]
    assert search.nearest(0, 1, 1.0).items.tolist() == [2]
    assert search.nearest(3, 1, 0.0).items.tolist() == [4]
    lengths = np.linalg.norm(search.heads.stored(), axis=1)
    assert np.isfinite(lengths).all()


def test_each_head_is_silent_of_what_it_does_not_know() -> None:
    search = ItemSearch(counted_heads(contexts(), 5, catalog(TITLES)))
    assert search.voices.asks.tolist() == [True] * 5 + [False] * 2  # nobody met the last two
    assert search.voices.means.tolist() == [True] * 4 + [False, True, False]
    assert search.nearest(5, 1, 0.0).items.tolist() == [3]  # by its words alone


def test_without_a_text_who_chose_them_is_all() -> None:
    search = ItemSearch(counted_heads(contexts(), 5, catalog([None] * 5)))
    assert not search.voices.means.any()
    assert search.nearest(1, 1, 1.0).dial == 0.0
