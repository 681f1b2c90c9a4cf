"""Groupings in files: the same again after saving, and nothing damaged is believed."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.grouping_files import Of, read_grouping, write_grouping
from tastemaker.data.groupings import Grouping
from tastemaker.errors import ArtefactError

USERS = Grouping.from_labels([["b", "a"], ["a"], [], ["c", "a", "b"]])


@pytest.mark.parametrize(
    "written",
    [
        USERS,
        Grouping.from_labels([["Drama"], ["Krieg · Frieden"], []], "items"),
        Grouping.from_labels(["x", "y", "x"], "items"),
        Grouping.from_event_names(("View", "view")),
        Grouping.from_event_names(()),
        Grouping(("a", "b"), sp.csr_array(np.array([[0, 0], [1, 0], [0, 0]], np.float32))),
    ],
)
def test_a_saved_grouping_is_the_same_again(written: Grouping, tmp_path: Path) -> None:
    written.save(tmp_path / "groups.arrow")
    again = Grouping.open(tmp_path / "groups.arrow", written.of, written.num_members)
    assert (again.names, again.of) == (written.names, written.of)
    assert again.membership.dtype == written.membership.dtype
    assert again.membership.toarray().tolist() == written.membership.toarray().tolist()
    assert again.shares().tolist() == written.shares().tolist()


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
            again = Grouping.open(path, "users", 4)
        except ArtefactError:
            refused += 1
        else:
            assert again.membership.toarray().shape == (4, 4)
    assert refused > len(raw) // 7


def test_a_membership_written_twice_or_as_zero_is_read_once_or_not_at_all(tmp_path: Path) -> None:
    path, ones = tmp_path / "groups.arrow", np.array([1, 1, 0, 1], np.float32)
    columns, bounds = np.array([1, 1, 0, 0]), np.array([0, 2, 4])
    membership = sp.csr_array((ones, columns, bounds), (2, 2))
    write_grouping(path, ("a", "b"), membership, "users")
    names, again = read_grouping(path, "users", 2)
    assert names == ("a", "b")
    assert again.toarray().tolist() == [[0, 1], [1, 0]]
    assert len(membership.data) == 4  # what is written is left as it was
