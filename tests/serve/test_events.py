"""Events are checked before they are kept: all problems at once, and the rows are exact."""

from typing import Any

import pytest

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.serve.events import Event, checked_id, microseconds, rows_of, seconds, until_of

GOOD: dict[str, Any] = {"event_id": "e", "user_id": "u", "item_id": "i", "time": 5}


def test_a_row_holds_what_was_told_in_microseconds() -> None:
    told = Event("e", "u", "i", 1.25, "like", 3, "l", 2)
    assert rows_of([told, Event(**GOOD)], 7) == [
        {"event_id": "e", "user_id": "u", "item_id": "i", "kind": "like", "time": 1_250_000,
         "value": 3, "received": 7, "list_id": "l", "rank": 2},
        {"event_id": "e", "user_id": "u", "item_id": "i", "kind": "", "time": 5_000_000,
         "value": None, "received": 7, "list_id": None, "rank": None},
    ]  # fmt: skip


@pytest.mark.parametrize("time", [0, 1, 1_700_000_000.000001, 4_102_444_799.999999])
def test_times_survive_the_way_there_and_back(time: float) -> None:
    assert seconds(microseconds(time)) == time
    assert isinstance(seconds(microseconds(5.0)), int)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((column, value) for column in ("event_id", "user_id", "item_id")
          for value in ("", None, 3, "a\0b", "tab\t", "\ud800", "é" * 513, b"x", True)),
        *(("kind", value) for value in (None, 3, "a\x7f", "x" * 1025)),
        *(("time", value) for value in (-1, -0.5, 4_102_444_801, 10**30, float("nan"),
                                        float("inf"), float("-inf"), "5", None, True)),
        *(("value", value) for value in (float("nan"), float("inf"), 1e39, "3", True)),
        *(("list_id", value) for value in ("", 3, "\n")),
        *(("rank", value) for value in (0, -1, 1.5, True, 2**31, "1")),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_named_with_column_place_and_fix(column: str, value: Any) -> None:
    good = Event(**GOOD)
    bad = Event(**{**GOOD, column: value})
    with pytest.raises(BadData) as caught:
        rows_of([good, bad, good, bad], 0, "POST /events")
    (problem,) = caught.value.problems
    assert (problem.file, problem.column, problem.row, problem.count) == (
        "POST /events", column, 2, 2)  # fmt: skip
    assert problem.fix and caught.value.exit_code == 2


@pytest.mark.parametrize("value", ["é" * 512, "x" * 1024, " ", "7.0", "a\u2028b"])
def test_the_longest_and_oddest_ids_are_kept(value: str) -> None:
    assert checked_id(value, "item_id") == value
    (row,) = rows_of([Event(value, value, value, 0, value, None, value)], 0)
    assert row["user_id"] == row["kind"] == value


def test_single_ids_and_times_are_refused_alike() -> None:
    assert until_of(None) is None and until_of(2) == 2_000_000
    with pytest.raises(BadInput) as caught:
        checked_id("", "item_id")
    assert caught.value.where == "item_id"
    with pytest.raises(BadInput):
        until_of(-1)
