"""Groupings: several groups a member, a group for the rest, and the same again after saving."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.catalog import Catalog
from tastemaker.data.groupings import OTHER, Grouping, Of
from tastemaker.data.tables import from_frame
from tastemaker.errors import ArtefactError, BadInput

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


@pytest.mark.parametrize(
    "kept",
    [
        USERS,
        grouping([["Drama"], ["Krieg · Frieden"], None], ["a", "b", "c"]),
        Grouping.from_labels(["x", "y", "x"], "items"),
        Grouping.from_event_names(("View", "view")),
        Grouping.from_event_names(()),
        Grouping(("a", "b"), sp.csr_array(np.array([[0, 0], [1, 0], [0, 0]], np.float32))),
    ],
)
def test_a_saved_grouping_is_the_same_again(kept: Grouping, tmp_path: Path) -> None:
    kept.save(tmp_path / "groups.arrow")
    again = Grouping.open(tmp_path / "groups.arrow", kept.of, kept.num_members)
    assert (again.names, again.of) == (kept.names, kept.of)
    assert again.membership.dtype == kept.membership.dtype
    assert again.membership.toarray().tolist() == kept.membership.toarray().tolist()
    assert again.shares().tolist() == kept.shares().tolist()


@pytest.mark.parametrize(("of", "members"), [("items", 4), ("users", 3), ("users", 5)])
def test_a_grouping_of_something_else_is_refused(of: Of, members: int, tmp_path: Path) -> None:
    USERS.save(tmp_path / "groups.arrow")
    with pytest.raises(ArtefactError) as caught:
        Grouping.open(tmp_path / "groups.arrow", of, members)
    assert caught.value.file == str(tmp_path / "groups.arrow")


def stored(lists: object, **meta: str) -> pa.Table:
    told = {"of": "users", "names": json.dumps(USERS.names)} | meta
    column = pa.array(lists, pa.large_list(pa.int32()))
    return pa.table({"groups": column}).replace_schema_metadata(told)


SOUND = [[0, 1], [0], [3], [0, 1, 2]]


@pytest.mark.parametrize(
    "table",
    [
        stored([[0, 1], [0], [4], []]),
        stored([[0, 1], [0], [-1], []]),
        stored([[1, 0], [0], [3], []]),
        stored([[0, 0], [0], [3], []]),
        stored([[0, 1], None, [3], []]),
        stored([[0, 1], [None], [3], []]),
        stored(SOUND, of="pages"),
        stored(SOUND, names="[1, 2, 3, 4]"),
        stored(SOUND, names='["a", "b", "a", "c"]'),
        stored(SOUND, names='"abcd"'),
        stored(SOUND, names="[" * 100_000),
        stored(SOUND).replace_schema_metadata(None),
        stored(SOUND).rename_columns(["lists"]),
        stored(SOUND).append_column("more", pa.array([1, 2, 3, 4])),
        stored(SOUND).set_column(0, "groups", pa.array(SOUND)),
    ],
)
def test_a_damaged_grouping_is_refused(table: pa.Table, tmp_path: Path) -> None:
    write_arrow(tmp_path / "groups.arrow", table)
    with pytest.raises(ArtefactError) as caught:
        Grouping.open(tmp_path / "groups.arrow", "users", 4)
    assert caught.value.file == str(tmp_path / "groups.arrow")


def test_the_sound_table_of_these_tests_is_what_is_saved(tmp_path: Path) -> None:
    USERS.save(tmp_path / "groups.arrow")
    assert open_arrow(tmp_path / "groups.arrow").equals(stored(SOUND), check_metadata=True)


def test_a_cut_or_changed_file_is_refused_or_sound(tmp_path: Path) -> None:
    """No byte of it sends a code out of range; sums that tell every change stand in manifests."""
    path = tmp_path / "groups.arrow"
    USERS.save(path)
    raw = path.read_bytes()
    files = [raw[:length] for length in range(0, len(raw), 7)]
    files += [raw[:i] + bytes([raw[i] ^ 0xFF]) + raw[i + 1 :] for i in range(len(raw))]
    refused = 0
    for content in files:
        path.write_bytes(content)
        try:
            found = Grouping.open(path, "users", 4)
        except ArtefactError:
            refused += 1
        else:
            assert found.membership.toarray().shape == (4, 4)
    assert refused > len(raw) // 7


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
