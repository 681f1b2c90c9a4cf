"""Problems in words: file, column, row, value, cause, fix; nothing that could move a cursor."""

import json

import polars as pl
import pytest

from tastemaker.data.datasets import load
from tastemaker.data.problems import BadData, Problem, shown

ONE = Problem("a.csv", "timestamp", 17, "'soon'", 3, "this is not a time", "Give seconds.")


def test_a_problem_is_one_line() -> None:
    where = "a.csv, column timestamp, row 17 and 2 more"
    assert str(ONE) == f"{where}: this is not a time (value 'soon'). Give seconds."
    whole = Problem("a.csv", "", None, "", 1, "the file is empty", "Export it again.")
    assert str(whole) == "a.csv: the file is empty. Export it again."


def test_all_are_listed_and_kept() -> None:
    fault = BadData([ONE, ONE])
    assert str(fault).splitlines()[0] == "The data has 2 problems:"
    assert len(str(fault).splitlines()) == 3
    fields = json.loads(json.dumps(fault.fields))
    assert fields["exit_code"] == 2
    assert fields["problems"][1]["row"] == 17


def test_values_are_escaped_and_cut() -> None:
    assert shown("a\x1b[2J\n") == "'a\\x1b[2J\\n'"
    assert len(shown("x" * 10_000)) < 110
    assert "(10,002 characters)" in shown("x" * 10_000)


def test_a_cell_of_a_list_shows_its_values() -> None:
    assert shown(pl.Series(["a", "b"])) == "['a', 'b']"
    assert shown(pl.Series([[1], [2, 3]])) == "[[1], [2, 3]]"
    for cell in (pl.Series(range(10_000)), pl.Series(["x" * 10_000] * 3)):
        assert len(shown(cell)) < 110
        assert shown(cell).endswith(f"({len(cell):,} values)")
    lists = pl.DataFrame({"user_id": [["u", "v"]], "item_id": ["a"], "timestamp": [1]})
    with pytest.raises(BadData) as caught:
        load(lists)
    assert caught.value.problems[0].value == "['u', 'v']"
