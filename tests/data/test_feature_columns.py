"""Columns become features once, and the same way ever after."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.checks import Tally
from tastemaker.data.feature_columns import (
    MOST_CATEGORIES,
    ROW,
    FeatureColumns,
    coded,
    decided,
    encoded,
    in_order,
    texts,
)


def numbered(**columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    return frame.with_columns(pl.int_range(1, len(frame) + 1).alias(ROW))


FRAME = numbered(
    age=[30, 41, 28], paid=[True, False, True], height=["1.5", " 2 ", "3"], town=["A", None, " B "]
)
NAMES = ["age", "paid", "height", "town"]


def test_numbers_stay_and_texts_become_a_feature_a_category() -> None:
    columns, problems = decided("t", FRAME, NAMES)
    assert problems == []
    assert columns.categories == {"age": (), "paid": (), "height": (), "town": ("", "A", "B")}
    assert columns.features == ("age", "paid", "height", "town = (empty)", "town = A", "town = B")
    tally = Tally("t", keep=False)
    inputs = encoded(FRAME, columns, tally)
    assert inputs.dtype == np.float32 and not tally.by_cause
    want = [[30, 1, 1.5, 0, 1, 0], [41, 0, 2, 1, 0, 0], [28, 1, 3, 0, 0, 1]]
    assert inputs.tolist() == want


def test_a_later_table_is_read_by_the_same_decision() -> None:
    columns, _ = decided("t", FRAME, NAMES)
    later = numbered(town=["B"], height=[7.0], paid=["1"], age=["5"])
    assert encoded(later, columns, Tally("t")).tolist() == [[5, 1, 7, 0, 0, 1]]


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (pl.Series([None, " "], dtype=pl.String), "empty"),
        (pl.Series([[1], [2]]), "List"),
        (pl.Series(["2020-01-01"]).str.to_date(), "Date"),
        (pl.Series([f"u{n}" for n in range(MOST_CATEGORIES + 1)]), "different texts"),
    ],
)
def test_what_cannot_be_a_feature_is_refused_by_its_column(cells: pl.Series, what: str) -> None:
    _, (problem,) = decided("t", pl.DataFrame({"x": cells}), ["x"])
    assert problem.column == "x" and what in problem.what and "--without x" in problem.fix


def test_a_few_bad_cells_among_numbers_are_mistakes_each_named() -> None:
    cells = ["", "x", "nan", "1e39", *map(str, range(96))]
    frame = numbered(x=cells, kind=["a"] * 99 + ["new"])
    columns, problems = decided("t", frame, ["x"])
    assert columns.categories == {"x": ()} and not problems
    tally = Tally("t", keep=False)
    encoded(frame, FeatureColumns({"x": (), "kind": ("a", "b")}), tally)
    told = {(p.column, p.what): (p.row, p.count) for p in tally.problems()}
    assert told == {
        ("x", "the number is missing"): (1, 2),
        ("x", "this is no number"): (2, 1),
        ("x", "the number is larger than 3.4e+38"): (4, 1),
        ("kind", "the text is not among those that were known before"): (100, 1),
    }


def test_infinity_is_no_number_to_learn_from() -> None:
    tally = Tally("t", keep=False)
    encoded(numbered(x=[1.0, float("inf")]), FeatureColumns({"x": ()}), tally)
    assert [p.row for p in tally.problems()] == [2]


def test_empty_cells_are_no_code() -> None:
    tally = Tally("t", keep=False)
    codes = coded(numbered(y=["a", None, "c"]), "y", ["a", "b"], tally, "")
    assert codes[0] == 0 and [p.row for p in tally.problems()] == [2, 3]


def test_names_stand_in_the_order_a_person_expects() -> None:
    assert in_order(["10", "9", "-1", "9"]) == ("-1", "9", "10")
    assert in_order(["b", "10", "9"]) == ("10", "9", "b")
    assert texts(pl.Series([1.0, 2.0])).to_list() == ["1", "2"]
    assert texts(pl.Series([1.5, 2.0])).to_list() == ["1.5", "2.0"]
