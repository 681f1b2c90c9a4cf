"""What a user did, event by event."""

from dataclasses import replace

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened, Told
from tastemaker.serve.web.deeds import deeds_of

EVENTS = {"view": "implicit_positive", "skip": "implicit_negative", "hate": "explicit_negative"}


def test_the_log_and_what_was_told_stand_together_newest_first(opened: Opened) -> None:
    user = str(opened.saved.interactions.user_ids[0])
    told = Told(user, (Event("e1", user, "i3", 2e9, "view"),))
    deeds = deeds_of(opened.saved, told)
    assert (deeds[0].item, deeds[0].title, deeds[0].likes) == ("i3", "Item <3>", True)
    times = [deed.time for deed in deeds if deed.time is not None]
    assert times == sorted(times, reverse=True)
    assert len(deeds) == 1 + len(deeds_of(opened.saved, Told(user)))


def test_kinds_and_values_say_what_is_meant(opened: Opened) -> None:
    bands = ValueBands("value", {"explicit_positive": (4, 5), "explicit_negative": (0, 2)})
    meaning = Declaration(events=EVENTS, value=bands)  # type: ignore[arg-type]
    saved = replace(opened.saved, data=replace(opened.saved.data, declared=meaning))
    kinds = [("view", None), ("skip", None), ("view", 4.5), ("view", 1.0), ("old", None)]
    events = [
        Event(f"e{n}", "new", f"i{n}", n, kind, value) for n, (kind, value) in enumerate(kinds)
    ]
    deeds = deeds_of(saved, Told("new", tuple(events)))[::-1]
    words = ["chosen", "passed over", "liked", "disliked", "old"]
    assert [deed.word for deed in deeds] == words
    assert [deed.likes for deed in deeds] == [True, False, True, False, None]


def test_somebody_unknown_did_nothing(opened: Opened) -> None:
    assert deeds_of(opened.saved, Told("nobody")) == []


def test_an_item_that_was_told_and_is_not_in_the_run_is_marked(opened: Opened) -> None:
    events = (Event("e1", "new", "i3", 1, "view"), Event("e2", "new", "not-yet", 2, "view"))
    assert [deed.known for deed in deeds_of(opened.saved, Told("new", events))] == [False, True]
