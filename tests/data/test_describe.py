"""Descriptions: every event is either learnt or has the cause why not."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemaker.data.datasets import load

EVENTS = {"view": "implicit_positive", "skip": "implicit_negative", "like": "explicit_positive"}


def shop(folder: Path, value: dict[str, Any] | None = None) -> Path:
    rows = [
        ("u", "a", 1_700_000_000, "view", None),
        ("u", "b", 1_700_000_001, "skip", 5),
        ("u", "a", 1_700_000_002, "view", 1),
        ("u", "a", 1_700_000_003, "view", 4),
        ("v", "c", 1_700_086_400, "skip", None),
        ("v", "c", 1_700_086_401, "like", None),
        ("v", "c", 1_700_086_402, "view", 2),
        ("v", "c", 1_700_086_403, "view", 3),
    ]
    names = ["user_id", "item_id", "timestamp", "event", "rating"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "interactions.csv")
    (folder / "items.csv").write_text("item_id,title\na,A\n")
    declared = {"name": "shop", "events": EVENTS} | ({"value": value} if value else {})
    (folder / "dataset.json").write_text(json.dumps(declared))
    return folder


BANDS = {
    "column": "rating",
    "bands": {"explicit_positive": [4, 5], "explicit_negative": [1, 2]},
}


def test_events_by_role_bands_repeats_and_causes(tmp_path: Path) -> None:
    found = load(shop(tmp_path, BANDS)).check()
    assert (found["ok"], found["name"]) == (True, "shop")
    assert (found["users"], found["items"], found["interactions"]) == (2, 3, 8)
    assert found["from_to"] == ["2023-11-14", "2023-11-15"]
    assert found["events"] == [
        {"event": "view", "role": "implicit_positive", "count": 5, "learnt": 3},
        {"event": "skip", "role": "implicit_negative", "count": 2, "learnt": 1},
        {"event": "like", "role": "explicit_positive", "count": 1, "learnt": 1},
    ]
    both = {"column": "rating"}
    assert found["bands"] == [
        both | {"role": "explicit_positive", "from": 4.0, "to": 5.0, "count": 2, "learnt": 2},
        both | {"role": "explicit_negative", "from": 1.0, "to": 2.0, "count": 2, "learnt": 0},
    ]
    assert found["learnt"] == 5
    assert found["repeats"] == 2
    assert found["not_learnt"] == [
        {"why": "skip is implicit_negative", "count": 1},
        {"why": "rating from 1 to 2 is explicit_negative", "count": 2},
    ]
    assert (found["catalogue"], found["outside_catalogue"]) == (1, 2)
    assert (found["dropped"], found["dropped_why"]) == (0, [])
    assert len(found["warnings"]) == 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("value", [None, BANDS])
def test_every_event_is_learnt_or_has_a_cause(tmp_path: Path, value: dict | None) -> None:
    dataset = load(shop(tmp_path, value))
    for found in (dataset.check(), dataset.describe()):
        causes = sum(cause["count"] for cause in found["not_learnt"])
        assert found["learnt"] + causes == found["interactions"] == 8
        assert found["learnt"] == dataset.positives().num_events
        assert sum(event["count"] for event in found["events"]) == 8
        assert sum(event["learnt"] for event in found["events"]) == found["learnt"]


def test_dropped_rows_are_counted_once_and_by_cause(tmp_path: Path) -> None:
    folder = shop(tmp_path)
    with (folder / "interactions.csv").open("a") as sink:
        sink.write(",d,soon,view,1\nu,,soon,view,1\n")
    found = load(folder, bad_rows=tmp_path / "bad.csv").check()
    assert found["interactions"] == 8
    assert found["dropped"] == 2
    assert found["dropped_why"] == [
        {"why": "timestamp: this is not a time", "count": 2},
        {"why": "item_id: the id is missing", "count": 1},
        {"why": "user_id: the id is missing", "count": 1},
    ]


def test_a_log_of_one_kind_without_times_or_values() -> None:
    frame = pl.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "a"], "timestamp": [5, 6]})
    found = load(frame).check()
    assert found["events"] == [
        {"event": "view", "role": "implicit_positive", "count": 2, "learnt": 2}
    ]
    assert (found["repeats"], found["bands"], found["not_learnt"]) == (1, [], [])
