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
    refused(tmp_path / "sequences.txt.gz", None, "cut short or is not text")


def test_sequences_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_bytes(b"1 2 \xff\n")
    refused(tmp_path / "sequences.txt", None, "not text")


def test_an_inter_file_without_times(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\n1\t2\n")
    refused(tmp_path / "x.inter", None, "missing")
