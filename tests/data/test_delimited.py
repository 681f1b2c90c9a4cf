"""CSV as people have it: separators, gzip, blank lines, missing headers."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data import lines
from tastemaker.data.datasets import load
from tastemaker.data.delimited import delimited, tab_separated
from tastemaker.data.problems import BadData, Problem

ROWS = "user_id,item_id,timestamp\nu1,a,10\nu1,b,20\nu2,a,5\n"


def write(path: Path, text: str) -> Path:
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def refused(path: Path) -> Problem:
    with pytest.raises(BadData) as caught:
        load(path)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "T.CSV"])
def test_every_separator_is_read(tmp_path: Path, separator: str, name: str) -> None:
    log = load(write(tmp_path / name, ROWS.replace(",", separator))).interactions
    assert log.num_events == 3
    assert log.user_ids.to_list() == ["u1", "u2"]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_are_passed_over_and_still_counted(tmp_path: Path, name: str, end: str) -> None:
    text = "\nuser_id,item_id,timestamp\nu1,a,10\n\nu1,b,20\n,,\nu2,a,x\n\n".replace("\n", end)
    problem = refused(write(tmp_path / name, text))
    assert (problem.row, problem.column, problem.count) == (5, "timestamp", 1)
    good = load(write(tmp_path / name, text.replace("x", "5")))
    assert good.interactions.num_events == 3
    assert not len(good.dropped)


def test_a_row_of_a_frame_without_values_is_no_blank_line() -> None:
    frame = pl.DataFrame({"user_id": ["a", None], "item_id": ["x", None], "timestamp": [1, None]})
    with pytest.raises(BadData):
        load(frame)


def test_a_row_with_other_columns_filled_is_no_blank_line(tmp_path: Path) -> None:
    text = ROWS.replace("\n", ",x\n").replace("timestamp,x", "timestamp,note") + ",,,lost\n"
    with pytest.raises(BadData) as caught:
        load(write(tmp_path / "t.csv", text))
    assert {problem.row for problem in caught.value.problems} == {4}


@pytest.mark.parametrize("first", ["196,242,3,881250949", "u1,a,1", "u1;a;2020-01-01"])
def test_a_first_line_of_values_is_no_header(tmp_path: Path, first: str) -> None:
    problem = refused(write(tmp_path / "t.csv", first + "\n" + first + "\n"))
    assert "no header" in problem.what


def test_columns_called_by_numbers_are_legal_beside_known_ones(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp,1999\nu,a,1,2\n"
    assert load(write(tmp_path / "t.csv", text)).interactions.num_events == 1


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp,item_id\n1,2,3,4\n"
    assert refused(write(tmp_path / "t.csv", text)).column == "item_id"
    assert refused(write(tmp_path / "t.csv.gz", text)).column == "item_id"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_row_of_too_many_fields_is_named(tmp_path: Path, name: str) -> None:
    assert refused(write(tmp_path / name, ROWS + "u,a,1,2\n")).row == 4


def test_zipped_rows_with_quoted_newlines_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_CHUNK", 16)
    rows = [f'u{n},"a ""x""\nb{n}"' for n in range(50)]
    path = write(tmp_path / "t.csv.gz", "user_id,item_id\n" + "\n".join(rows))
    got = pl.concat(delimited(path).batches())
    assert got["item_id"].to_list() == [f'a "x"\nb{n}' for n in range(50)]


def test_tabs_without_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "t.inter", 'a:token\tb:token\n"x\ty"\n')
    assert next(tab_separated(path).batches()).row(0) == ('"x', 'y"')
