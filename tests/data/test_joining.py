"""Two logs as one: codes stay, nobody's event twice, and who is forgotten is gone."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.joining import chosen_again, joined, without

KINDS = Declaration(events={"view": "implicit_positive", "hate": "explicit_negative"})
Row = tuple[str, str, int] | tuple[str, str, int, str]


def log(*rows: Row, values: bool = False) -> Interactions:
    full = [(*row, "view")[:4] for row in rows]
    frame = pl.DataFrame(full, schema=["user_id", "item_id", "timestamp", "event"], orient="row")
    if values:
        frame = frame.with_columns(value=pl.col("timestamp").cast(pl.Float32))
    return Interactions.from_frame(frame)


def told(made: Interactions) -> list[Row]:
    users = np.repeat(np.arange(made.num_users), made.lengths)
    kinds = np.zeros(made.num_events, int) if made.events is None else made.events
    assert made.times is not None
    return [
        (made.user_ids[int(u)], item, int(time), made.event_names[int(kind)])
        for u, item, time, kind in zip(
            users, made.decode(made.items), made.times, kinds, strict=True
        )
    ]


def test_old_codes_stay_and_new_ones_stand_behind() -> None:
    old = log(("b", "x", 1), ("b", "y", 5), ("a", "y", 2))
    new = log(("b", "w", 3), ("0", "x", 9), ("b", "z", 5))
    both = joined(old, new)
    assert both.log.item_ids.to_list()[:2] == old.item_ids.to_list()
    assert both.log.user_ids.to_list() == ["a", "b", "0"]
    assert [row[:3] for row in told(both.log)] == [
        ("a", "y", 2), ("b", "x", 1), ("b", "w", 3), ("b", "y", 5), ("b", "z", 5), ("0", "x", 9),
    ]  # fmt: skip
    assert both.origin.tolist() == [0, 1, -1, 2, -1, -1]
    assert both.new.sum() == 3 and both.known == 0
    assert both.log.times is not None and both.log.times.dtype == np.int64
    assert both.log.items.dtype == np.int32


def test_an_event_that_the_log_has_is_not_there_twice() -> None:
    old = log(("a", "x", 1), ("a", "y", 2, "hate"))
    again = (("a", "x", 1), ("a", "x", 1, "hate"), ("a", "x", 2), ("b", "x", 1), ("b", "x", 1))
    both = joined(old, log(*again))
    assert both.known == 1 and both.log.num_events == 6
    assert told(both.log).count(("a", "x", 1, "view")) == 1
    assert told(both.log).count(("b", "x", 1, "view")) == 2


def test_kinds_and_values_are_those_of_both() -> None:
    plain = replace(log(("a", "x", 1), ("b", "x", 1)), event_names=("view",))
    other = log(("a", "x", 2, "hate"), ("a", "x", 3, "view"), values=True)
    both = joined(plain, other).log
    assert both.event_names == ("view", "hate")
    assert [row[3] for row in told(both)] == ["view", "hate", "view", "view"]
    assert both.values is not None
    assert np.isnan(both.values).tolist() == [True, False, False, True]
    one = joined(plain, replace(log(("a", "x", 7)), event_names=("view",))).log
    assert one.events is None and one.event_names == ("view",)
    names = ("hate", "view", "like")  # declared, and not all of them there
    declared = replace(log(("a", "x", 7)), events=np.array([1], np.uint8), event_names=names)
    assert joined(plain, declared).log.events is None


def test_a_log_without_times_is_not_joined() -> None:
    with pytest.raises(ValueError, match="times"):
        joined(Interactions.from_sequences({"a": ["x"]}), log(("a", "y", 1)))


def test_who_is_forgotten_is_gone_from_the_log() -> None:
    whole = log(("a", "x", 1), ("b", "x", 1), ("b", "y", 5), ("c", "z", 9))
    left, keep = without(whole, {"b": 1.5, "c": 9.0, "nobody": 3.0})
    assert [row[:3] for row in told(left)] == [("a", "x", 1), ("b", "y", 5)]
    assert keep.tolist() == [True, False, True, False]
    assert left.item_ids.equals(whole.item_ids)
    timeless, _ = without(Interactions.from_sequences({"a": ["x"], "b": ["x"]}), {"a": 1.0})
    assert timeless.user_ids.to_list() == ["b"] and timeless.num_events == 1
    same, keep = without(whole, {})
    assert told(same) == told(whole) and keep.all()


def test_of_several_choices_of_an_item_the_old_one_stands() -> None:
    old = log(("a", "x", 5), ("a", "y", 6, "hate"))
    new = log(("a", "x", 1), ("a", "y", 7), ("a", "y", 8), ("a", "x", 9, "hate"), ("b", "x", 1))
    both = joined(old, new)
    again = chosen_again(both, KINDS)
    assert [row for row, far in zip(told(both.log), again, strict=True) if far] == [
        ("a", "x", 1, "view"), ("a", "y", 8, "view"),
    ]  # fmt: skip
    assert both.select(~again).log.num_events == 5
