"""A JSON file of rows is read as text columns, or refused with what is wrong."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.json_list import json_list
from tastemaker.data.problems import BadData


def rows(path: Path) -> list[tuple[object, ...]]:
    return pl.concat(json_list(path).batches()).rows()


@pytest.mark.parametrize("text", ['[{"a": 1, "b": "x"}, {"a": "2"}]'])
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("ending", [".json", ".json.gz"])
def test_numbers_become_text_and_missing_keys_null(
    tmp_path: Path, text: str, wrapped: bool, ending: str
) -> None:
    path = tmp_path / f"rows{ending}"
    raw = (f'{{"name": "mock", "data": {text}}}' if wrapped else text).encode()
    path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    assert rows(path) == [("1", "x"), ("2", None)]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("", None),
        ("  ", None),
        ("[]", None),
        ("[{", None),
        ("7", None),
        ('{"a": 1}', None),
        ('{"a": [], "b": []}', None),
        ('[{"a": 1}, 5]', 2),
        ("[" * 100_000, None),
        ('[{"a": "x"}, {"a": "\\ud800"}]', 2),
        ('[{"\\ud800": "x"}]', 1),
    ],
)
def test_what_is_no_list_of_objects_is_refused(tmp_path: Path, text: str, row: int | None) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(BadData) as caught:
        json_list(path)
    assert [(problem.file, problem.row) for problem in caught.value.problems] == [(str(path), row)]


def test_a_file_too_large_to_be_read_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"a": 1}]')
    monkeypatch.setattr("tastemaker.data.json_list.MAX_BYTES", 5)
    with pytest.raises(BadData, match="jsonl"):
        json_list(path)
