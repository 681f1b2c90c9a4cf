"""The form that adds an event."""

import time
from dataclasses import replace

import pytest

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.errors import BadInput
from tastemaker.serve.opened import Opened
from tastemaker.serve.web.deed_form import deed_form, event_of


def declared(opened: Opened, declaration: Declaration) -> Opened:
    data = replace(opened.saved.data, declared=declaration)
    return replace(opened, saved=replace(opened.saved, data=data))


def test_it_offers_the_kinds_that_are_declared(opened: Opened) -> None:
    events = {"skip": "implicit_negative", "view": "implicit_positive", "like": "explicit_positive"}
    value = ValueBands("rating", {"explicit_positive": (4, 5)})
    form = deed_form(declared(opened, Declaration(events=events, value=value)))  # type: ignore[arg-type]
    assert form.kinds[0].name == "view"  # the usual one
    assert {kind.name: kind.means for kind in form.kinds} == {
        "view": "chosen",
        "skip": "passed over",
        "like": "liked",
    }
    assert form.valued == "rating"


def test_events_without_values_have_no_field_for_one(opened: Opened) -> None:
    form = deed_form(opened)
    assert form.valued == "" and [kind.name for kind in form.kinds] == ["view"]
    assert form.token != deed_form(opened).token


def test_an_event_is_of_now_unless_it_says_when() -> None:
    now = event_of("u", "i1", {"token": "t", "kind": "view"})
    assert abs(now.time - time.time()) < 60 and (now.kind, now.value) == ("view", None)
    then = event_of("u", "i1", {"token": "t", "time": "1970-01-01T00:01", "value": "4.5"})
    assert (then.user_id, then.item_id, then.time, then.value) == ("u", "i1", 60, 4.5)


def test_a_form_that_is_sent_twice_is_one_event() -> None:
    one, other = {"token": "t", "kind": "view"}, {"token": "other", "kind": "view"}
    assert event_of("u", "i1", one).event_id == event_of("u", "i1", one).event_id
    ids = {
        event_of("u", "i1", one).event_id,
        event_of("u", "i2", one).event_id,
        event_of("v", "i1", one).event_id,
        event_of("u", "i1", other).event_id,
        event_of("u", "i1", {**one, "value": "1"}).event_id,
    }
    assert len(ids) == 5


@pytest.mark.parametrize("value", ["many", "nan", "inf", "1e999"])
def test_a_value_is_a_number(value: str) -> None:
    with pytest.raises(BadInput) as told:
        event_of("u", "i1", {"value": value})
    assert told.value.where == "value"
