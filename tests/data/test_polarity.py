"""Polarity: the band of a value, else the kind of event; the newest explicit word counts."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES, of_values, polarities, positives, refused
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput

LIKES = Declaration(
    events={
        "like": "explicit_positive",
        "view": "implicit_positive",
        "skip": "implicit_negative",
        "dislike": "explicit_negative",
    }
)


def log_of(*rows: tuple[str, str, str], values: list[float | None] | None = None) -> Interactions:
    """A log of (user, item, event), in the order of time."""
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event"], orient="row")
    frame = frame.with_columns(timestamp=pl.int_range(len(rows)))
    return Interactions.from_frame(
        frame if values is None else frame.with_columns(value=pl.Series(values, dtype=pl.Float64))
    )


def rated(bands: dict[Any, tuple[float, float]], values: list[float | None]) -> list[int]:
    frame = pl.DataFrame({"user_id": "u", "item_id": "i", "timestamp": range(len(values))})
    log = Interactions.from_frame(frame.with_columns(value=pl.Series(values, dtype=pl.Float64)))
    return polarities(log, Declaration(value=ValueBands("value", bands))).tolist()


def test_a_value_in_a_band_has_its_polarity_and_others_that_of_the_event() -> None:
    bands: dict[Any, tuple[float, float]] = {
        "explicit_negative": (1, 2),
        "explicit_positive": (4, 5),
    }
    assert rated(bands, [1, 2, 3, 4, 5, None, 2.5, 0]) == [-2, -2, 1, 2, 2, 1, 1, 1]


def test_bounds_are_those_that_a_stored_value_has() -> None:
    assert rated({"explicit_negative": (3.3, 3.7)}, [3.3, 3.7, 3.29, 3.71]) == [-2, -2, 1, 1]
    assert rated({"explicit_negative": (-1e300, 1e300)}, [3e38]) == [-2]


def test_the_explicit_one_of_overlapping_bands_counts() -> None:
    for bands in (
        {"explicit_positive": (4.0, 5.0), "implicit_positive": (3.0, 4.0)},
        {"implicit_positive": (3.0, 4.0), "explicit_positive": (4.0, 5.0)},
    ):
        assert rated(bands, [3, 4, 5]) == [1, 2, 2]


def test_only_positive_events_are_learnt() -> None:
    log = log_of(("u", "a", "view"), ("u", "b", "skip"), ("u", "c", "like"), ("u", "d", "dislike"))
    assert sorted(polarities(log, LIKES)) == sorted(CODES.values())
    learnt = positives(log, LIKES)
    assert learnt.decode(learnt.history(0)) == ["a", "c"]
    assert learnt.num_items == 4


def test_a_band_makes_a_negative_event_positive_and_the_other_way_round() -> None:
    declared = Declaration(
        events={"view": "implicit_positive", "skip": "implicit_negative"},
        value=ValueBands("value", {"explicit_positive": (4, 5), "explicit_negative": (1, 2)}),
    )
    log = log_of(("u", "a", "skip"), ("u", "b", "view"), ("u", "c", "skip"), values=[5, 1, None])
    learnt = positives(log, declared)
    assert learnt.decode(learnt.history(0)) == ["a"]


def test_a_log_with_nothing_positive_is_refused_when_it_shall_be_learnt() -> None:
    log = Interactions.from_frame(pl.DataFrame({"user_id": ["u"], "item_id": ["a"]}))
    with pytest.raises(BadInput, match="nothing to learn"):
        positives(log, Declaration(events={"view": "implicit_negative"}))
    with pytest.raises(BadInput, match="'view' is not declared"):
        positives(log, Declaration(events={"buy": "explicit_positive"}))


def test_the_newest_explicit_word_counts() -> None:
    log = log_of(
        ("u", "a", "like"),
        ("v", "a", "dislike"),
        ("u", "b", "dislike"),
        ("u", "a", "dislike"),
        ("u", "b", "like"),
        ("u", "c", "dislike"),
        ("u", "c", "view"),
        ("u", "c", "dislike"),
        ("u", "d", "skip"),
        ("v", "d", "like"),
    )
    found = refused(log, LIKES)
    assert (found.num_users, found.num_items) == (log.num_users, log.num_items)
    assert found.decode(found.history(log.user_codes["u"])) == ["a", "c"]
    assert found.decode(found.history(log.user_codes["v"])) == ["a"]


def test_refusals_against_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    names = list(LIKES.events)
    rows = [
        (f"u{rng.integers(5)}", f"i{rng.integers(6)}", str(rng.choice(names))) for _ in range(300)
    ]
    log = log_of(*rows)
    word: dict[tuple[str, str], str] = {}
    for user, item, event in rows:
        if LIKES.events[event].startswith("explicit"):
            word[user, item] = event
    found = refused(log, LIKES)
    for user, code in log.user_codes.items():
        want = {item for (who, item), event in word.items() if who == user and event == "dislike"}
        got = found.decode(found.history(code))
        assert len(got) == len(want)
        assert set(got) == want


def test_nobody_refuses_anything_where_no_event_is_explicitly_negative() -> None:
    log = log_of(("u", "a", "view"), ("u", "b", "skip"), ("u", "c", "like"))
    assert refused(log, LIKES).num_events == 0


def test_items_that_were_only_rated_badly_are_no_candidates(tmp_path: Path) -> None:
    """Bands decide what a model learns from, from the file to the candidates."""
    rows = [f"u{u},i{(u + n) % 9},{u * 100 + n},{5 - n % 3}" for u in range(8) for n in range(5)]
    rows += [f"u{u},bad{u % 2},{u * 100 + 50},1" for u in range(8)]
    text = "user_id,item_id,timestamp,rating\n" + "\n".join(rows) + "\n"
    (tmp_path / "interactions.csv").write_text(text)
    (tmp_path / "dataset.json").write_text(
        '{"value": {"column": "rating", "bands": {"explicit_negative": [1, 2]}}}'
    )
    found = load(tmp_path)
    assert found.interactions.num_events == 48
    learnt = found.positives()
    assert learnt.num_events == 40
    candidates = leave_one_out(learnt).trained_items
    assert not candidates[[learnt.item_code("bad0") - 1, learnt.item_code("bad1") - 1]].any()


def test_values_that_come_alone_lie_in_the_same_bands() -> None:
    bands = ValueBands("value", {"explicit_negative": (0, 2), "explicit_positive": (3.3, 5)})
    values = np.array([1, 2, 2.5, 3.3, 5, np.nan], np.float32)
    codes = of_values(values, Declaration(value=bands)).tolist()
    assert codes == [-2, -2, 0, 2, 2, 0]
    assert not of_values(values, Declaration()).any()


def bands_between(low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    bounds = st.integers(low, high)
    return st.tuples(bounds, bounds).map(sorted).map(tuple)


# Bands of one sign may overlap, those of different signs may not.
signed = {name: bands_between(*((1, 5) if code > 0 else (-5, 0))) for name, code in CODES.items()}
values_of = st.lists(st.none() | st.integers(-10, 10).map(lambda n: n / 2), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({}, optional=signed), values_of)
def test_values_lie_in_bands_as_a_plain_rule_has_them(
    bands: dict[Any, tuple[int, int]], values: list[float | None]
) -> None:
    said = np.array([np.nan if value is None else value for value in values], np.float32)
    made = of_values(said, Declaration(value=ValueBands("value", bands)))  # type: ignore[arg-type]
    assert made.dtype == np.int8
    for value, code in zip(values, made.tolist(), strict=True):
        inside = [n for n in bands if value is not None and bands[n][0] <= value <= bands[n][1]]
        assert code == max((CODES[name] for name in inside), key=abs, default=0)


def test_values_that_are_no_numbers_or_far_out_lie_in_no_band() -> None:
    declared = Declaration(value=ValueBands("value", {"explicit_positive": (4.0, 5.0)}))
    values = np.array([np.nan, np.inf, -np.inf, 3e38, 4.5], np.float32)
    assert of_values(values, declared).tolist() == [0, 0, 0, 0, 2]
    assert of_values(np.empty(0, np.float32), declared).tolist() == []
    assert of_values(values, Declaration()).tolist() == [0] * 5
