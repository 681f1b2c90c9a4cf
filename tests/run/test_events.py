"""Events that come from elsewhere: checked, and in the codes of a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.run.events import Event, LogFacts, told_of
from tastemaker.run.saved import SavedRun
from tests.run.refusals import refusing_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def test_ids_events_and_rows_are_one(run: SavedRun) -> None:
    code = run.interactions.item_codes
    history: list[Any] = [
        "i3",
        Event("i3"),
        ("i3",),
        ("i4", 7, "skip"),
        ("i4", np.int64(7), "skip"),
    ]
    told, count = told_of(run, history)
    assert count == 5
    assert told.items.tolist() == [code["i3"]] * 3 + [code["i4"]] * 2
    assert np.isnan(told.times[:3]).all() and told.times[3:].tolist() == [7, 7]
    kinds = [run.log_facts.kinds[kind] for kind in told.kinds]
    assert kinds == ["like"] * 3 + ["skip"] * 2
    assert np.isnan(told.values).all()


def test_unknown_items_are_passed_over_and_counted(run: SavedRun) -> None:
    told, count = told_of(run, ["nowhere", "i3", ("unseen", 5), "i3"])
    assert (count, len(told.items)) == (4, 2)
    nothing, none = told_of(run, [])
    assert (none, len(nothing.items)) == (0, 0)


def test_whole_numbers_are_ids_and_seconds_are_whole(run: SavedRun) -> None:
    told, count = told_of(run, [7, np.int32(8), ("i3", 12.75, "", 2)])
    assert count == 3
    assert told.times.tolist() == [12.0]
    assert told.values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (None, "item"), (7.5, "item"), ((True,), "item"),
        (("i3", -1), "time"), (("i3", 5e12), "time"), (("i3", float("nan")), "time"),
        (("i3", "noon"), "time"), (("i3", True), "time"),
        (("i3", 5, "love"), "kind"), (("i3", 5, "like", float("inf")), "value"),
        (("i3", 5, "like", "4"), "value"), (("i3", 5, "like", True), "value"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named_with_its_place(
    run: SavedRun, event: Any, field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        told_of(run, ["i1", event])
    assert caught.value.where == f"history, event 2: {field}"


@pytest.mark.parametrize("history", ["i3", b"i3"])
def test_one_text_is_no_history(run: SavedRun, history: Any) -> None:
    with pytest.raises(BadInput, match="one text"):
        told_of(run, history)


def test_an_event_without_a_kind_says_that_the_item_was_chosen(run: SavedRun) -> None:
    facts = run.log_facts
    assert facts.kinds[facts.unnamed] == "like"
    assert facts.polarities[facts.unnamed] > 0
    assert facts.newest == float(run.data.interactions.times.max())  # type: ignore[union-attr]


def test_facts_of_a_log_without_times(finished_run: Path) -> None:
    from dataclasses import replace

    from tastemaker.run.saved import open_run

    data = open_run(finished_run).data
    facts = LogFacts.of(replace(data.interactions, times=None), data.declared)
    assert np.isnan(facts.newest)
    assert facts.kinds == ("view",)


ids = st.sampled_from(["i0", "i1", "i30", "nowhere"])
times = st.none() | st.floats(0, 4e9) | st.integers(0, 4 * 10**9)
values = st.none() | st.integers(-5, 5) | st.floats(-1e30, 1e30)
whole_event = st.builds(Event, ids, times, st.sampled_from(["", "like", "dislike", "skip"]), values)


@settings(max_examples=40, deadline=None)
@given(st.lists(whole_event | ids, max_size=8), st.data())
def test_events_are_read_one_by_one_however_they_are_written(
    run: SavedRun, history: list[Any], data: st.DataObject
) -> None:
    told, count = told_of(run, history)
    assert count == len(history)
    rows = [one if isinstance(one, Event) else Event(one) for one in history]
    known = [one for one in rows if one.item != "nowhere"]
    assert run.interactions.decode(told.items) == [one.item for one in known]
    for place, one in enumerate(known):
        assert run.log_facts.kinds[told.kinds[place]] == (one.kind or "like")
        time, value = float(told.times[place]), told.values[place]
        assert np.isnan(time) if one.time is None else time == int(one.time)
        assert np.isnan(value) if one.value is None else value == np.float32(one.value)
    tuples = [(one.item, one.time, one.kind, one.value) for one in rows]
    again, _ = told_of(run, tuples)
    for name, column in vars(told).items():
        assert np.array_equal(vars(again)[name], column, equal_nan=True)
        assert column.dtype == vars(again)[name].dtype and column.shape == (len(known),)
    cut = data.draw(st.integers(0, len(known)))
    order = np.arange(len(known))
    parts = told.take(order[:cut]).then(told.take(order[cut:]))
    assert all(np.array_equal(vars(parts)[n], vars(told)[n], equal_nan=True) for n in vars(told))


def test_a_generator_is_read_once_and_a_bad_event_is_counted_from_its_start(run: SavedRun) -> None:
    told, count = told_of(run, (item for item in ["i1", "nowhere", "i2"]))
    assert (count, run.interactions.decode(told.items)) == (3, ["i1", "i2"])
    with pytest.raises(BadInput) as caught:
        told_of(run, [*["nowhere"] * 1_233, ("nowhere", -1)])  # checked though it is not known
    assert caught.value.where == "history, event 1,234: time"
