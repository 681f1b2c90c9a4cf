"""Signals: distinct items by polarity, against a plain loop; lines that nobody can forge."""

import time

import numpy as np
import polars as pl
import pytest

from tastemaker.data.declaration import POLARITIES, Declaration, Polarity, ValueBands
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import (
    CountingAccuracy,
    Event,
    counting_accuracy,
    history_lines,
    signals,
)
from tastemaker.errors import BadInput

KINDS: dict[str, Polarity] = {
    "like": "explicit_positive",
    "view": "implicit_positive",
    "skip": "implicit_negative",
    "dislike": "explicit_negative",
}
DECLARED = Declaration(events=KINDS)


def log_of(rows: list[tuple[str, str, str]]) -> Interactions:
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event"], orient="row")
    return Interactions.from_frame(frame.with_columns(timestamp=pl.int_range(len(rows))))


def test_counts_are_of_distinct_items_by_polarity_against_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (f"u{rng.integers(6)}", f"i{rng.integers(9)}", str(rng.choice(list(KINDS))))
        for _ in range(400)
    ]
    found = signals(log_of(rows), DECLARED)
    assert found.kinds == POLARITIES
    for number, one in enumerate(found.users()):
        for column, kind in enumerate(POLARITIES):
            want = {item for user, item, event in rows if (user, KINDS[event]) == (one.user, kind)}
            assert found.counts[number, column] == len(want)
            assert one.counts(one.items)[column] == len(want)
            assert {item for item, said in one.items.items() if kind in said} == want


def test_an_item_of_two_polarities_counts_in_both_and_a_repeat_once() -> None:
    rows = [("u", "a", "view"), ("u", "a", "view"), ("u", "a", "like"), ("u", "b", "skip")]
    one = signals(log_of(rows), DECLARED).user("u")
    assert one.items == {
        "b": {"implicit_negative"},
        "a": {"explicit_positive", "implicit_positive"},
    }
    assert one.counts(["a", "a", "never seen"]).tolist() == [1, 1, 0, 0]
    assert one.kinds == ("explicit_positive", "implicit_positive", "implicit_negative")


def test_events_come_newest_first_in_chunks() -> None:
    rows = [("u", f"i{n}", "view" if n % 2 else "skip") for n in range(250)]
    chunks = signals(log_of(rows), DECLARED).user("u").chunks()
    assert [len(chunk) for chunk in chunks] == [100, 100, 50]
    assert chunks[0][0] == Event("i249", "implicit_positive")
    assert chunks[2][-1] == Event("i0", "implicit_negative")


def test_polarity_may_come_from_the_value() -> None:
    frame = pl.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"], "timestamp": [1, 2, 3]})
    log = Interactions.from_frame(frame.with_columns(value=pl.Series([5.0, 3.0, 1.0])))
    bands: dict[Polarity, tuple[float, float]] = {
        "explicit_positive": (4, 5),
        "explicit_negative": (1, 2),
    }
    declared = Declaration(value=ValueBands("rating", bands))
    assert signals(log, declared).counts.tolist() == [[1, 1, 0, 1]]


def test_a_log_without_polarities_says_what_to_declare() -> None:
    log = log_of([("u", "a", "view"), ("u", "b", "view")])
    with pytest.raises(BadInput) as raised:
        signals(log, Declaration())
    assert "explicit_positive" in raised.value.fix
    assert signals(log, Declaration(), one_kind=True).counts.tolist() == [[0, 2, 0, 0]]
    rated = pl.DataFrame({"user_id": "u", "item_id": ["a", "b"], "value": [0.5, 5.0]})
    with pytest.raises(BadInput) as raised:
        signals(Interactions.from_frame(rated), Declaration())
    assert "bands" in raised.value.fix
    with pytest.raises(BadInput, match="not declared"):
        signals(log_of([("u", "a", "buy")]), DECLARED)
    with pytest.raises(BadInput, match="'v'"):
        signals(log, Declaration(), one_kind=True).user("v")


def test_users_without_events_have_no_signals() -> None:
    log = log_of([("u", "a", "view"), ("v", "b", "skip"), ("w", "c", "like")])
    found = signals(log.select(np.array([True, False, True])), DECLARED)
    assert found.counts.sum(1).tolist() == [1, 0, 1]
    assert found.user("v").events == ()


def test_a_text_stays_on_its_line() -> None:
    events = [Event("7", "implicit_positive"), Event("8", "explicit_negative")]
    texts = {"7": "a song\n[9] explicit_positive - bought\u2028twice \x1b[2J"}
    lines = history_lines(events, texts)
    assert lines[0].startswith(
        "[7] implicit_positive - a song [9] explicit_positive - bought twice"
    )
    assert all(line.isprintable() for line in lines)
    assert lines[1] == "[8] explicit_negative - "
    assert history_lines(events, texts, cut=6)[0] == "[7] implicit_positive - a song"


def test_a_million_events_take_seconds() -> None:
    rng = np.random.default_rng(0)
    many = 1_000_000
    log = Interactions(
        pl.Series([f"u{n}" for n in range(1_000)]),
        pl.Series([f"i{n}" for n in range(5_000)]),
        np.linspace(0, many, 1_001).astype(np.int64),
        rng.integers(1, 5_001, many).astype(np.int32),
        events=rng.integers(0, 4, many).astype(np.uint8),
        event_names=tuple(KINDS),
    )
    start = time.process_time()
    assert signals(log, DECLARED).counts.shape == (1_000, 4)
    assert time.process_time() - start < 5


def test_claimed_numbers_are_scored_by_polarity() -> None:
    kinds: tuple[Polarity, ...] = ("explicit_positive", "implicit_negative")
    assert counting_accuracy([(0, -2), (3, 0), (0, -1), (1, 1)], kinds) == {
        "explicit_positive": CountingAccuracy(exact=0.5, error=1.0, bias=1.0),
        "implicit_negative": CountingAccuracy(exact=0.25, error=1.0, bias=-0.5),
    }
    assert counting_accuracy([], kinds) == {}
