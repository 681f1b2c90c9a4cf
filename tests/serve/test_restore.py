"""A dump restored is the store again, on either database; damaged, it is refused whole."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tastemaker.data.declaration import Declaration
from tastemaker.errors import ArtefactError
from tastemaker.serve import restore as reading
from tastemaker.serve.adding import Appended
from tastemaker.serve.dump import dump
from tastemaker.serve.events import Event
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.restore import restore
from tastemaker.serve.store import Store
from tests.serve.conftest import KINDS
from tests.serve.test_dump import filled
from tests.serve.test_store import STRANGE


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A dump of a filled store."""
    path = tmp_path / "whole.jsonl"
    with Store.open(tmp_path / "source.sqlite") as store:
        filled(store)
        dump(store.database, path)
    return path


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
def test_from_any_database_into_any(
    fresh: Callable[[str], str], tmp_path: Path, here: str, there: str
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    with Store.open(fresh(here)) as source, Store.open(fresh(there)) as target:
        filled(source)
        odd = [Event(f"e{one}"[:999], one, one, 1.000001, one, 1e-9, one, 1) for one in STRANGE]
        source.append(odd)
        dump(source.database, first)
        done = restore(target.database, first)
        assert done.events == Appended(5 + len(odd), 0) and done.hidden == 2
        dump(target.database, second)
        assert first.read_bytes() == second.read_bytes()
        again = asdict(restore(target.database, first))
        assert again["events"] == {"new": 0, "duplicate": 5 + len(odd), "erased": 0}
        assert (again["hidden"], again["removed"]) == (0, 0)
        dump(target.database, second)
        assert first.read_bytes() == second.read_bytes()
        logs = [
            one.interactions(Declaration(), kinds=[""]).interactions for one in (source, target)
        ]
        assert logs[0] is not None and logs[1] is not None
        assert logs[0].sha256 == logs[1].sha256
        assert target.identity != source.identity


def test_what_is_there_stays_and_who_was_erased_anywhere_is_gone(
    store: Store, whole: Path, tmp_path: Path
) -> None:
    store.append([Event("mine", "u2", "i", 7), Event("e1", "u1", "other", 3)])
    store.append([Event("before", "u0", "i", 7)])
    store.erase("u0")
    store.hide("i1", 99)
    done = restore(store.database, whole)
    assert done.removed == 1 and done.events.erased == 2 and done.hidden == 1
    assert store.history("u2", 9) == [] == store.history("u0", 9)
    assert [one.item_id for one in store.history("u1", 9)] == ["other", "ü"]
    assert store.hidden(50) == {"i1", "i2"}
    assert store.erased(["u0", "u1", "u2"]).keys() == {"u0", "u2"}


GOOD = {"event_id": "a", "user_id": "u", "item_id": "i", "time": 3, "received": 3}


def changed(**values: object) -> str:
    """An event of which something is missing (None) or another."""
    held = {name: value for name, value in {**GOOD, **values}.items() if value is not None}
    return json.dumps({"event": held})


DAMAGE = {
    "no JSON": '{"event": {"event_id": "a"',
    "no line of ours": '{"thing": {}}',
    "a second head": '{"store": {"format": 1}}',
    "no item": changed(item_id=None),
    "no time": changed(time=None),
    "a negative time": changed(time=-3),
    "a list for an id": changed(event_id=["a"]),
    "text for a time of arrival": changed(received="x"),
    "half a hash": '{"erased": {"user_sha256": "ab", "until": 3}}',
    "no hash": '{"erased": {"user_sha256": "zz", "until": 3}}',
    "a number for a hash": '{"erased": {"user_sha256": 3, "until": 3}}',
    "an id with a control": '{"hidden": {"item_id": "a\\u0000"}}',
    "arms that are none": '{"experiment": {"name": "x", "arms": "[]", "declared": 3}}',
    "an exposure of nobody": '{"exposure": {"experiment": "x", "arm": "a", "known": true}}',
    "an exposure with no answers": '{"exposure": {"experiment": "x", "user_id": "u", "arm": "a", '
    '"known": true, "model": "a", "version": "v", "first_time": 3, "last_time": 3, "answers": 0}}',
    "a time at which nothing was shown": '{"shown": {"experiment": "x", "user_id": "u", '
    '"item_id": "i", "first_time": "soon"}}',
    "an early end": '{"end": {"event": 0}}',
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("held", [1, 1_000])
def test_a_damaged_line_is_named_and_nothing_is_added(
    store: Store, whole: Path, damage: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_HELD", held)
    lines = whole.read_text().splitlines(keepends=True)
    lines.insert(7, DAMAGE[damage] + "\n")
    whole.write_text("".join(lines))
    with pytest.raises(ArtefactError) as caught:
        restore(store.database, whole)
    place = 9 if damage == "an early end" else 8
    assert caught.value.file == f"{whole}:{place}"
    assert len(store) == 0 and store.hidden(0) == frozenset()
    done = restore(store.database, whole, drop=True)
    assert done.bad_lines >= 1 and f"{whole}:{place}: " in done.bad[0]
    if damage != "an early end":
        assert done.events.new == 5 and done.bad_lines == 1


@pytest.mark.parametrize("lines", [1, 3, 8, 9])
def test_a_dump_that_was_cut_short_is_refused(store: Store, whole: Path, lines: int) -> None:
    kept = whole.read_text().splitlines(keepends=True)[:lines]
    whole.write_text("".join(kept))
    with pytest.raises(ArtefactError) as caught:
        restore(store.database, whole)
    assert caught.value.file == f"{whole}:{lines}" and len(store) == 0
    done = restore(store.database, whole, drop=True)
    assert done.bad_lines == 1 and done.events.new == max(0, lines - 4)


def test_a_dump_with_a_line_too_few_or_too_many_is_refused(store: Store, whole: Path) -> None:
    lines = whole.read_text().splitlines(keepends=True)
    for wrong in (lines[:6] + lines[7:], [*lines[:6], lines[5], *lines[6:]], [*lines, lines[5]]):
        whole.write_text("".join(wrong))
        with pytest.raises(ArtefactError):
            restore(store.database, whole)
        assert len(store) == 0
    assert json.loads(lines[-1])["end"]["event"] == 5


def test_exposures_are_joined_the_same_twice_as_once(
    store: Store, whole: Path, tmp_path: Path
) -> None:
    split = Experiment.parse("new=a,b")
    here = [
        Exposure("u1", "b", True, "b", "v9", 6_900_000, ["i", "x"]),
        Exposure("u0", "a", True, "a", "v9", 9_900_000, ["x"]),
    ]
    write_exposures(store.database, split, here)
    store.append([Event("before", "u0", "i", 1)])
    for _ in range(2):
        restore(store.database, whole)
        dump(store.database, tmp_path / "d")
        lines = [json.loads(line) for line in (tmp_path / "d").read_text().splitlines()]
        told = [one["exposure"] for one in lines if "exposure" in one]
        joined = {(one["user_id"], one["known"]): one for one in told}
        assert set(joined) == {("u0", False), ("u0", True), ("u1", False), ("u1", True)}
        both = joined["u1", True]
        assert (both["first_time"], both["last_time"], both["answers"]) == (6.5, 7, 2)
        times = {
            (one["shown"]["user_id"], one["shown"]["item_id"]): one["shown"]["first_time"]
            for one in lines
            if "shown" in one
        }
        assert times == {("u0", "x"): 9.9, ("u1", "i"): 6.5, ("u1", "x"): 6.9, ("u1", "ü"): 6.5}


def test_exposures_of_before_an_erasure_do_not_come_back(store: Store, whole: Path) -> None:
    """Whether the user was erased here or where the dump was made."""
    store.erase("u1")
    gone = [Exposure("u2", "a", True, "a", "v", 3_000_000, ["i"])]
    write_exposures(store.database, Experiment.parse("old=a,b"), gone)
    restore(store.database, whole)
    with store.database.reading() as connection:
        users = connection.exec_driver_sql("SELECT user_id FROM exposures").scalars().all()
        assert users == ["u0"]
        assert not connection.exec_driver_sql("SELECT user_id FROM shown_items").all()


def test_an_end_that_counts_only_some_kinds_is_refused(store: Store, whole: Path) -> None:
    lines = whole.read_text().splitlines(keepends=True)
    some = [line for line in lines if not line.startswith(('{"exp', '{"shown'))]
    some[-1] = '{"end": {"erased": 1, "hidden": 2, "event": 5}}\n'
    whole.write_text("".join(some))
    with pytest.raises(ArtefactError) as caught:
        restore(store.database, whole)
    assert caught.value.file == f"{whole}:{len(some)}" and len(store) == 0
