"""Doubts: said where something is hardly meant, and silent elsewhere."""

import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration
from tastemaker.data.doubts import (
    doubts,
    outside_catalogue,
    ready_split,
    strange_times,
    without_entry,
    without_order,
)
from tastemaker.data.interactions import Interactions
from tastemaker.data.problems import BadData
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import from_frame
from tastemaker.errors import BadInput

NOW = 1_700_000_000


def read(times: list[int] | None, unit: str = "s") -> tuple[Interactions, Declaration]:
    declared = Declaration(time_unit=unit)  # type: ignore[arg-type]
    if times is None:
        return Interactions.from_sequences({"u": ["a", "b"]}), declared
    items = [f"i{at}" for at in range(len(times))]
    frame = pl.DataFrame({"user_id": "u", "item_id": items, "timestamp": times})
    return read_interactions(from_frame(frame), declared).interactions, declared


@pytest.mark.parametrize(
    ("times", "unit", "words"),
    [
        ([NOW, NOW + 5], "ms", "seconds"),
        ([NOW, NOW + 5], "us", "seconds"),
        ([20_240_101, 20_231_231], "s", "dates"),
        ([19_700, 19_701], "s", "days"),
        ([19_700 * 24, 19_701 * 24], "s", "hours"),
        ([19_700 * 1440, 19_701 * 1440], "s", "minutes"),
        ([2023, 2024], "s", "years"),
        ([1, 2], "ms", "unit"),
        ([2023, 2024], "ms", "unit"),
        ([0, NOW, NOW + 1], "s", "1 of 3"),
    ],
)
def test_times_that_were_hardly_meant(times: list[int], unit: str, words: str) -> None:
    doubt = strange_times(*read(times, unit))
    assert doubt is not None
    assert words in doubt
    assert "1970" in doubt


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([NOW, NOW + 5], "s"),
        ([NOW * 1000, NOW * 1000 + 5], "ms"),
        ([NOW * 10**9, NOW * 10**9 + 5], "ns"),
        ([400_000_000, NOW], "s"),
        (None, "s"),
        ([0, 0], "s"),
        ([1, 2, 3], "s"),
        ([2023, 2024, 2050], "s"),
        ([5, 19_700], "s"),
        (list(range(0, 1_000_000, 5000)), "s"),
    ],
)
def test_good_times_raise_no_doubt(times: list[int] | None, unit: str) -> None:
    assert strange_times(*read(times, unit)) is None


def catalog(*ids: str) -> Catalog:
    return Catalog.from_table(from_frame(pl.DataFrame({"item_id": ids})))


@pytest.mark.parametrize(
    ("ids", "outside", "words"),
    [
        (("a", "b", "x"), 0, None),
        (("a",), 1, "1 of the 2 items"),
        (("A", "B"), 2, "None of the 2 items"),
    ],
)
def test_items_outside_the_catalogue_are_counted(
    ids: tuple[str, ...], outside: int, words: str | None
) -> None:
    log = Interactions.from_sequences({"u": ["a", "b", "a"]})
    assert outside_catalogue(log, catalog(*ids)) == outside
    doubt = without_entry(log, catalog(*ids))
    assert (doubt is None) == (words is None)
    assert (words or "") in (doubt or "")


def test_without_a_catalogue_nothing_is_outside() -> None:
    log = Interactions.from_sequences({"u": ["a"]})
    assert outside_catalogue(log, Catalog.empty()) == 0
    assert without_entry(log, Catalog.empty()) is None


def test_the_embedded_data_raises_no_doubt() -> None:
    assert load().check()["warnings"] == []


def timed(times: list[list[int]]) -> Interactions:
    rows = [(f"u{u}", f"i{n}", time) for u, own in enumerate(times) for n, time in enumerate(own)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Interactions.from_frame(frame)


def test_logs_whose_times_say_no_order() -> None:
    assert without_order(timed([[5, 5, 5], [7, 7], [1, 2, 3]]))
    assert without_order(timed([[5, 5, 5], [7, 8], [1, 2, 3]])) is None
    assert without_order(timed([[5, 5, 5], [7, 8]])) is None
    assert without_order(timed([[5], [7], [1]])) is None
    assert without_order(Interactions.from_sequences({"u": ["a", "b"]})) is None
    assert without_order(load().interactions) is None


def test_a_user_without_events_is_no_doubt() -> None:
    some = timed([[5, 5], [1, 2], [3, 4]])
    assert without_order(some.select(some.times != 5)) is None  # type: ignore[arg-type]


def test_doubts_stand_in_the_data_set() -> None:
    frame = pl.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "b"], "timestamp": [5, 5]})
    found = load(frame)
    assert found.warnings == doubts(found.interactions, found.catalog, found.declared)
    assert found.check()["warnings"] == list(found.warnings)
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


def test_all_doubts_are_said_at_once(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp,split\nu,a,20240131,train\nu,b,20240131,test\n"
    (tmp_path / "interactions.csv").write_text(text)
    (tmp_path / "items.csv").write_text("item_id,title\na,A\n")
    found = load(tmp_path)
    assert len(found.warnings) == 4
    (tmp_path / "interactions.csv").write_text(text.replace("0131,test", "0201,test"))
    assert len(load(tmp_path).warnings) == 3


def test_a_column_under_another_name_is_not_passed_over_in_silence() -> None:
    frame = pl.DataFrame(
        {"user_id": ["u", "v"], "item_id": ["a", "a"], "timestamp": [1, 2], "rating": [5, 1]}
    )
    (told,) = load(frame).warnings
    assert "'rating' as 'value'" in told
    assert load(frame.rename({"rating": "value"})).warnings == ()


def test_a_log_in_which_nothing_is_shared_is_doubted(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"], "timestamp": [1, 2]})
    assert any("share nothing" in told for told in load(frame).warnings)
    listed = tmp_path / "items.txt"
    listed.write_text("".join(f"{n} Some_title_{n} B{n:03}\n" for n in range(50)))
    with pytest.raises(BadData, match="no sequences"):
        load(listed)


@pytest.mark.parametrize("banded", [False, True])
def test_a_log_of_which_nothing_is_learnt_is_doubted(tmp_path: Path, banded: bool) -> None:
    rows = "".join(f"u{n % 2},i{n % 3},{n},{1 + n % 2}\n" for n in range(1, 7))
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp,value\n" + rows)
    declared: dict[str, object] = {"events": {"skip": "implicit_negative"}}
    if banded:
        bands = {"column": "value", "bands": {"explicit_negative": [1, 2]}}
        declared = {"value": bands, "events": {"rating": "implicit_positive"}}
    (tmp_path / "dataset.json").write_text(json.dumps(declared))
    dataset = load(tmp_path)
    assert dataset.check()["learnt"] == 0
    (told,) = [told for told in dataset.warnings if "Nothing is learnt" in told]
    assert "6 events" in told
    with pytest.raises(BadInput, match="nothing to learn"):
        dataset.positives()
    if banded:
        declared["value"] = {"column": "value", "bands": {"explicit_negative": [2, 2]}}
    else:
        declared = {"events": {"view": "implicit_positive"}}
    (tmp_path / "dataset.json").write_text(json.dumps(declared))
    assert not [told for told in load(tmp_path).warnings if "Nothing is learnt" in told]
