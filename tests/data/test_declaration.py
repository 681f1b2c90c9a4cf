"""dataset.json: read strictly, defaulted sparsely."""

import json
from pathlib import Path

import pytest

from tastemaker.data.declaration import Declaration, ValueBands, read_declaration
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "a", "name": "b"}', "'name' stands there twice"),
        ('{"events": {"view": "implicit_positive", "view": "implicit_negative"}}', "'view'"),
        ('{"value": {"bands": {"explicit_positive": [1, NaN]}}}', "nan is not a number"),
        ('{"value": {"bands": {"explicit_positive": [1, 1e999]}}}', "inf is not a number"),
        ('{"value": {"bands": {"explicit_positive": [1, 1' + "0" * 400 + "]}}}", "not a number"),
        (
            '{"value": {"bands": {"explicit_positive": [3, 5], "implicit_negative": [1, 3]}}}',
            "3 to 3",
        ),
        ('{"events": {"": "implicit_positive"}}', "no name"),
        ('{"events": {"a\\u001fb": "implicit_positive"}}', "no name"),
        (
            json.dumps({"events": {f"e{n}": "implicit_positive" for n in range(257)}}),
            "257 kinds",
        ),
    ],
)
def test_declarations_that_contradict_themselves(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(BadInput) as caught:
        read_declaration(tmp_path)
    assert words in caught.value.what
    assert caught.value.fix
    assert caught.value.where


def test_bands_of_one_sign_may_overlap_and_256_events_are_legal(tmp_path: Path) -> None:
    bands = {"explicit_positive": [4, 5], "implicit_positive": [3, 4]}
    events = {f"e{n}": "implicit_positive" for n in range(256)}
    text = json.dumps({"events": events, "value": {"bands": bands}})
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8-sig")
    found = read_declaration(tmp_path)
    assert found.bands == {"explicit_positive": (4.0, 5.0), "implicit_positive": (3.0, 4.0)}


@pytest.mark.parametrize(
    "declared",
    [
        Declaration(),
        Declaration(
            name="é",
            time_unit="ms",
            events={"like": "explicit_positive", "skip": "implicit_negative"},
            value=ValueBands("rating", {"explicit_negative": (1.0, 2.5)}),
            duplicates="keep",
        ),
    ],
)
def test_what_is_saved_comes_back(declared: Declaration, tmp_path: Path) -> None:
    declared.save(tmp_path / "declaration.json")
    assert Declaration.open(tmp_path / "declaration.json") == declared


def test_a_log_without_an_event_column_is_of_the_one_kind_declared() -> None:
    assert Declaration().only_event == "view"
    assert Declaration(events={"buy": "explicit_positive"}).only_event == "buy"
    both = Declaration(events={"buy": "explicit_positive", "view": "implicit_positive"})
    assert both.only_event == "view"
    neither = {"buy": "explicit_positive", "skip": "implicit_negative"}
    assert Declaration(events=neither).only_event is None
