"""Tables are read in batches, in file order; what cannot be read says where and why."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from tastemaker.data import tables
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData
from tastemaker.data.tables import from_frame


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow"])
def test_batches_are_small_and_in_order(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", 1000)
    frame = pl.DataFrame({"n": range(5500)})
    path = tmp_path / f"t.{suffix}"
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "arrow": frame.write_ipc}[suffix](path)
    for _ in range(2):  # every pass starts anew
        batches = list(open_table(path).batches())
        assert pl.concat(batches)["n"].cast(pl.Int64).to_list() == list(range(5500))


def test_csv_columns_are_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n007,1\n7,x\n")
    table = open_table(tmp_path / "t.csv")
    assert set(table.schema.values()) == {pl.String()}
    assert next(table.batches())["a"].to_list() == ["007", "7"]


@pytest.mark.parametrize(
    ("name", "raw", "cause"),
    [
        ("t.csv", b"", "0 bytes"),
        ("t.txt", b"x", "'.txt' are not read"),
        ("t.csv", b"a,b\n1,\x002\n", "binary"),
        ("t.parquet", b"PAR1 and nothing else", "not parquet"),
        ("t.arrow", b"not arrow", "not arrow"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, raw: bytes, cause: str) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(BadData) as caught:
        list(open_table(tmp_path / name).batches())
    assert cause in caught.value.problems[0].what
    assert name in caught.value.problems[0].file


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no such file"):
        open_table(tmp_path / "none.csv")


def test_quoted_commas_and_newlines_are_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n"x, y","two\nlines"\n')
    (batch,) = open_table(tmp_path / "t.csv").batches()
    assert batch.row(0) == ("x, y", "two\nlines")


def test_frames_of_every_kind() -> None:
    for frame in (
        pl.DataFrame({"n": [1, 2]}),
        pl.LazyFrame({"n": [1, 2]}),
        pa.table({"n": [1, 2]}),
    ):
        table = from_frame(frame)
        assert pl.concat(table.batches())["n"].to_list() == [1, 2]
    with pytest.raises(BadData, match="no table"):
        from_frame(object())
