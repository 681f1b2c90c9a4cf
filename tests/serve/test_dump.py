"""A dump is one moment of the store, streamed, whole or not there."""

import json
import tracemalloc
from pathlib import Path

import pytest

from tastemaker.errors import OutOfResources
from tastemaker.serve import dump as writing
from tastemaker.serve.dump import dump
from tastemaker.serve.events import Event
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.store import Store

COUNTS = {
    "erased": 1,
    "hidden": 2,
    "event": 5,
    "experiment": 1,
    "exposure": 3,
    "shown": 2,
}


def filled(store: Store) -> None:
    store.append([Event(f"e{n}", f"u{n % 3}", "ü", n + 0.5, "", n / 3) for n in range(6)])
    store.append([Event("x", "u1", "i", 5, "shown", None, "l", 2)])
    answers = [
        Exposure("u1", "b", False, "popularity", "v1", 5_000_000, ["ü"]),
        Exposure("u1", "b", True, "b", "v1", 6_500_000, ["ü", "i"]),
        Exposure("u1", "b", True, "b", "v2", 7_000_000, ["ü"]),
        Exposure("u0", "a", False, "popularity", "v2", 8_000_000, ["i"]),
        Exposure("u2", "a", True, "a", "v2", 9_000_000, ["i"]),
    ]
    write_exposures(store.database, Experiment.parse("new=a,b"), answers)
    store.erase("u2")
    store.hide("i1", 9)
    store.hide("i2")


def test_a_dump_says_everything_but_caches(store: Store, tmp_path: Path) -> None:
    filled(store)
    path = tmp_path / "d.jsonl"
    assert dump(store.database, path) == COUNTS
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"store": {"format": 1}}
    assert lines[-1] == {"end": COUNTS}
    events = [line["event"] for line in lines if "event" in line]
    assert [one["event_id"] for one in events] == ["e0", "e1", "e3", "e4", "x"]
    received = events[1].pop("received")
    assert received > 1.7e9
    assert events[1] == {"event_id": "e1", "user_id": "u1", "item_id": "ü", "time": 1.5,
                         "value": 1 / 3}  # fmt: skip
    assert (events[4]["kind"], events[4]["list_id"], events[4]["rank"]) == ("shown", "l", 2)
    assert {"hidden": {"item_id": "i2"}} in lines and "u2" not in path.read_text()
    assert {"experiment": {"name": "new", "arms": '[["a",0.5],["b",0.5]]', "declared": 9}} in lines
    known = {"experiment": "new", "user_id": "u1", "arm": "b", "known": True, "model": "b",
             "version": "v1", "first_time": 6.5, "last_time": 7, "answers": 2}  # fmt: skip
    assert {"exposure": known} in lines
    item = {"user_id": "u1", "experiment": "new", "item_id": "ü", "first_time": 6.5}
    assert {"shown": item} in lines
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_dump_is_of_one_moment(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([Event(f"e{n}", "u", "i", n) for n in range(3)])
    plain = writing.seconds

    def meanwhile(time: int) -> float:
        store.append([Event(f"late{time}", "u", "i", 5)])
        return plain(time)

    monkeypatch.setattr(writing, "seconds", meanwhile)
    assert dump(store.database, tmp_path / "d")["event"] == 3
    assert len(store) > 3


def test_a_dump_streams(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for start in range(0, 5_000, 2_500):
        store.append([Event(f"e{n}" + "x" * 400, "u" * 400, "i" * 400, 5)
                      for n in range(start, start + 2_500)])  # fmt: skip
    monkeypatch.setattr(writing, "_HELD", 100)
    tracemalloc.start()
    dump(store.database, tmp_path / "d")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "d").stat().st_size > 6_000_000
    assert peak < 2_000_000


def test_a_dump_that_fails_leaves_the_one_before(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    path = tmp_path / "d"
    dump(store.database, path)
    before = path.read_bytes()

    def full(_: int) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "seconds", full)
    with pytest.raises(OutOfResources):
        dump(store.database, path)
    assert path.read_bytes() == before and list(tmp_path.glob(".partial*")) == []
