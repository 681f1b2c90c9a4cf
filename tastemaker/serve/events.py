"""Events: what a user did with an item, or was shown; checked before they are kept.

What the store takes, the data door can read (`data.checks`, `data.coded`): ids are any text without
control characters, times lie between 1970 and 2100.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
from sqlalchemy import RowMapping

from tastemaker.data.coded import MAX_ID_BYTES
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.times import LATEST
from tastemaker.errors import BadInput

SHOWN = "shown"
"""Kind of the events that say that an item was shown to a user: exposure, not a choice."""
MICROSECONDS = 1_000_000
"""In a second."""
_UNUSABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LARGEST = float(np.finfo(np.float32).max)
LAST_SECOND = LATEST // MICROSECONDS
"""The last time that an event may have, in seconds since 1970."""
_MOST_RANK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told once: a second event of one id is the first one again."""

    event_id: str
    """chosen by who tells it, the same when it is told again"""
    user_id: str
    item_id: str
    time: float
    """seconds since 1970 (UTC), kept to the microsecond"""
    kind: str = ""
    """what happened, such as `like`; `shown`: the item was shown; empty: the one unnamed kind"""
    value: float | None = None
    """a rating or the like"""
    list_id: str | None = None
    """list that the item was shown in"""
    rank: int | None = None
    """place in that list, from 1"""


def rows_of(
    events: Sequence[Event], received: int, where: str = "the batch"
) -> list[dict[str, object]]:
    """Events as rows of the table `events`.

    Args:
        events: In the order in which they came.
        received: Microseconds since 1970.
        where: What messages call them.

    Raises:
        BadData: With every kind of problem, its first place (from 1) and how many have it.
    """
    rows = [_row(one, received) for one in events]
    problems: dict[tuple[str, str], Problem] = {}
    for place, row in enumerate(rows, start=1):
        for column, (wrong_with, fix) in _CHECKS.items():
            if what := wrong_with(row[column]):
                old = problems.get((column, what))
                value = shown(row[column])
                found = old or Problem(where, column, place, value, 0, what, fix)
                problems[column, what] = replace(found, count=found.count + 1)
    if problems:
        raise BadData(list(problems.values()))
    for row, one in zip(rows, events, strict=True):
        row["time"] = microseconds(one.time)
    return rows


def event_of(row: RowMapping) -> Event:
    """The event of a row."""
    text = (row["event_id"], row["user_id"], row["item_id"], seconds(row["time"]), row["kind"])
    return Event(*text, row["value"], row["list_id"], row["rank"])


def microseconds(time: float) -> int:
    """Seconds since 1970 as the store keeps them."""
    return round(time * MICROSECONDS)


def seconds(time: int) -> float:
    """What the store keeps as seconds since 1970; whole ones are whole numbers."""
    whole, rest = divmod(time, MICROSECONDS)
    return time / MICROSECONDS if rest else whole


def until_of(time: float | None) -> int | None:
    """A time, or None for ever, as the store keeps it.

    Raises:
        BadInput: If it is no time.
    """
    if time is None:
        return None
    if what := _wrong_time(time):
        raise BadInput(f"{shown(time)}: {what}.", "until", _CHECKS["time"][1])
    return microseconds(time)


def checked_id(value: object, column: str) -> str:
    """An id that can be kept.

    Raises:
        BadInput: If it is none.
    """
    if what := _wrong_id(value):
        raise BadInput(f"{shown(value)}: {what}.", column, _ID)
    return str(value)


def _row(one: Event, received: int) -> dict[str, object]:
    return {
        "event_id": one.event_id,
        "user_id": one.user_id,
        "item_id": one.item_id,
        "kind": one.kind,
        "time": one.time,
        "value": one.value,
        "received": received,
        "list_id": one.list_id,
        "rank": one.rank,
    }


def _wrong_text(value: object) -> str:
    if not isinstance(value, str):
        return "this is no text"
    if _UNUSABLE.search(value):
        return "it holds control characters or halves of characters"
    # Most ids are short: only long ones are measured in bytes.
    if len(value) > MAX_ID_BYTES // 4 and len(value.encode()) > MAX_ID_BYTES:
        return f"it is longer than {MAX_ID_BYTES:,} bytes"
    return ""


def _wrong_id(value: object) -> str:
    return "the id is missing" if value in ("", None) else _wrong_text(value)


def _wrong_list(value: object) -> str:
    return "" if value is None else _wrong_id(value)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_time(value: object) -> str:
    if not _number(value) or value != value:
        return "this is not a time"
    if value < 0:
        return "the time is negative"
    return "" if value <= LAST_SECOND else "the time lies after the year 2100"


def _wrong_value(value: object) -> str:
    if value is None or (_number(value) and abs(value) <= _LARGEST):
        return ""
    return "the value is not a finite number" if not _number(value) else "the value is too large"


def _wrong_rank(value: object) -> str:
    if value is None:
        return ""
    fits = _number(value) and isinstance(value, int) and 1 <= value <= _MOST_RANK
    return "" if fits else "this is no place in a list"


_ID = f"Give text of 1 to {MAX_ID_BYTES:,} bytes without control characters."
_CHECKS: dict[str, tuple[Callable[[object], str], str]] = {
    "event_id": (_wrong_id, _ID),
    "user_id": (_wrong_id, _ID),
    "item_id": (_wrong_id, _ID),
    "kind": (_wrong_text, _ID),
    "time": (_wrong_time, "Give seconds since 1970, such as 1700000000.25."),
    "value": (_wrong_value, "Give a finite number that single precision holds, or leave it out."),
    "list_id": (_wrong_list, _ID),
    "rank": (_wrong_rank, "Give a whole number from 1 on, or leave it out."),
}
"""Column → what is wrong with a value (empty: nothing), and how to mend it."""
