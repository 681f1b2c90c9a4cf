"""Events that come from elsewhere than the log of a run: checked, and in its codes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES
from tastemaker.data.problems import shown
from tastemaker.data.times import LATEST
from tastemaker.errors import BadInput
from tastemaker.run.wishes import Id, id_of

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

_LAST_SECOND = LATEST // 1_000_000
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody did with an item."""

    item: Id
    """id as in the data"""
    time: float | None = None
    """seconds since 1970; None: when it was is not known"""
    kind: str = ""
    """a declared kind of event, such as `like`; empty: what says that somebody chose the item"""
    value: float | None = None
    """a rating or the like, where the log has values"""


History = Iterable[Id | Event | tuple[Any, ...]]
"""Items or events, oldest first; a tuple holds the first fields of an `Event`."""


@dataclass(frozen=True, eq=False)
class Told:
    """n events in the codes of a run, oldest first."""

    items: npt.NDArray[np.int32]
    times: npt.NDArray[np.float64]
    """seconds; NaN: not known"""
    kinds: npt.NDArray[np.int64]
    """index into `LogFacts.kinds`"""
    values: npt.NDArray[np.float32]
    """NaN: none"""

    def take(self, rows: npt.NDArray[np.integer]) -> Told:
        """Some of them, in the order given."""
        return Told(self.items[rows], self.times[rows], self.kinds[rows], self.values[rows])

    def then(self, later: Told) -> Told:
        """These, and others after them."""
        pairs = zip(vars(self).values(), vars(later).values(), strict=True)
        return Told(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class LogFacts:
    """What a log and its declaration say of events that come from elsewhere."""

    kinds: tuple[str, ...]
    """kinds of event: those of the log in the order of their codes, then what else is declared"""
    polarities: npt.NDArray[np.int8]
    """code of `polarity.CODES` of each kind"""
    unnamed: int
    """code of an event whose kind is not given"""
    newest: float
    """time of an event of which nothing says when it was: that of the newest of the log"""

    @classmethod
    def of(cls, log: Interactions, declared: Declaration) -> LogFacts:
        """What is known of a log."""
        others = (name for name in declared.events if name not in log.event_names)
        kinds = (*log.event_names, *others)
        codes = np.array([CODES[declared.events[name]] for name in kinds], np.int8)
        only = declared.only_event
        chosen = [only] if only in declared.positive_events else declared.positive_events
        unnamed = kinds.index(chosen[0]) if chosen else 0
        times = log.times
        newest = math.nan if times is None or not len(times) else float(times.max())
        return cls(kinds, codes, unnamed, newest)

    def code(self, kind: str, place: int) -> int:
        """Code of a kind.

        Raises:
            BadInput: If it is not declared; names the place of its event, from 1.
        """
        if not kind:
            return self.unnamed
        if kind not in self.kinds:
            where = f"history, event {place:,}: kind"
            fix = f"Use one of: {', '.join(self.kinds)}."
            raise BadInput(f"Event {shown(kind)} is not declared.", where, fix)
        return self.kinds.index(kind)


def told_of(saved: OpenedRun, history: History) -> tuple[Told, int]:
    """The events whose items the run knows, and how many there are in all.

    Raises:
        BadInput: If an event has no id, no time or no number, or its kind is not declared.
    """
    facts, codes = saved.log_facts, saved.interactions.item_codes
    rows: list[tuple[int, float, int, float]] = []
    total = 0
    plain = (math.nan, facts.unnamed, math.nan)
    for total, one in enumerate(_listed(history), start=1):
        if isinstance(one, str):  # most histories are ids
            code, rest = codes.get(one), plain
        else:
            event = Event(*one) if isinstance(one, tuple) else one
            event = event if isinstance(event, Event) else Event(event)
            code = codes.get(id_of(event.item, f"history, event {total:,}: item"))
            time, value = _time(event.time, total), _value(event.value, total)
            rest = (time, facts.code(event.kind, total), value)
        if code is not None:
            rows.append((code, *rest))
    items, times, marks, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    told = Told(
        np.array(items, np.int32),
        np.array(times, np.float64),
        np.array(marks, np.int64),
        np.array(values, np.float32),
    )
    return told, total


def _listed(history: History) -> History:
    if isinstance(history, str | bytes):
        fix = f"Give a list, as [{history!r:.80}]."
        raise BadInput(f"{history!r:.80} is one text, no history.", "history", fix)
    return history


def _time(time: float | None, place: int) -> float:
    """Whole seconds as a log has them; NaN where they are not known."""
    if time is None:
        return math.nan
    if not isinstance(time, bool):
        try:
            seconds = float(time)
        except (TypeError, ValueError, OverflowError):
            seconds = math.nan
        if 0 <= seconds <= _LAST_SECOND:
            return math.floor(seconds)
    fix = "Give seconds since 1970, before the year 2100, or leave it out."
    raise BadInput(f"{time!r:.80} is no time.", f"history, event {place:,}: time", fix)


def _value(value: float | None, place: int) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        number = math.nan
    else:
        number = float(value) if abs(value) <= _LARGEST else math.nan
    if math.isnan(number):
        fix = "Give a finite number, or leave it out."
        raise BadInput(f"{value!r:.80} is no value.", f"history, event {place:,}: value", fix)
    return number
