"""The files of a ready-made split are one log; problems name the file and the row in it."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.datasets import Dataset, load
from tastemaker.data.problems import BadData

HEAD = "user_id,item_id,timestamp\n"
PARTS = {
    "train": "u,a,1\nu,b,2\nv,a,1\nv,c,2\n",
    "valid": "u,c,3\nv,b,3\n",
    "test": "u,d,4\nv,a,9\n",
}


def write(folder: Path, **changed: str) -> Path:
    for part, rows in {**PARTS, **changed}.items():
        (folder / f"{part}.csv").write_text(HEAD + rows)
    return folder


def parts_of(found: Dataset) -> dict[str, list[str]]:
    log = found.interactions
    assert log.parts is not None
    return {
        user: list(map("{}{}".format, log.parts[own], log.decode(log.items[own])))
        for code, user in enumerate(log.user_ids)
        for own in [slice(log.offsets[code], log.offsets[code + 1])]
    }


WANT = {"u": ["0a", "0b", "1c", "2d"], "v": ["0a", "0c", "1b", "2a"]}


def test_tables_named_by_part(tmp_path: Path) -> None:
    assert parts_of(load(write(tmp_path))) == WANT


def test_three_files_of_recbole(tmp_path: Path) -> None:
    head = "user_id:token\titem_id:token\ttimestamp:float\n"
    for part, rows in PARTS.items():
        (tmp_path / f"x.{part}.inter").write_text(head + rows.replace(",", "\t"))
    assert parts_of(load(tmp_path)) == WANT


def test_three_files_of_sequences(tmp_path: Path) -> None:
    for part, rows in {
        "train": "u a b\nv a c\n",
        "val": "u c\nv b\n",
        "test": "u d\nv a\n",
    }.items():
        (tmp_path / f"{part}.txt").write_text(rows)
    assert parts_of(load(tmp_path)) == WANT


@pytest.mark.parametrize("word", ["valid", "validation", "val", "dev", " Valid"])
def test_a_column_says_the_part(word: str) -> None:
    words = {"train": "train", "valid": word, "test": "TEST"}
    rows = [(*row.split(","), words[p]) for p in PARTS for row in PARTS[p].splitlines()]
    names = ["user_id", "item_id", "timestamp", "split"]
    frame = pl.DataFrame(rows[::-1], schema=names, orient="row")
    assert parts_of(load(frame)) == WANT


def test_a_word_that_is_no_part_is_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("user_id,item_id,timestamp,split\nu,a,1,train\nu,b,2,holdout\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.column, problem.row, problem.value) == ("split", 2, "'holdout'")


def test_problems_name_their_file_and_row(tmp_path: Path) -> None:
    write(tmp_path, valid="u,c,3\n\nv,b,-3\n", test="u,d,4\n,a,9\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    places = {p.column: (Path(p.file).name, p.row) for p in caught.value.problems}
    assert places == {"timestamp": ("valid.csv", 3), "user_id": ("test.csv", 2)}


def test_rows_left_out_name_their_file(tmp_path: Path) -> None:
    write(tmp_path, valid="u,c,3\nv,b,-3\n", test="u,d,4\nv,a,x\n")
    found = load(tmp_path, bad_rows=tmp_path / "bad.csv")
    places = [(Path(file).name, row) for file, row in found.dropped.select("file", "row").rows()]
    assert places == [("valid.csv", 2), ("test.csv", 2)]
    assert found.interactions.num_events == 6


def test_a_fault_of_one_file_is_told_as_its_own(tmp_path: Path) -> None:
    write(tmp_path, test="u,d,4\nv,a,9,9,9\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.row) == ("test.csv", 2)


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "test.csv").write_text("user_id,item_id\nu,d\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    assert caught.value.problems[0].column == "timestamp"


def test_columns_that_are_not_read_may_differ(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "test.csv").write_text("note," + HEAD + "n,u,d,4\nn,v,a,9\n")
    assert parts_of(load(tmp_path)) == WANT


def test_values_rows_and_zones_of_a_split(tmp_path: Path) -> None:
    """A declared value column, row numbers and zones are read beside the parts."""
    head = "user_id,item_id,timestamp,stars,row\n"
    day = "2024-01-01T10:00:00Z"
    for part, rows in {
        "train": f"u,b,{day},5,2\n\nu,a,{day},1,1\n",
        "test": f"u,c,{day},4,3\n",
    }.items():
        (tmp_path / f"{part}.csv").write_text(head + rows)
    (tmp_path / "dataset.json").write_text('{"value": {"column": "stars"}}')
    found = load(tmp_path)
    assert parts_of(found) == {"u": ["0a", "0b", "2c"]}
    assert found.interactions.values is not None
    assert found.interactions.values.tolist() == [1, 5, 4]
    (tmp_path / "test.csv").write_text(head + "\nu,c,2024-01-01T10:00:00,4,3\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.column, Path(problem.file).name, problem.row) == ("timestamp", "test.csv", 2)


def test_ratings_of_a_split_are_known_by_the_name_in_the_files(tmp_path: Path) -> None:
    head = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    for part, row in {"train": "u\ta\t5\t1\n", "test": "u\tb\t1\t2\n"}.items():
        (tmp_path / f"x.{part}.inter").write_text(head + row)
    (tmp_path / "dataset.json").write_text(
        '{"value": {"column": "rating", "bands": {"explicit_negative": [1, 2]}}}'
    )
    assert load(tmp_path).positives().num_events == 1


@pytest.mark.parametrize("column", ["row", "value"])
def test_a_column_that_only_some_files_have_is_refused(tmp_path: Path, column: str) -> None:
    write(tmp_path)
    (tmp_path / "test.csv").write_text(f"user_id,item_id,timestamp,{column}\nu,d,4,1\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    assert caught.value.problems[0].column == column


def test_a_column_that_one_file_names_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "test.csv").write_text("user_id,item_id,timestamp,item_id\nu,d,4,e\n")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.column, Path(problem.file).name) == ("item_id", "test.csv")


def test_rows_left_out_of_several_files_are_all_counted(tmp_path: Path) -> None:
    write(tmp_path, valid="u,c,3\nv,b,-3\n", test="u,d,4\nv,,x\n")
    assert load(tmp_path, bad_rows=tmp_path / "bad.csv").check()["dropped"] == 2
