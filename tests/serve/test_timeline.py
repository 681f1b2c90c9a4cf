"""What a user did, newest first, each event once."""

from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened, Told
from tastemaker.serve.timeline import timeline_of


def test_the_log_and_what_was_told_are_one_timeline(opened: Opened) -> None:
    log = opened.saved.browse.history("u1")
    last = log[-1].time or 0
    again = Event("a", "u1", log[0].item, float(log[0].time or 0))
    newer = Event("b", "u1", "i3", last + 0.25, "view", 3.0)
    told = timeline_of(opened.saved, Told("u1", (again, newer)))
    assert told[0] == {
        "item": "i3",
        "title": "Item <3>",
        "time": newer.time,
        "kind": "view",
        "value": 3.0,
    }
    assert [one["item"] for one in told[1:]] == [one.item for one in log[::-1]]
    erased = timeline_of(opened.saved, Told("u1", (newer,), erased=float(last)))
    assert [one["item"] for one in erased] == ["i3"]
    assert timeline_of(opened.saved, Told("nobody")) == []
