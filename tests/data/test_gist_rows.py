"""GISTBench's rows are read from every format alike, and written so that they read the same."""

import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.gist_rows import GistRows, find_gist, looks_like_gist, read_gist
from tastemaker.data.problems import BadData
from tastemaker.data.signals import signals
from tastemaker.errors import BadInput
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

NAMES = ("user_id", "object_id", "object_text", "interaction_type")
ROWS: list[dict[str, object]] = [
    dict(zip(NAMES, row, strict=True))
    for row in (
        (7, 2, "tea, green", "explicit_positive"),
        (7, 1, "kayak", "implicit_negative"),
        (8, 2, "other tea", "implicit_positive"),
        (7, 2, "tea, green", "explicit_positive"),
    )
]


def written(folder: Path, ending: str, rows: list[dict[str, object]]) -> Path:
    path = folder / f"rows{ending}"
    if ending == ".json":
        path.write_text(json.dumps(rows))
    elif ending == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(rows, infer_schema_length=None)
        frame.write_csv(path) if ending == ".csv" else frame.write_parquet(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_users(tmp_path: Path, ending: str) -> None:
    read = read_gist(written(tmp_path, ending, ROWS))
    told = signals(read.interactions, read.declared).user("7")
    assert [tuple(event) for event in told.events] == [
        ("2", "explicit_positive"),
        ("1", "implicit_negative"),
        ("2", "explicit_positive"),
    ]
    assert read.texts == {"2": "tea, green", "1": "kayak"}
    assert read.several == 1


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".parquet"])
def test_times_order_events_where_there_are_times(tmp_path: Path, ending: str) -> None:
    timed = [row | {"interaction_time": 10 - place} for place, row in enumerate(ROWS)]
    read = read_gist(written(tmp_path, ending, timed))
    assert read.interactions.times is not None
    assert read.interactions.times.tolist() == [7, 9, 10, 8]
    bare = read_gist(written(tmp_path, ending, [row | {"interaction_time": None} for row in ROWS]))
    assert bare.interactions.times is None


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".parquet"])
def test_what_is_written_reads_the_same(tmp_path: Path, ending: str) -> None:
    world = plant_users(PlantedOptions(users=2))
    rows = GistRows(world.interactions(), {**world.texts, "i0": "1,\n\"x\" 'y'"}, world.declared)
    rows.save(tmp_path / f"rows{ending}")
    read = read_gist(tmp_path / f"rows{ending}")
    assert read.frame().equals(rows.frame())
    assert read.several == 0
    again = tmp_path / f"again{ending}"
    read.save(again)
    assert again.read_bytes() == (tmp_path / f"rows{ending}").read_bytes()
    with pytest.raises(BadInput):
        rows.save(tmp_path / "rows.xlsx")


def test_an_empty_text_is_a_text(tmp_path: Path) -> None:
    world = plant_users(PlantedOptions(users=1))
    GistRows(world.interactions(), {}, world.declared).save(tmp_path / "rows.csv")
    assert set(read_gist(tmp_path / "rows.csv").texts.values()) == {""}


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl"])
def test_all_problems_are_told_at_once(tmp_path: Path, ending: str) -> None:
    good = ROWS[0] | {"interaction_time": 5}
    bad = [
        good,
        good | {"interaction_type": "liked"},
        good | {"user_id": None},
        good | {"object_text": None},
        good | {"interaction_time": "later"},
        good | {"object_id": None, "interaction_type": None},
        good | {"interaction_type": "liked"},
    ]
    if ending == ".csv":
        bad = [{name: value and str(value) for name, value in row.items()} for row in bad]
    with pytest.raises(BadData) as caught:
        read_gist(written(tmp_path, ending, bad))
    told = {(p.column, p.row, p.count) for p in caught.value.problems}
    assert told == {
        ("interaction_type", 2, 2),
        ("user_id", 3, 1),
        ("object_text", 4, 1),
        ("interaction_time", 5, 1),
        ("object_id", 6, 1),
        ("interaction_type", 6, 1),
    }
    kinds = next(p for p in caught.value.problems if p.row == 2)
    assert kinds.value == "'liked'" and "implicit_negative" in kinds.fix


def test_missing_columns_are_named_and_columns_of_other_logs_ignored(tmp_path: Path) -> None:
    some = [{key: row[key] for key in ("user_id", "object_id")} for row in ROWS]
    with pytest.raises(BadData) as caught:
        read_gist(written(tmp_path, ".csv", some))
    assert [p.column for p in caught.value.problems] == ["object_text", "interaction_type"]
    odd = [row | {"split": "?", "value": "x", "row": "y", "item_id": None} for row in ROWS]
    assert read_gist(written(tmp_path, ".json", odd)).interactions.num_events == 4


def test_files_and_folders_of_rows_are_known_by_their_columns(tmp_path: Path) -> None:
    assert find_gist(tmp_path) is None
    (tmp_path / "oracle.json").write_text('{"oracle": {"7": [1]}}')
    (tmp_path / "items.csv").write_text("item_id,title\n1,a\n")
    first = written(tmp_path, ".csv", ROWS)
    assert find_gist(tmp_path) == first
    assert not looks_like_gist(tmp_path / "oracle.json")
    assert looks_like_gist(written(tmp_path, ".parquet", ROWS))
    with pytest.raises(BadInput):
        find_gist(tmp_path)


def test_the_published_mock_is_read(shared_data: Path) -> None:
    folder = shared_data / "gistbench"
    if not folder.is_dir():
        pytest.skip("the folder of real data has no gistbench")
    mock = read_gist(folder / "mock_dataset.json")
    assert (mock.interactions.num_events, mock.interactions.num_users) == (25, 3)
    sample = read_gist(folder / "sample_user26.csv")
    assert sample.interactions.user_ids.to_list() == ["26"]
    assert sample.interactions.num_events == 40
    assert all(sample.texts.values())
