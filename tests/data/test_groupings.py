"""Groupings: several groups a member, and a group for the rest."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.tables import from_frame
from tastemaker.errors import BadInput

USERS = Grouping.from_labels([["b", "a"], ["a"], [], ["c", "a", "b"]])


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


def test_users_are_grouped_by_labels() -> None:
    found = Grouping.from_labels(["Late", None, "early", " late"])
    assert (found.names, found.of) == (("Late", "early", OTHER), "users")
    assert found.membership.toarray().tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    categorical = pl.Series(["Late", None, "early", "Late"], dtype=pl.Categorical)
    assert Grouping.from_labels(categorical).members(0).tolist() == [True, False, False, True]
    assert USERS.names == ("a", "b", "c", OTHER)
    assert USERS.membership.toarray().tolist() == [
        [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0],
    ]  # fmt: skip


@pytest.mark.parametrize("labels", [[], [None, None], ["", " "], [1, 2], [[1], [2]]])
def test_labels_that_cannot_group_are_refused(labels: list[Any]) -> None:
    with pytest.raises(BadInput) as caught:
        Grouping.from_labels(labels)
    assert caught.value.where == "labels"


def test_events_are_grouped_by_kind() -> None:
    found = Grouping.from_event_names(("buy", "View", "view"))
    assert (found.names, found.of, found.num_members) == (("buy", "View", "view"), "events", 3)
    assert found.membership.toarray().tolist() == np.eye(3).tolist()


def test_shares_are_of_all_memberships_and_sum_to_one() -> None:
    assert USERS.shares().tolist() == pytest.approx([3 / 7, 2 / 7, 1 / 7, 1 / 7])
    counted = USERS.shares(np.array([0, 5, 2, 1]))
    assert counted.tolist() == pytest.approx([6 / 10, 1 / 10, 1 / 10, 2 / 10])
    assert USERS.shares(np.zeros(4, np.int64)).tolist() == [0, 0, 0, 0]


def test_an_unknown_group_is_answered_with_the_nearest_and_a_few() -> None:
    labels = [f"Group {n:03}" for n in range(200)] + ["Comedy"]
    grouping = Grouping.from_labels(labels, "items")
    with pytest.raises(BadInput) as caught:
        grouping.code("comdy", "--boost")
    assert caught.value.where == "--boost"
    assert "'Comedy'" in caught.value.fix
    assert "181 more" in caught.value.fix
    assert len(str(caught.value)) < 500
    with pytest.raises(BadInput) as caught:
        Grouping.from_labels(["War", "Drama"]).code("xylophone")
    assert "mean" not in caught.value.fix
    assert "Drama, War" in caught.value.fix
