"""The ground of a model: items in code order, their training events, their categories."""

import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, EVENT, Ground

IDS, TRAIN = pl.Series(["b", "x", "a"]), Contexts.single([1, 3])


def catalog(categories: list[list[str] | None]) -> Catalog:
    known = {"item_id": ["a", "b"], "categories": categories}
    return Catalog(pl.DataFrame({name: known.get(name, [None, None]) for name in SCHEMA}, SCHEMA))


def test_items_are_in_the_order_of_their_codes() -> None:
    ground = Ground.of(IDS, catalog([["Drama"], ["War"]]), TRAIN)
    assert ground.num_items == 3
    assert ground.catalog.frame["item_id"].to_list() == ["b", "x", "a"]
    assert ground.train is TRAIN
    groups = ground.groupings[CATEGORY]
    assert [groups.names[at] for at in groups.membership.toarray().argmax(1)] == [
        "War", "other", "Drama",
    ]  # fmt: skip


def test_without_categories_there_is_no_grouping() -> None:
    for known in (catalog([None, None]), catalog([[], None]), Catalog.empty()):
        assert Ground.of(IDS, known, TRAIN).groupings == {}


def test_nothing_need_be_known_but_how_many_items_there_are() -> None:
    ground = Ground(5)
    assert (len(ground.catalog.frame), ground.train, ground.groupings) == (0, None, {})


def test_items_that_the_log_never_saw_are_kept_apart() -> None:
    known = {"item_id": ["n", "a", "m", "b"], "title": ["N", "A", "M", "B"]}
    empty = [None] * 4
    frame = pl.DataFrame({name: known.get(name, empty) for name in SCHEMA}, SCHEMA)
    ground = Ground.of(IDS, Catalog(frame), TRAIN)
    assert ground.unseen.frame["item_id"].to_list() == ["n", "m"]
    assert ground.catalog.frame["title"].to_list() == ["B", None, "A"]


def test_kinds_of_event_are_a_grouping_where_the_log_names_them() -> None:
    ground = Ground.of(IDS, catalog([["Drama"], ["War"]]), TRAIN, ("view", "buy"))
    assert list(ground.groupings) == [CATEGORY, EVENT]
    assert (ground.groupings[EVENT].names, ground.groupings[EVENT].of) == (
        ("view", "buy"),
        "events",
    )
    assert list(Ground.of(IDS, Catalog.empty(), event_names=("view",)).groupings) == [EVENT]
