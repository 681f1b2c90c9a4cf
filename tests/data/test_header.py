"""Headers: every type of every column is read exactly or refused with its cause."""

import decimal
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import load
from tastemaker.data.problems import BadData
from tastemaker.data.tables import from_frame

GOOD: dict[str, Any] = {
    "user_id": ["u", "u", "v"],
    "item_id": ["a", "b", "a"],
    "timestamp": [10, 20, 30],
    "event": ["view", "view", "view"],
    "value": [1.0, 2.0, 3.0],
    "row": [1, 2, 3],
    "split": ["train", "train", "test"],
}
KINDS: dict[str, pl.Series] = {
    **{
        str(kind): pl.Series([1, 2, 3], dtype=kind)
        for kind in (
            *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128),
            *(pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.UInt128),
            *(pl.Float16, pl.Float32, pl.Float64),
        )
    },
    "huge UInt64": pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64),
    "huge Int128": pl.Series([1, 2, -(2**120)], dtype=pl.Int128),
    "huge Float64": pl.Series([1.0, -1e300, 1e300]),
    "not finite": pl.Series([1.0, float("nan"), float("inf")]),
    "gaps": pl.Series([1, None, 3]),
    "text gaps": pl.Series(["1", None, ""]),
    "words": pl.Series(["x", "1", "view"]),
    "real text": pl.Series(["1.0", "2.0", "1"]),
    "odd text": pl.Series(["\x00", "é\n", "x" * 5000]),
    "Decimal": pl.Series([decimal.Decimal("1.5")] * 3),
    "whole Decimal": pl.Series([1, 2, 3], dtype=pl.Decimal(38, 0)),
    "Boolean": pl.Series([True, False, True]),
    "Binary": pl.Series([b"1", b"\xff", b""]),
    "Null": pl.Series([None, None, None]),
    "Object": pl.Series([object(), object(), object()], dtype=pl.Object),
    "Categorical": pl.Series(["view", "1", "view"], dtype=pl.Categorical),
    "Enum": pl.Series(["view", "1", "view"], dtype=pl.Enum(["1", "view"])),
    "Date": pl.Series([date(2020, 1, 1), date(1, 1, 1), date(9999, 1, 1)]),
    "Time": pl.Series([time(1), time(2), time(3)]),
    **{
        f"Datetime {unit} {zone}": pl.Series([datetime(2020, 1, day) for day in (1, 2, 3)])  # noqa: DTZ001
        .cast(pl.Datetime(unit))
        .dt.replace_time_zone(zone)
        for unit in ("ms", "us", "ns")
        for zone in (None, "UTC", "Asia/Kolkata")
    },
    "far Datetime": pl.Series([0, 2**62, -(2**62)]).cast(pl.Datetime("ms")),
    "Duration": pl.Series([timedelta(days=day) for day in (1, 2, 3)]),
    "List": pl.Series([["a"], [], None]),
    "Array": pl.Series([[1, 2]] * 3, dtype=pl.Array(pl.Int64, 2)),
    "Struct": pl.Series([{"a": 1}] * 3),
    "nested": pl.Series([[{"a": [1]}]] * 3),
}  # fmt: skip


