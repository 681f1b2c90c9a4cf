"""Semantic ids: one sequence an item whatever the codes are, and files that are not believed."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import ArtefactError, BadInput


def sequences(ids: SemanticIds) -> list[tuple[int, ...]]:
    return [tuple(int(code) for code in row if code >= 0) for row in ids.codes]


def test_items_that_share_all_codes_get_one_more_and_others_do_not() -> None:
    ids = SemanticIds.of([[7, 1], [7, 2], [7, 1], [9, 1], [7, 1]])
    assert sequences(ids) == [(0, 0, 0), (0, 1), (0, 0, 1), (1, 0), (0, 0, 2)]
    assert ids.sizes == (2, 2, 3)
    assert ids.tokens().tolist() == [[0, 2, 4], [0, 3, -1], [0, 2, 5], [1, 2, -1], [0, 2, 6]]
    assert (ids.num_items, ids.num_tokens) == (5, 7)


def test_codes_that_are_unique_stay_as_they_are() -> None:
    ids = SemanticIds.of([[0, 1], [0, 0], [1, 0]])
    assert ids.codes.tolist() == [[0, 1], [0, 0], [1, 0]]
    assert ids.sizes == (2, 2)


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_is_another_or_begins_it(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 3, (60, 2))
    ids = SemanticIds.of(codes)
    found = sequences(ids)
    assert len(set(found)) == 60
    assert not any(a != b and b[: len(a)] == a for a in found for b in found)
    assert np.array_equal(ids.codes, SemanticIds.of(codes).codes)


@pytest.mark.parametrize("codes", [np.zeros((0, 3)), np.zeros((3, 0)), [1, 2]])
def test_nothing_is_refused(codes: object) -> None:
    with pytest.raises(BadInput):
        SemanticIds.of(codes)  # type: ignore[arg-type]


def test_saved_and_opened_they_are_the_same(tmp_path: Path) -> None:
    for codes in ([[7, 1], [7, 2], [7, 1]], [[3], [1], [2]]):
        ids, path = SemanticIds.of(codes), tmp_path / "ids.arrow"
        ids.save(path)
        again = SemanticIds.open(path, 3)
        assert np.array_equal(again.codes, ids.codes)
        assert again.codes.dtype == ids.codes.dtype
        assert again.sizes == ids.sizes
        path.unlink()


@pytest.mark.parametrize(
    ("codes", "sizes"),
    [
        ([[0, 0], [0, 2]], [1, 2]),
        ([[0, 0], [-1, 1]], [1, 2]),
        ([[0, 0], [0, -2]], [1, 2]),
        ([[0, 1], [0, 1]], [1, 2]),
        ([[0, 1], [0, -1]], [1, 2]),
        ([[0], [-1]], [1]),
        ([[0, 0], [0, 1]], [1]),
        ([[0, 0], [0, 1]], [1, 0]),
        ([[0, 0], [0, 1]], "[1"),
    ],
)
def test_damage_is_refused(codes: list[list[int]], sizes: object, tmp_path: Path) -> None:
    columns = np.array(codes, np.int32).T
    table = pa.table({f"level{n}": pa.array(column) for n, column in enumerate(columns)})
    said = sizes if isinstance(sizes, str) else json.dumps(sizes)
    write_arrow(tmp_path / "ids.arrow", table.replace_schema_metadata({"sizes": said}))
    with pytest.raises(ArtefactError):
        SemanticIds.open(tmp_path / "ids.arrow", 2)


def test_another_catalogue_and_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.arrow"
    SemanticIds.of([[0], [1]]).save(path)
    with pytest.raises(ArtefactError):
        SemanticIds.open(path, 3)
    table = open_arrow(path)
    renamed = pa.table({"other": table["level0"]}).replace_schema_metadata(table.schema.metadata)
    write_arrow(tmp_path / "renamed.arrow", renamed)
    with pytest.raises(ArtefactError):
        SemanticIds.open(tmp_path / "renamed.arrow", 2)
