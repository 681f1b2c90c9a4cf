"""What a user did, to be shown: events of the run's log and those told since, newest first."""

from __future__ import annotations

from tastemaker.files import JsonObject
from tastemaker.run.saved import SavedRun
from tastemaker.serve.opened import Told


def timeline_of(saved: SavedRun, told: Told) -> list[JsonObject]:
    """The events, each with its item's title; one that both have is shown once.

    Args:
        saved: The run.
        told: Who it is about, and what was told of them.
    """
    events: list[tuple[float | None, str, str, str, float | None]] = []
    until = told.erased
    for one in saved.browse.history(told.user):
        if until is None or (one.time is not None and one.time > until):
            events.append((one.time, one.item, one.title, one.kind, one.value))
    seen = {(item, time, kind) for time, item, _, kind, _ in events}
    codes, titles = saved.interactions.item_codes, saved.shelf.titles
    only = saved.data.declared.only_event or ""
    for event in told.events:
        kind = event.kind or only
        if (event.item_id, int(event.time), kind) not in seen:
            code = codes.get(event.item_id)
            title = titles[code - 1] if code else event.item_id
            events.append((event.time, event.item_id, title, kind, event.value))
    events.sort(key=lambda one: one[0] or 0)
    return [
        {"item": item, "title": title, "time": time, "kind": kind, "value": value}
        for time, item, title, kind, value in reversed(events)
    ]
