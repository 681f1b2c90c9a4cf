"""Codes that somebody else made: read by item, and every fault named at once."""

import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.given_codes import given_codes
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput

IDS = pl.Series(["x", "y", "z"])


def written(folder: Path, value: object) -> Path:
    path = folder / "index.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_codes_are_read_in_the_order_of_items(tmp_path: Path) -> None:
    table = {"z": ["<a_10>", "<b_0>"], "other": ["<a_0>"], "x": ["<a_9>", "<b_0>"],
             "y": ["<a_10>", "<b_3>"]}  # fmt: skip
    ids = given_codes(written(tmp_path, table), IDS)
    assert ids.codes.tolist() == [[0, 0], [1, 1], [1, 0]]


def test_numbers_do_as_well_and_shared_codes_are_told_apart(tmp_path: Path) -> None:
    ids = given_codes(written(tmp_path, {"x": [5, 7], "y": [5, 7], "z": [5, 8]}), IDS)
    assert ids.codes.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, -1]]


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    items = pl.Series(["x", "y", "z", "gone", "bare"])
    table = {"x": ["a", "b"], "y": ["a"], "z": [1.5, 2], "bare": []}
    with pytest.raises(BadData) as caught:
        given_codes(written(tmp_path, table), items)
    assert [problem.count for problem in caught.value.problems] == [1, 2, 1]
    assert "gone" in caught.value.problems[0].value


@pytest.mark.parametrize("value", ["{", "[1]", "[" * 100_000, "3"])
def test_what_is_no_object_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        given_codes(written(tmp_path, value), IDS)
    with pytest.raises(BadInput):
        given_codes(tmp_path / "nowhere.json", IDS)
