"""Interactions: ids are the user's own, order is canonical, and what is saved is mapped back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput


def full() -> Interactions:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "user_id": rng.integers(0, 9, 60).astype(str),
            "item_id": rng.integers(0, 30, 60).astype(str),
            "timestamp": rng.integers(0, 1000, 60),
            "event": rng.choice(["view", "buy"], 60),
            "value": rng.random(60),
        }
    )
    return Interactions.from_frame(frame)


def test_sequences_keep_their_order() -> None:
    log = Interactions.from_sequences({"b": ["y", "x"], "a": ["x"], "none": []})
    assert log.user_ids.to_list() == ["a", "b"]
    assert log.decode(log.history(1)) == ["y", "x"]
    assert log.times is None
    assert (log.num_users, log.num_items, log.num_events) == (2, 2, 3)
    assert log.lengths.tolist() == [1, 2]


def test_codes_and_ids_are_inverse() -> None:
    log = full()
    for code, item in enumerate(log.item_ids, start=1):
        assert log.item_code(item) == log.item_codes[item] == code
        assert log.decode(np.array([code], np.int32)) == [item]
    assert log.user_codes[log.user_ids[3]] == 3
    with pytest.raises(BadInput, match="'nowhere'"):
        log.item_code("nowhere")


def test_numeric_ids_order_as_numbers_and_others_as_text() -> None:
    numbers = Interactions.from_sequences({u: ["10", "9", "100"] for u in ("2", "10", "1")})
    assert numbers.user_ids.to_list() == ["1", "2", "10"]
    assert numbers.item_ids.to_list() == ["9", "10", "100"]
    mixed = Interactions.from_sequences({"u": ["10", "9", "x"]})
    assert mixed.item_ids.to_list() == ["10", "9", "x"]


def test_items_are_coded_by_first_time_then_id() -> None:
    frame = pl.DataFrame(
        {"user_id": ["u"] * 4, "item_id": ["c", "b", "a", "c"], "timestamp": [5, 3, 3, 1]}
    )
    assert Interactions.from_frame(frame).item_ids.to_list() == ["c", "a", "b"]


@pytest.mark.parametrize("log", [full(), Interactions.from_sequences({"u": ["a", "b"]})])
def test_what_is_saved_comes_back_mapped(log: Interactions, tmp_path: Path) -> None:
    log.save(tmp_path)
    again = Interactions.open(tmp_path)
    assert again.sha256 == log.sha256
    assert again.event_names == log.event_names
    assert again.user_ids.to_list() == log.user_ids.to_list()
    for name in ("items", "times", "events", "values", "offsets"):
        one, two = getattr(log, name), getattr(again, name)
        assert (one is None and two is None) or np.array_equal(one, two)
    assert not again.items.flags.owndata  # a view of the file


def test_any_change_changes_the_hash() -> None:
    log = full()
    assert log.times is not None
    assert log.events is not None
    assert log.values is not None
    items, times = log.items.copy(), log.times.copy()
    items[5] = items[5] % 29 + 1
    times[5] += 1
    others = [
        replace(log, items=items),
        replace(log, times=times),
        replace(log, times=None),
        replace(log, events=1 - log.events),
        replace(log, values=log.values + 1),
        replace(log, event_names=("a", "b")),
        replace(log, item_ids=log.item_ids + "x"),
        replace(log, user_ids=log.user_ids + "x"),
    ]
    assert len({log.sha256, *(other.sha256 for other in others)}) == 9
    assert others[6].vocabulary_sha256 != log.vocabulary_sha256 == others[0].vocabulary_sha256


def test_selecting_events_keeps_users_and_items() -> None:
    log = full()
    assert log.events is not None
    bought = log.select(log.events == log.event_names.index("buy"))
    assert bought.num_users == log.num_users
    assert bought.num_items == log.num_items
    assert bought.num_events == int((log.events == 0).sum())
    for user in range(log.num_users):
        span = slice(log.offsets[user], log.offsets[user + 1])
        want = log.items[span][log.events[span] == 0]
        assert bought.history(user).tolist() == want.tolist()


def test_twenty_one_bytes_an_event_at_most() -> None:
    frame = pl.DataFrame({"user_id": [1] * 5000, "item_id": range(5000), "timestamp": range(5000)})
    log = Interactions.from_frame(frame.with_columns(value=1.0))
    assert log.bytes_per_event < 17


def test_more_kinds_of_events_than_a_byte_holds_are_refused() -> None:
    names = [f"e{n}" for n in range(257)]
    frame = pl.DataFrame({"user_id": names, "item_id": names, "event": names})
    with pytest.raises(BadInput, match="257 kinds"):
        Interactions.from_frame(frame)
    assert len(Interactions.from_frame(frame[:256]).event_names) == 256


def test_a_ready_made_split_is_kept(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"user_id": list("uuuv"), "item_id": list("abca"), "timestamp": [1, 5, 3, 1],
         "split": ["test", "train", "valid", "train"]}
    )  # fmt: skip
    log = Interactions.from_frame(frame)
    assert log.parts is not None and log.parts.tolist() == [0, 1, 2, 0]
    assert log.decode(log.history(0)) == ["b", "c", "a"]
    log.save(tmp_path)
    again = Interactions.open(tmp_path)
    assert again.parts is not None and again.parts.tolist() == [0, 1, 2, 0]
    assert again.sha256 == log.sha256
    plain = Interactions.from_frame(frame.drop("split"))
    assert log.sha256 != plain.sha256
    assert log.by_time().sha256 == plain.sha256
    assert plain.by_time() is plain
    some = log.select(np.array([True, False, True, True]))
    assert some.parts is not None and some.parts.tolist() == [0, 2, 0]


def test_items_that_a_model_knows_keep_their_codes() -> None:
    old = Interactions.from_sequences({"u": ["b", "a"], "v": ["z"]})
    new = Interactions.from_sequences({"u": ["b", "c", "a"], "w": ["0", "b"]})
    led = new.led_by(old.item_ids)
    assert led.item_ids.to_list() == [*old.item_ids.to_list(), "0", "c"]
    assert all(led.item_codes[item] == code for item, code in old.item_codes.items())
    for user in range(new.num_users):
        assert led.decode(led.history(user)) == new.decode(new.history(user))
    assert led.items.dtype == np.int32
    assert old.led_by(old.item_ids).vocabulary_sha256 == old.vocabulary_sha256


def test_a_led_log_is_kept_as_it_is(tmp_path: Path) -> None:
    led = Interactions.from_sequences({"u": ["a", "b"]}).led_by(pl.Series(["z", "b"]))
    led.save(tmp_path)
    again = Interactions.open(tmp_path)
    assert again.item_ids.to_list() == ["z", "b", "a"]
    assert again.decode(again.history(0)) == ["a", "b"]


letters = st.sampled_from("abcdefgh")
events_of = st.tuples(st.sampled_from("uvw"), letters, st.integers(0, 4))


@settings(max_examples=30, deadline=None)
@given(st.lists(events_of, min_size=1, max_size=15), st.lists(letters, unique=True))
def test_a_led_log_has_the_same_events_under_codes_as_they_are_led(
    rows: list[tuple[str, str, int]], leading: list[str]
) -> None:
    names = ["user_id", "item_id", "timestamp"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    log = Interactions.from_frame(frame.with_columns(value=pl.col("timestamp") / 2))
    led = log.led_by(pl.Series(leading, dtype=pl.String))
    others = [item for item in log.item_ids if item not in leading]
    assert led.item_ids.to_list() == [*leading, *others]
    assert led.item_codes == {item: n for n, item in enumerate([*leading, *others], start=1)}
    assert led.decode(led.items) == log.decode(log.items)
    for name in ("offsets", "times", "values"):
        assert np.array_equal(vars(led)[name], vars(log)[name])
    assert led.user_ids.to_list() == log.user_ids.to_list()
    assert led.items.min() >= 1 and led.items.max() <= led.num_items
    again = led.led_by(pl.Series(leading, dtype=pl.String))
    assert again.sha256 == led.sha256
    # Back by the order it had: nothing is lost but items without events, which stay behind.
    back = led.led_by(log.item_ids)
    assert back.items.tolist() == log.items.tolist()
    assert set(back.item_ids[log.num_items :]) == set(leading) - set(log.item_ids)


def test_a_log_led_by_nothing_is_itself() -> None:
    log = full()
    assert log.led_by(pl.Series([], dtype=pl.String)).sha256 == log.sha256
    assert log.led_by(log.item_ids).sha256 == log.sha256
