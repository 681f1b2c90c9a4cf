"""Lines without a header: sequences and columns are told apart, and doubt is an error."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data import lines
from tastemaker.data.datasets import load
from tastemaker.data.plain_text import plain_text
from tastemaker.data.problems import BadData, Problem


def write(folder: Path, text: str, name: str = "log.txt") -> Path:
    (folder / name).write_text(text)
    return folder / name


def refused(path: Path) -> Problem:
    with pytest.raises(BadData) as caught:
        load(path)
    return caught.value.problems[0]


@pytest.mark.parametrize("gap", [" ", "\t", "  "])
def test_ratings_in_columns(tmp_path: Path, gap: str) -> None:
    text = "1 1 2\n1 2 4\n\n1 3 3.5\n2 1 4\n2 3 0.5\n".replace(" ", gap)
    found = load(write(tmp_path, text))
    log = found.interactions
    assert (log.num_users, log.num_items, log.num_events) == (2, 3, 5)
    assert log.values is not None and log.values.tolist() == [2, 4, 3.5, 4, 0.5]
    assert log.event_names == ("rating",)
    assert log.times is None
    assert found.warnings  # nothing says which came first


@pytest.mark.parametrize("name", ["u.txt", "u.data"])
def test_ratings_with_times(tmp_path: Path, name: str) -> None:
    text = "1\t242\t3\t891717742\n1\t302\t4\t881250949\n"
    write(tmp_path, text, name)
    for data in (tmp_path, tmp_path / name):
        log = load(data).interactions
        assert log.times is not None and log.times.tolist() == [881250949, 891717742]
        assert log.decode(log.items) == ["302", "242"]
        assert log.values is not None and log.values.tolist() == [4, 3]


def test_a_third_column_of_times(tmp_path: Path) -> None:
    log = load(write(tmp_path, "1 a 1500000002\n1 b 1500000001\n")).interactions
    assert log.times is not None and log.times.tolist() == [1500000001, 1500000002]
    assert log.values is None


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("1 2 3\n7\n", 2),
        ("1 1 2\n1 2 4\n1 3\n2 1 4\n", 2),  # a row too short
        ("1 2 3 4 5\n2 3 4\n1 6 7\n", 3),  # two sequences of one user
        ("1 2 x\n1 3 y\n", 2),  # words where a rating would be
        ("1 2\n1 3 4\n", 2),
        ("the quick brown fox\nis here\nthe end of it\n", 3),
        ("1,2,3\n4,5,6\n", 1),
        ("<a_1>\tA pen, blue\t0\n<a_2>\tA cup\t1\n", 1),  # sid, title, id
        ("Greatest Hits\t0\n", 1),
        ("0, A pen, x\n1, A cup, y\n", 1),
        ("user item rating\n1 2 3\n1 3 4\n", None),
        ("\n \n", None),
    ],
)
def test_what_is_no_sequence_is_refused(tmp_path: Path, text: str, row: int | None) -> None:
    problem = refused(write(tmp_path, text))
    assert problem.row == row
    assert problem.fix


def test_a_late_row_of_another_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemaker.data.plain_text._SAMPLE", 4)
    monkeypatch.setattr(lines, "_CHUNK", 8)
    text = "".join(f"{n % 2} {n} 3\n" for n in range(20)) + "1 2 3 4\n"
    assert refused(write(tmp_path, text)).row == 21


def test_a_user_who_comes_again_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemaker.data.plain_text._SAMPLE", 4)
    monkeypatch.setattr(lines, "_CHUNK", 8)
    text = "".join(f"{n} {n} 3\n" for n in range(20)) + "1 2 3\n"
    assert refused(write(tmp_path, text)).row == 21


def test_sequences_of_one_width_and_a_line_an_event(tmp_path: Path) -> None:
    assert plain_text(write(tmp_path, "1 2 3\n2 3 4\n")).columns == ("user_id", "item_id")
    path = write(tmp_path, "a x\nb x\na y\n")
    log = load(path).interactions
    assert log.decode(log.history(0)) == ["x", "y"]
    table = plain_text(write(tmp_path, "u\ti1 i2 i3\nv\ti1\n")).table()
    assert pl.concat(table.batches())["user_id"].to_list() == ["u", "u", "u", "v"]


def test_text_with_a_header_is_a_table(tmp_path: Path) -> None:
    text = "user_id\titem_id\ttimestamp\nu\ta\t1\nu\tb\t2\n"
    assert load(write(tmp_path, text)).interactions.num_events == 2


def test_blank_lines_count_as_rows(tmp_path: Path) -> None:
    problem = refused(write(tmp_path, "1 2 3 10\n\n1 3 3 20\n1 4 3 -5\n"))
    assert (problem.row, problem.column) == (4, "timestamp")
