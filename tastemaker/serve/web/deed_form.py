"""The form that adds an event to a user's history: what it may say, and the event that it makes."""

from __future__ import annotations

import hashlib
import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tastemaker.data.declaration import SAID
from tastemaker.errors import BadInput
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened
from tastemaker.serve.web.times import time_of

FIELDS = ("item", "kind", "value", "time", "token")
"""Names of the fields."""


@dataclass(frozen=True)
class Kind:
    """A kind of event."""

    name: str
    means: str
    """what it says of its item, in a word"""


@dataclass(frozen=True)
class DeedForm:
    """What the form offers."""

    kinds: tuple[Kind, ...]
    """the usual one first"""
    valued: str
    """what the value is called; empty: events have none"""
    token: str
    """of this very form: sent twice, it adds one event"""


def deed_form(run: Opened) -> DeedForm:
    """A form for the events that a run understands."""
    declared, facts = run.saved.data.declared, run.saved.log_facts
    usual = facts.kinds[facts.unnamed] if facts.kinds else ""
    names = sorted(declared.events, key=lambda name: name != usual)
    kinds = tuple(Kind(name, SAID[declared.events[name]]) for name in names)
    valued = declared.value.column if declared.value else ""
    if not valued and run.saved.data.interactions.values is not None:
        valued = "value"
    return DeedForm(kinds, valued, uuid.uuid4().hex)


def event_of(user: str, item: str, form: Mapping[str, str]) -> Event:
    """The event that a form makes.

    Args:
        user: Whose history it is added to.
        item: The item that is meant.
        form: Its fields; those that were left empty are not there.

    Raises:
        BadInput: If a field cannot be read.
    """
    said = [form.get(name, "") for name in ("token", "kind", "value", "time")]
    token = hashlib.sha256("\x1f".join((user, item, *said)).encode(errors="replace"))
    return Event(
        f"page-{token.hexdigest()[:32]}",
        user,
        item,
        time_of(form["time"], "time") if "time" in form else round(time.time(), 3),
        form.get("kind", ""),
        _value(form.get("value", "")),
    )


def _value(text: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{text!r:.80} is no number.", "value", "Give a number, or leave it empty.")
    return number
