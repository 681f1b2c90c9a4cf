"""Groups keep their numbers when a log grows, and what is new finds its own."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.recommend.grown_groups import by_likeness, by_name
from tastemaker.recommend.item_facts import ItemFacts


def grouped(names: tuple[str, ...], *members: list[int]) -> Grouping:
    table = np.zeros((len(members), len(names)), np.float32)
    for row, groups in enumerate(members):
        table[row, groups] = 1
    return Grouping(names, sp.csr_array(table))


def groups_of(grouping: Grouping) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in grouping.membership.toarray()]


def test_named_groups_keep_their_numbers_and_new_ones_stand_behind() -> None:
    known = grouped(("war", OTHER), [0], [1])
    now = grouped(("Art", "WAR", OTHER), [1], [2], [0, 1], [0])
    made = by_name(known, now)
    assert made.names == ("war", OTHER, "Art")
    assert groups_of(made) == [[0], [1], [0, 2], [2]]
    fewer = by_name(known, now, more=False)
    assert fewer.names == known.names and groups_of(fewer) == [[0], [1], [0], []]


def test_a_group_that_nobody_is_in_any_more_stays() -> None:
    made = by_name(grouped(("a", "b"), [0], [1]), grouped(("b",), [0], [0]))
    assert made.names == ("a", "b") and groups_of(made) == [[1], [1]]


def facts(texts: list[str], *users: list[int]) -> ItemFacts:
    known = {"item_id": [f"i{n}" for n in range(len(texts))], "title": texts}
    frame = pl.DataFrame({name: known.get(name, [None] * len(texts)) for name in SCHEMA}, SCHEMA)
    offsets = np.cumsum([0, *map(len, users)]).astype(np.int64)
    items = np.array(sum(users, []), np.int32)
    train = Contexts(np.arange(len(users)), offsets, items)
    return ItemFacts(Ground(len(texts), Catalog(frame), train), train)


def test_new_items_join_the_group_that_they_are_most_like() -> None:
    known = grouped(("sea", "hill"), [0], [0], [1], [1])
    texts = ["sea ship", "sea fish", "hill goat", "hill path", "goat path", "", ""]
    # Item 6, without a text, is chosen with those of the sea; of item 7 nothing is known.
    about = facts(texts, [1, 2, 6], [1, 2, 6], [3, 4, 5])
    made = by_likeness(known, about, texts_first=True, other=True)
    assert made.names == ("sea", "hill", OTHER)
    assert groups_of(made) == [[0], [0], [1], [1], [1], [0], [2]]
    without = by_likeness(known, about, texts_first=True, other=False)
    assert without.names == known.names and groups_of(without)[-1] == []


def test_what_is_asked_first_decides_and_old_items_stay() -> None:
    known = grouped(("sea", "hill", OTHER), [0], [0], [1], [1], [2])
    texts = ["sea ship", "sea fish", "hill goat", "hill path", "hill goat", "goat path"]
    about = facts(texts, [1, 2, 6], [1, 2, 6], [3, 4])
    assert groups_of(by_likeness(known, about, True, True))[4:] == [[2], [1]]
    assert groups_of(by_likeness(known, about, False, True))[4:] == [[2], [0]]
