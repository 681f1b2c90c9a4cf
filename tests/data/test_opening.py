"""Files are opened by their ending, and a path is a path."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.datasets import load
from tastemaker.data.logs import ENDINGS
from tastemaker.data.opening import SUFFIXES, open_table, suffix_of
from tastemaker.data.problems import BadData

FRAME = pl.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "b"], "timestamp": [1, 2]})


def write(folder: Path, suffix: str, frame: pl.DataFrame = FRAME) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"interactions{suffix}"
    write = {".parquet": frame.write_parquet, ".arrow": frame.write_ipc, ".csv": frame.write_csv}
    write[suffix](path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_stars_and_brackets_in_a_path_are_letters(tmp_path: Path, suffix: str) -> None:
    for name in ("gA", "gB"):
        write(tmp_path / name, suffix)
    for name in ("g*", "run[1]", "a?b", "{x,y}"):
        write(tmp_path / name, suffix, FRAME.head(1))
        assert load(tmp_path / name).interactions.num_events == 1


def test_stars_in_the_path_of_recbole_files(tmp_path: Path) -> None:
    for name, rows in (("g*", 1), ("gA", 2)):
        (tmp_path / name).mkdir()
        head = "user_id:token\titem_id:token\ttimestamp:float\n"
        (tmp_path / name / "x.inter").write_text(head + "u\ta\t1\n" * rows)
    assert load(tmp_path / "g*").interactions.num_events == 1


def test_endings() -> None:
    names = ["A.CSV", "a.csv.gz", "a.gz", "my.log.jsonl.GZ", "noending", ".csv"]
    want = [".csv", ".csv.gz", ".gz", ".jsonl.gz", "", ""]
    assert [suffix_of(Path(name)) for name in names] == want


def test_unknown_endings_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(BadData) as caught:
        open_table(tmp_path / "a.xlsx")
    assert all(suffix in caught.value.problems[0].fix for suffix in SUFFIXES)
    assert ".txt" not in caught.value.problems[0].fix


@pytest.mark.parametrize("name", ["a.xlsx", "a", ".csv", "a.json"])
def test_of_a_log_all_that_is_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadData) as caught:
        load(tmp_path / name)
    (problem,) = caught.value.problems
    assert all(ending in problem.fix for ending in (*ENDINGS, "ratings.dat"))
    assert "''" not in problem.what
    assert ("no ending" in problem.what) is (name in ("a", ".csv"))
