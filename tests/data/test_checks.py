"""Row checks: what is good passes unchanged, what is bad is counted with its first row."""

import polars as pl
import pytest

from tastemaker.data import checks
from tastemaker.data.checks import Tally, check_batch, schema_problems
from tastemaker.data.declaration import Declaration
from tastemaker.data.problems import BadData


def check(declared: Declaration | None = None, **columns: object) -> tuple[pl.DataFrame, Tally]:
    tally = Tally("t")
    frame = pl.DataFrame(columns)
    frame = frame.with_columns(row=pl.int_range(1, len(frame) + 1))
    return check_batch(frame, declared or Declaration(), tally), tally


IDS = {"user_id": ["a", "b", "c"], "item_id": [1, 2, 3]}


def test_good_rows_pass() -> None:
    good, tally = check(**IDS, timestamp=[1, 2, 3], value=[1.0, 2.5, 3.0], event=["view"] * 3)
    assert good["user_id"].to_list() == ["a", "b", "c"]
    assert good["item_id"].to_list() == [1, 2, 3]
    assert good["timestamp"].to_list() == [1_000_000, 2_000_000, 3_000_000]
    assert good["value"].dtype == pl.Float32
    assert not tally.by_cause
    assert not tally.dropped


@pytest.mark.parametrize(
    ("unit", "times", "want"),
    [
        ("s", [1, 2, 3], 1_000_000),
        ("ms", [1000, 2000, 3000], 1_000_000),
        ("us", [1_000_000, 2_000_000, 3_000_000], 1_000_000),
        ("ns", [1_000_000_000, 2_000_000_000, 3_000_000_000], 1_000_000),
        ("s", [1.0, 2.0, 3.0], 1_000_000),
        ("s", ["1", "2", "3"], 1_000_000),
        ("ms", ["1000.0", "2e3", " 3000 "], 1_000_000),
    ],
)
def test_units(unit: str, times: list, want: int) -> None:
    good, tally = check(Declaration(time_unit=unit), **IDS, timestamp=times)  # type: ignore[arg-type]
    assert not tally.by_cause
    assert good["timestamp"].to_list() == [want, 2 * want, 3 * want]


def test_mixed_dates_and_numbers_are_each_read() -> None:
    times = ["1970-01-01 00:00:01", "2", "1970-01-01T00:00:03.5"]
    good, tally = check(**IDS, timestamp=times)
    assert not tally.by_cause
    assert good["timestamp"].to_list() == [1_000_000, 2_000_000, 3_500_000]


@pytest.mark.parametrize(
    "bad", ["0x10", "1_000", "١٢٣", "1e400", "2020-13-45", "2020-02-30", "--1", "", "NaN"]
)
def test_texts_that_are_no_times(bad: str) -> None:
    good, tally = check(**IDS, timestamp=["1", bad, "3"])
    assert len(good) == 2
    (problem,) = tally.by_cause.values()
    assert (problem.column, problem.row, problem.count) == ("timestamp", 2, 1)


def test_the_first_row_and_the_number_of_rows_are_kept_over_batches() -> None:
    tally = Tally("t")
    for start in (1, 4):
        frame = pl.DataFrame({"user_id": ["a", None, None], "item_id": ["x"] * 3})
        frame = frame.with_columns(row=pl.int_range(start, start + 3))
        check_batch(frame, Declaration(), tally)
    (problem,) = tally.by_cause.values()
    assert (problem.row, problem.count, problem.value) == (2, 4, "None")
    assert pl.concat(tally.dropped)["row"].to_list() == [2, 3, 5, 6]


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        ({"user_id": pl.Int64(), "item_id": pl.String(), "timestamp": pl.Date()}, []),
        ({"user_id": pl.UInt64(), "item_id": pl.Categorical(), "timestamp": pl.Float64()}, []),
        ({"user_id": pl.Float64(), "item_id": pl.Binary()}, ["user_id", "item_id"]),
        ({"timestamp": pl.Boolean()}, ["timestamp"]),
    ],
)
def test_types_that_cannot_hold_ids_or_times(schema: dict, columns: list[str]) -> None:
    assert [problem.column for problem in schema_problems("t", schema)] == columns


def test_a_table_that_is_refused_anyway_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "MOST", 10)
    bad = pl.DataFrame({"row": range(1, 7), "value": ["x"] * 6})
    tally = Tally("t", keep=False)
    tally.add("user_id", "the id is missing", "Fill it.", bad)
    with pytest.raises(BadData) as caught:
        tally.add("user_id", "the id is missing", "Fill it.", bad)
    assert caught.value.problems[0].count == 12
    assert not tally.dropped