def refused_or_read(frame: pl.DataFrame, column: str) -> None:
    try:
        log = load(frame).interactions
    except BadData as fault:
        assert fault.exit_code == 2
        for problem in fault.problems:
            assert problem.file
            assert problem.what
            assert problem.fix
            assert problem.row is None or 1 <= problem.row <= 3
        assert any(problem.column == column for problem in fault.problems)
    else:
        assert log.num_events == 3
        assert log.times is not None
        assert ((log.times >= 0) & (log.times < 4.2e9)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", GOOD)
def test_every_type_of_every_column(column: str, kind: str) -> None:
    refused_or_read(pl.DataFrame({**GOOD, column: KINDS[kind]}), column)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", ["item_id", "title", "text", "categories", "image", "video"])
def test_every_type_of_every_column_of_a_catalogue(column: str, kind: str) -> None:
    frame = pl.DataFrame({"item_id": ["a", "b", "c"], column: KINDS[kind]})
    try:
        found = Catalog.from_table(from_frame(frame))
    except BadData as fault:
        assert any(problem.column == column for problem in fault.problems)
        assert all(problem.what and problem.fix for problem in fault.problems)
    else:
        assert len(found.frame) == 3


@pytest.mark.parametrize("kind", [name for name in KINDS if name not in ("Object", "UInt128")])
@pytest.mark.parametrize("column", GOOD)
def test_the_same_from_a_file(column: str, kind: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({**GOOD, column: KINDS[kind]})
    try:
        frame.write_parquet(tmp_path / "interactions.parquet")
    except pl.exceptions.PolarsError:
        pytest.skip("the engine cannot write this type")
    from_file = outcome(tmp_path)
    assert from_file == outcome(frame)


def outcome(data: Any) -> object:
    try:
        return load(data).interactions.sha256
    except BadData as fault:
        return [(p.column, p.row, p.value, p.count, p.what) for p in fault.problems]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("timestamp", "Duration"),
        ("timestamp", "Time"),
        ("row", "Float64"),
        ("row", "words"),
        ("row", "gaps"),
        ("row", "real text"),
        ("row", "huge UInt64"),
        ("value", "Date"),
        ("value", "huge Float64"),
        ("value", "List"),
        ("event", "Float64"),
        ("user_id", "whole Decimal"),
    ],
)
def test_what_is_refused_names_row_and_value(column: str, kind: str) -> None:
    with pytest.raises(BadData) as caught:
        load(pl.DataFrame({**GOOD, column: KINDS[kind]}))
    (problem,) = [p for p in caught.value.problems if p.column == column]
    assert problem.row is not None
    assert problem.value


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp", "value"])
def test_a_column_that_stands_there_twice(column: str, tmp_path: Path) -> None:
    names = ["user_id", "item_id", "timestamp", "value"]
    text = ",".join([*names, column]) + "\nu,a,1,2,9\n"
    (tmp_path / "interactions.csv").write_text(text)
    with pytest.raises(BadData, match="twice") as caught:
        load(tmp_path)
    assert [problem.column for problem in caught.value.problems] == [column]


def test_a_column_of_a_public_format_that_stands_there_twice(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp,userId\n1,2,3,4,5\n")
    with pytest.raises(BadData, match="twice"):
        load(tmp_path)


def test_other_columns_may_stand_there_twice(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp,x,x\nu,a,1,2,9\n")
    assert load(tmp_path).interactions.num_events == 1


def test_a_catalogue_with_a_column_twice(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1\n")
    (tmp_path / "items.csv").write_text("item_id,title,title\na,A,B\n")
    with pytest.raises(BadData, match="twice"):
        load(tmp_path)


@pytest.mark.parametrize("bands", [{}, {"explicit_negative": [1, 2]}])
def test_a_declared_value_column_that_the_log_lacks(bands: dict, tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp,stars\nu,a,1,2\n")
    text = f'{{"value": {{"column": "rating", "bands": {bands}}}}}'.replace("'", '"')
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.column == "rating"
    assert "stars" in problem.fix


@pytest.mark.parametrize("column", ["rating", "value"])
@pytest.mark.parametrize("name", ["ratings.csv", "ratings.dat", "x.inter"])
def test_public_formats_know_their_ratings_by_both_names(
    column: str, name: str, tmp_path: Path
) -> None:
    texts = {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,2,5,4\n1,3,1,5\n",
        "ratings.dat": "1::2::5::4\n1::3::1::5\n",
        "x.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "1\t2\t5\t4\n1\t3\t1\t5\n",
    }
    (tmp_path / name).write_text(texts[name])
    value = f'{{"column": "{column}", "bands": {{"explicit_negative": [1, 2]}}}}'
    (tmp_path / "dataset.json").write_text(f'{{"value": {value}}}')
    found = load(tmp_path)
    assert found.interactions.values is not None
    assert found.positives().num_events == 1


def test_a_log_without_events_of_several_kinds_needs_to_say_which(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1\n")
    like = '"like": "explicit_positive"'
    (tmp_path / "dataset.json").write_text(f'{{"events": {{{like}, "skip": "implicit_negative"}}}}')
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    assert [problem.column for problem in caught.value.problems] == ["event"]
    (tmp_path / "dataset.json").write_text(f'{{"events": {{{like}, "view": "implicit_positive"}}}}')
    assert load(tmp_path).interactions.event_names == ("view",)


def test_problems_speak_of_the_columns_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp,stars\nu,a,1,good\n")
    (tmp_path / "dataset.json").write_text('{"value": {"column": "stars"}}')
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    assert [problem.column for problem in caught.value.problems] == ["stars"]
