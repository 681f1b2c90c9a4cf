"""JSON lines become text columns; faults name their row."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data import lines
from tastemaker.data.datasets import load
from tastemaker.data.json_lines import json_lines
from tastemaker.data.problems import BadData


def write(path: Path, rows: list[object]) -> Path:
    raw = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def row(user: object, item: object, time: object, **more: object) -> dict[str, object]:
    return {"user_id": user, "item_id": item, "timestamp": time, **more}


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.jsonl.gz"])
def test_objects_are_rows(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_CHUNK", 64)
    rows = [row(7, "007", 1.0), "", row("z", 12345678901234567890, 2), row(7, "x", "1970-01-02")]
    log = load(write(tmp_path / name, rows)).interactions
    assert log.user_ids.to_list() == ["7", "z"]
    assert set(log.item_ids) == {"007", "12345678901234567890", "x"}


def test_a_key_that_comes_late_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_CHUNK", 64)
    rows = [row("u", f"i{n}", n) for n in range(50)] + [row("u", "last", 99, value=3)]
    values = load(write(tmp_path / "t.jsonl", list(rows))).interactions.values
    assert values is not None
    assert values[-1] == 3
    assert np.isnan(values[:-1]).all()


def test_lists_stay_lists(tmp_path: Path) -> None:
    rows: list[object] = [{"item_id": "a", "categories": ["x", "y"]}, {"item_id": "b"}]
    table = json_lines(write(tmp_path / "items.jsonl", rows))
    assert table.schema["categories"] == pl.List(pl.String)
    assert pl.concat(table.batches())["categories"].to_list() == [["x", "y"], None]


@pytest.mark.parametrize("bad", ["{oops", "[1, 2]", '"text"', "7"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(BadData) as caught:
        load(write(tmp_path / "t.jsonl", [row("u", "a", 1), "", bad]))
    assert caught.value.problems[0].row == 3


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        load(write(tmp_path / "t.jsonl", [row("u", "a", 1), "", row("u", "b", -5)]))
    assert caught.value.problems[0].row == 3
