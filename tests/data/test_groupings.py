"""Groupings: several groups an item, and a group for the rest."""

import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.tables import from_frame
from tastemaker.errors import BadInput


def grouping(categories: list[list[str] | None], ids: list[str]) -> Grouping:
    frame = pl.DataFrame(
        {"item_id": list("abcdef")[: len(categories)], "categories": categories},
        schema_overrides={"categories": pl.List(pl.String)},
    )
    return Grouping.from_categories(Catalog.from_table(from_frame(frame)), pl.Series(ids))


def test_items_belong_to_all_their_groups_and_the_rest_to_other() -> None:
    found = grouping([["War", "Drama"], ["Drama"], None, []], ["c", "a", "unknown", "b", "d"])
    assert found.names == ("Drama", "War", OTHER)
    assert found.num_groups == 3
    assert found.membership.toarray().tolist() == [
        [0, 0, 1],
        [1, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
        [0, 0, 1],
    ]


def test_without_a_rest_there_is_no_other() -> None:
    found = grouping([["x"], ["x", "x", "y"]], ["a", "b"])
    assert found.names == ("x", "y")
    assert found.membership.toarray().tolist() == [[1, 0], [1, 1]]


def test_a_category_called_other_is_that_group() -> None:
    found = grouping([["other"], ["x"], None], ["a", "b", "c"])
    assert found.names == ("x", OTHER)
    assert found.membership.toarray().tolist() == [[0, 1], [1, 0], [0, 1]]


def test_groups_are_found_by_name() -> None:
    found = grouping([["War"], ["Drama"]], ["a", "b"])
    assert found.code("war") == 1
    assert found.members(1).tolist() == [True, False]
    with pytest.raises(BadInput, match="no group 'Peace'") as caught:
        found.code("Peace")
    assert "Drama, War" in caught.value.fix


def test_a_catalogue_without_categories_cannot_group() -> None:
    with pytest.raises(BadInput, match="no item a category"):
        grouping([None, []], ["a", "b"])


def test_spellings_of_a_name_are_one_group() -> None:
    found = grouping([["War "], ["war", "WAR"], ["Drama", "war"]], ["a", "b", "c"])
    assert found.names == ("Drama", "war")
    assert found.membership.toarray().tolist() == [[0, 1], [0, 1], [1, 1]]
    for name in ("war", "WAR", " War "):
        assert found.code(name) == 1


def test_the_rest_has_one_group_however_it_is_spelt() -> None:
    found = grouping([["Other"], ["x", "OTHER"], None], ["a", "b", "c"])
    assert found.names == ("x", OTHER)
    assert found.membership.toarray().tolist() == [[0, 1], [1, 1], [0, 1]]


def test_a_catalogue_made_by_hand_is_grouped_alike() -> None:
    frame = pl.DataFrame({"item_id": ["a", "b"], "categories": [["War"], [" war", "War"]]})
    found = Grouping.from_categories(Catalog(frame), pl.Series(["a", "b"]))
    assert found.names == ("War",)
    assert found.membership.toarray().tolist() == [[1], [1]]
