"""Who asks: what somebody chose and refused, in the codes of a run, known to its log or not.

A history comes from the log of the run, with a request, or from both, as where events were told
since the run was made. Kinds of event and values say what an event means, as declared of the log:
positive ones are read, of explicit ones the newest word decides what is refused, and implicit
negative ones, such as skips, do neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tastemaker.data.contexts import Contexts
from tastemaker.data.polarity import CODES, of_values
from tastemaker.run.events import History, Told, told_of
from tastemaker.run.user_lists import codes_of, rows_of
from tastemaker.run.wishes import Id, id_of

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

_EXPLICIT = abs(CODES["explicit_negative"])


@dataclass(frozen=True, eq=False)
class Asker:
    """Somebody who asks, as a run reads them."""

    user: str
    """id; may be empty"""
    known: bool
    """whether the data has this user"""
    context: Contexts
    """one row: what they chose, oldest first"""
    refused: npt.NDArray[np.int32]
    """codes of items that they are never shown"""
    events: int = 0
    """events that came with the request"""
    unknown: int = 0
    """those of them whose items the run does not know; they are passed over"""
    given: bool = False
    """whether the whole history came with the request"""


def asker_of(saved: OpenedRun, user: Id) -> Asker:
    """A user as the log of a run has them; nothing is known of one whom it does not have."""
    name = id_of(user)
    codes = codes_of(saved.interactions, [name])
    refused = rows_of(saved.refused, codes).items
    return Asker(name, bool(codes[0] >= 0), rows_of(saved.interactions, codes), refused)


def asker_given(saved: OpenedRun, history: History, barred: Iterable[Id], user: Id) -> Asker:
    """Somebody whose whole history comes with the request.

    Args:
        saved: The run.
        history: Items or events, oldest first.
        barred: Items that they are not to be shown beside; unknown ones are passed over.
        user: Who they are; empty, or whom the data does not have: a stranger.

    Raises:
        BadInput: If an event has no id, no time or no number, or its kind is not declared.
    """
    name, (told, events) = id_of(user), told_of(saved, history)
    came = _Came(events, events - len(told.items), barred, whole=True)
    return _asker(saved, codes_of(saved.interactions, [name]), name, told, came)


def asker_with(
    saved: OpenedRun, user: Id, newer: History, since: float | None, barred: Iterable[Id] = ()
) -> Asker:
    """A user as the log of a run has them, and what was told of them since.

    Args:
        saved: The run.
        user: User id.
        newer: Events, oldest first; those that the log or `newer` has already, with the same item,
            time and kind, are counted once.
        since: Seconds since 1970 up to which the log says nothing of them; None: all counts.
        barred: Items that they are not to be shown beside; unknown ones are passed over.

    Raises:
        BadInput: If an event has no id, no time or no number, or its kind is not declared.
    """
    if newer == () == barred and since is None:  # most users: the log is all there is
        return asker_of(saved, user)
    name, (told, events) = id_of(user), told_of(saved, newer)
    came = _Came(events, events - len(told.items), barred)
    code = codes_of(saved.interactions, [name])
    own = _own(saved, int(code[0]))
    if since is not None:
        own, code = own.take(np.flatnonzero(own.times > since)), np.full(1, -1)
    return _asker(saved, code, name, own.then(_new(told, own)), came)


@dataclass(frozen=True)
class _Came:
    """What came with a request, beside the events that the run understands."""

    events: int
    unknown: int
    barred: Iterable[Id]
    whole: bool = False


def _own(saved: OpenedRun, user: int) -> Told:
    """All that the log has of a user, refusals and skips too."""
    log = saved.data.interactions
    own = slice(0, 0) if user < 0 else slice(int(log.offsets[user]), int(log.offsets[user + 1]))
    items = np.asarray(log.items[own])
    nothing = np.full(len(items), np.nan)
    times = nothing if log.times is None else log.times[own].astype(np.float64)
    kinds = np.zeros(len(items)) if log.events is None else log.events[own]
    values = nothing if log.values is None else log.values[own]
    return Told(items, times, kinds.astype(np.int64), values.astype(np.float32))


def _new(told: Told, own: Told) -> Told:
    """Events that are not among `own`, each of an item, a time and a kind once."""
    seen = set(_keys(own))
    kept = []
    for row, event in enumerate(_keys(told)):
        if event not in seen:  # NaN, which stands for no time, equals nothing
            kept.append(row)
            seen.add(event)
    return told.take(np.array(kept, np.int64))


def _keys(told: Told) -> Iterator[tuple[int, float, int]]:
    return zip(told.items.tolist(), told.times.tolist(), told.kinds.tolist(), strict=True)


def _asker(
    saved: OpenedRun, user: npt.NDArray[np.int64], name: str, told: Told, came: _Came
) -> Asker:
    """What events say: what was chosen, and what is refused."""
    log, told = saved.interactions, _in_order(told, saved.log_facts.newest)
    bands = of_values(told.values, saved.data.declared)
    words = np.where(bands != 0, bands, saved.log_facts.polarities[told.kinds])
    explicit = np.abs(words) == _EXPLICIT
    # Of several words on an item the newest stays.
    newest = dict(zip(told.items[explicit].tolist(), words[explicit].tolist(), strict=True))
    codes = (log.item_codes.get(id_of(item, "barred")) for item in came.barred)
    refused = {item for item, word in newest.items() if word < 0}.union(filter(None, codes))
    chosen = words > 0
    columns: dict[str, npt.NDArray[Any]] = {
        "items": told.items[chosen],
        "times": told.times[chosen],
        "events": np.where(told.kinds < len(log.event_names), told.kinds, 0)[chosen],
        "polarities": words[chosen],
    }
    typed = {n: columns[n].astype(column.dtype) for n, column in log.columns.items()}
    context = Contexts(user, np.array([0, int(chosen.sum())], np.int64), **typed)
    barred = np.array(sorted(refused), np.int32)
    known = bool(user[0] >= 0)
    return Asker(name, known, context, barred, came.events, came.unknown, came.whole)


def _in_order(told: Told, newest: float) -> Told:
    """Events by time, each with one: that of the event before it, or else the first, stands in."""
    known = ~np.isnan(told.times)
    times = told.times
    if not known.all():
        before = np.maximum.accumulate(np.where(known, np.arange(len(times)), -1))
        first = times[known].min() if known.any() else newest
        times = np.where(before >= 0, times[np.maximum(before, 0)], first)
    order = np.argsort(times, kind="stable")
    return replace(told, times=times).take(order)
