"""Doubts are said when they are due, and only then."""

import polars as pl

from tastemaker.data.datasets import load
from tastemaker.data.doubts import doubts, ready_split, without_order
from tastemaker.data.interactions import Interactions


def log(times: list[list[int]]) -> Interactions:
    rows = [(f"u{u}", f"i{n}", time) for u, own in enumerate(times) for n, time in enumerate(own)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Interactions.from_frame(frame)


def test_logs_whose_times_say_no_order() -> None:
    assert without_order(log([[5, 5, 5], [7, 7], [1, 2, 3]]))
    assert without_order(log([[5, 5, 5], [7, 8], [1, 2, 3]])) is None
    assert without_order(log([[5, 5, 5], [7, 8]])) is None
    assert without_order(log([[5], [7], [1]])) is None
    assert without_order(Interactions.from_sequences({"u": ["a", "b"]})) is None
    assert without_order(load().interactions) is None


def test_a_user_without_events_is_no_doubt() -> None:
    some = log([[5, 5], [1, 2], [3, 4]])
    assert without_order(some.select(some.times != 5)) is None  # type: ignore[arg-type]


def test_doubts_stand_in_the_data_set() -> None:
    frame = pl.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "b"], "timestamp": [5, 5]})
    found = load(frame)
    assert found.warnings == doubts(found.interactions)
    assert len(found.warnings) == 1
    assert load().warnings == ()


def test_a_ready_made_split_is_said() -> None:
    frame = pl.DataFrame(
        {"user_id": ["u"] * 3, "item_id": list("abc"), "timestamp": [1, 2, 3],
         "split": ["train", "valid", "test"]}
    )  # fmt: skip
    (doubt,) = load(frame).warnings
    assert "--split given" in doubt
    assert "none is marked valid" not in doubt
    without = load(frame.filter(pl.col("split") != "valid"))
    assert "none is marked valid" in (ready_split(without.interactions) or "")
