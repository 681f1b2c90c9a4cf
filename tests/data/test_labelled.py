"""Tables with a label: read whole, or refused with everything that is wrong with them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.labelled import TableForm, read_alike, read_inputs, read_table
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput

FRAME = pl.DataFrame(
    {
        "size": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "colour": ["red", "green"] * 3,
        "hospital": ["north", "north", "south", "south", "east", "east"],
        "class": [0, 10, 0, 10, 0, 10],
    }
)


def test_every_other_column_is_a_feature() -> None:
    data = read_table(FRAME, "class", "hospital")
    assert data.classes == ("0", "10") and data.labels.tolist() == [0, 1] * 3
    assert data.silos == ("east", "north", "south")
    assert data.silo is not None and data.silo.tolist() == [1, 1, 2, 2, 0, 0]
    assert data.inputs.tolist()[0] == [1, 0, 1] and data.inputs.dtype == np.float32
    assert read_table(FRAME, "class", without=["colour", "hospital"]).inputs.shape == (6, 1)


def test_the_same_content_is_the_same_data_whatever_file_it_came_in(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "a.csv")
    FRAME.write_parquet(tmp_path / "a.parquet")
    sums = {read_table(tmp_path / f"a.{end}", "class").sha256 for end in ("csv", "parquet")}
    assert sums == {read_table(FRAME, "class").sha256}
    other = FRAME.with_columns(pl.col("size") + 1)
    assert read_table(other, "class").sha256 not in sums
    assert read_table(FRAME, "class", "hospital").sha256 not in sums


def test_rows_can_be_taken_out() -> None:
    data = read_table(FRAME, "class", "hospital").rows(np.array([5, 0]))
    assert data.labels.tolist() == [1, 0] and data.inputs[:, 0].tolist() == [6, 1]
    assert data.silo is not None and data.silo.tolist() == [0, 1]


def test_a_client_reads_its_table_as_the_others_do() -> None:
    form = read_table(FRAME, "class", "hospital").form
    assert isinstance(form, TableForm)
    own = FRAME.head(1).select("class", "colour", "size")
    data = read_alike(own, form)
    assert data.classes == ("0", "10") and data.inputs.tolist() == [[1, 0, 1]]
    assert read_inputs(own.drop("class"), form).tolist() == [[1, 0, 1]]
    bad = own.with_columns(pl.Series("class", [7]), pl.Series("colour", ["blue"]))
    with pytest.raises(BadData) as fault:
        read_alike(bad, form)
    assert {p.column for p in fault.value.problems} == {"class", "colour"}
    with pytest.raises(BadData) as fault:
        read_inputs(own.drop("class", "size"), form)
    assert [p.column for p in fault.value.problems] == ["size"]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = ["size,id,empty,class,place", "1,u,,a,x", ",v,,a,x", "x,w,,,x", "3,y,,b,"]
    rows += [f"{n},i{n},,{'ac'[n % 2]},x" for n in range(80)]
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(BadData) as fault:
        read_table(path, "class", "place")
    told = {(p.column, p.row) for p in fault.value.problems}
    assert told == {
        ("id", None), ("empty", None), ("size", 2), ("size", 3),
        ("class", 3), ("class", 4), ("place", 4),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        (("Class",), "Class"),
        (("class", "hospitl"), "hospitl"),
        (("class", "", ("nothing",)), "nothing"),
        (("class", "class"), "class"),
        (("size",), "size"),
        (("class", "", ("size", "colour", "hospital")), ""),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(asked: tuple[object, ...], column: str) -> None:
    with pytest.raises(BadData) as fault:
        read_table(FRAME, *asked)  # type: ignore[arg-type]
    assert [p.column for p in fault.value.problems] == [column]


def test_a_missing_column_has_its_likely_name_said() -> None:
    with pytest.raises(BadData) as fault:
        read_table(FRAME, "Class")
    assert "Did you mean 'class'?" in fault.value.problems[0].fix


@pytest.mark.parametrize(
    "classes", [["a"] * 6, ["a", "b", "c", "d", "e", "f"], [None] * 6, ["a"] * 5 + ["b"]]
)
def test_a_label_needs_classes_of_several_rows(classes: list[str | None]) -> None:
    with pytest.raises(BadData) as fault:
        read_table(FRAME.with_columns(pl.Series("class", classes, dtype=pl.String)), "class")
    assert "class" in {p.column for p in fault.value.problems}


@pytest.mark.parametrize("text", ["", "a,b\n", "a,a,y\n1,2,x\n"])
def test_files_that_are_no_table_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadInput):
        read_table(tmp_path / "a.csv", "y")


def test_devices_are_not_read() -> None:
    with pytest.raises(BadInput):
        read_table("/dev/zero", "y")


def test_blank_lines_count_as_rows_and_hold_nothing(tmp_path: Path) -> None:
    rows = ["a,y", *[f"{n},{'pq'[n % 2]}" for n in range(40)], ",", "x,p"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    with pytest.raises(BadData) as fault:
        read_table(tmp_path / "a.csv", "y")
    assert [(p.column, p.row) for p in fault.value.problems] == [("a", 42)]
