"""Public formats that are broken are refused with file and row."""

import gzip
from pathlib import Path

import pytest

from tastemaker.data.datasets import load
from tastemaker.data.problems import BadData


def refused(path: Path, row: int | None, cause: str) -> None:
    with pytest.raises(BadData) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert path.name in problem.file
    assert problem.row == row
    assert cause in problem.what


def test_a_dat_row_with_a_field_too_many(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::2::3::4\n1::2::3::4::5\n")
    refused(tmp_path / "ratings.dat", 2, "5 fields, not 4")


def test_a_user_without_items(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_text("1 2 3\n7\n")
    refused(tmp_path / "sequences.txt", 2, "no item")


def test_a_gzip_that_is_cut_short(tmp_path: Path) -> None:
    raw = gzip.compress(b"".join(b"%d 1 2 3\n" % n for n in range(5000)))
    (tmp_path / "sequences.txt.gz").write_bytes(raw[: len(raw) // 2])
    refused(tmp_path / "sequences.txt.gz", None, "cut short")


def test_a_file_that_is_no_gzip(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt.gz").write_bytes(b"1 2 3\n")
    refused(tmp_path / "sequences.txt.gz", None, "cut short or is no gzip")


def test_sequences_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_bytes(b"1 2 \xff\n")
    refused(tmp_path / "sequences.txt", 1, "not UTF-8 text")


def test_an_inter_file_without_times(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\n1\t2\n")
    refused(tmp_path / "x.inter", None, "missing")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_dat_files_in_both_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ratings.dat").write_text("1::10::5::100\n\n1::20::3::200\n")
    movies = "10::Misérables, Les (1995)::Drama\n20::Two::War\n"
    (tmp_path / "movies.dat").write_bytes(movies.encode(encoding))
    found = load(tmp_path)
    assert found.catalog.frame["title"][0] == "Misérables, Les (1995)"
    assert found.interactions.num_events == 2


def test_sessions_of_recbole_are_users(tmp_path: Path) -> None:
    text = "session_id:token\titem_id:token\ttimestamp:float\ns1\ta\t1.0\ns1\tb\t2.0\n"
    (tmp_path / "s.inter").write_text(text)
    assert load(tmp_path).interactions.user_ids.to_list() == ["s1"]


def test_training_samples_of_recbole_are_no_events(tmp_path: Path) -> None:
    text = "user_id:token\titem_id_list:token_seq\titem_id:token\nu1\ta b\tc\nu1\ta b c\td\n"
    (tmp_path / "x.train.inter").write_text(text)
    refused(tmp_path / "x.train.inter", None, "training samples")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ratings.csv", "userId,movieId,rating,timestamp,value\n1,2,3,4,5\n"),
        ("x.inter", "user_id:token\titem_id:token\ttimestamp:float\titem_id:token\nu\ta\t1\tb\n"),
        ("x.inter", "user_id:token\titem_id:token\ttimestamp:float\titem_id:float\nu\ta\t1\t2\n"),
    ],
)
def test_two_columns_of_one_meaning_are_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.column in ("value", "item_id")


@pytest.mark.parametrize("name", ["movies.csv", "x.item"])
def test_no_genres_are_no_category(tmp_path: Path, name: str) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\nu,1,1\n")
    text = "movieId,title,genres\n1,A,(no genres listed)\n2,B,Drama|War\n"
    if name == "x.item":
        text = "item_id:token\tgenre:token_seq\n1\t(no genres listed)\n2\tDrama War\n"
    (tmp_path / name).write_text(text)
    assert load(tmp_path).catalog.frame["categories"].to_list() == [[], ["Drama", "War"]]
