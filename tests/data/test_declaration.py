"""dataset.json: read strictly, defaulted sparsely."""

import json
from pathlib import Path

import pytest

from tastemaker.data.declaration import Declaration, read_declaration
from tastemaker.errors import BadInput


def test_without_a_file_views_are_positive_and_time_is_in_seconds(tmp_path: Path) -> None:
    found = read_declaration(tmp_path)
    assert found == Declaration(name=tmp_path.name)
    assert found.positive_events == ("view",)
    assert (found.time_unit, found.duplicates) == ("s", "error")


def test_everything_can_be_declared(tmp_path: Path) -> None:
    values = {
        "name": "shop",
        "licence": "own",
        "time_unit": "ms",
        "events": {"view": "implicit_positive", "like": "explicit_positive",
                   "skip": "implicit_negative", "hide": "explicit_negative"},
        "value": {"column": "stars", "bands": {"explicit_negative": [1, 2]}},
        "duplicates": "keep",
    }  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(values))
    found = read_declaration(tmp_path)
    assert found.positive_events == ("view", "like")
    assert found.value is not None
    assert found.value.bands == {"explicit_negative": (1.0, 2.0)}


@pytest.mark.parametrize(
    "values",
    [
        {"event": {}},
        {"events": ["view"]},
        {"events": {"view": 1}},
        {"value": {"bands": {"nice": [1, 2]}}},
        {"value": {"bands": {"explicit_positive": [1, 2, 3]}}},
        {"name": 7},
        {"duplicates": "drop"},
    ],
)
def test_anything_else_is_refused_with_the_file(tmp_path: Path, values: object) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps(values))
    with pytest.raises(BadInput) as caught:
        read_declaration(tmp_path)
    assert "dataset.json" in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"[" * 100_000, b""])
def test_files_that_are_no_json(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "dataset.json").write_bytes(raw)
    with pytest.raises(BadInput, match="not JSON"):
        read_declaration(tmp_path)
