"""Events of the store by day and type, each read once: who looks again waits for the new ones only.

Counting tens of millions takes seconds, so it is done from the newest back, a part at each look,
until the days that anybody asks for are counted. Erasing a user has everything counted anew.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, case, func, literal, select

from tastemaker.data.declaration import Declaration
from tastemaker.serve.database import Database
from tastemaker.serve.statistics import MOST_DAYS, SECONDS, Counts
from tastemaker.serve.tables import erased, events

_CHUNK = 100_000
"""Numbers of events that are read together."""
_NEVER = 2**31
"""A day that nobody lives to see."""
_DAY = SECONDS * 1_000_000
"""Microseconds."""
PATIENCE = 0.3
"""Seconds that one look may take, about."""


@dataclass(frozen=True)
class Told:
    """What was told since there is a store."""

    counts: Counts
    """by the day on which they were told"""
    total: int
    """all events that are kept"""
    whole: int
    """the first day that is counted whole, and with it all later ones; 0: all that were told"""


class DayCounts:
    """Counts the events of a store; threads may share it.

    Args:
        database: That of the store.
        declared: What kinds and values mean.
    """

    def __init__(self, database: Database, declared: Declaration) -> None:
        self.declared = declared
        self._database, self._lock = database, threading.Lock()
        self._band = _band(declared)
        self._mark: object = None
        self._counts: Counter[tuple[int, str, str]] = Counter()
        self._newest = self._oldest = self._total = 0
        self._whole = _NEVER
        self._last = Told({}, 0, _NEVER)

    def read(self, today: int, patience: float = PATIENCE) -> Told:
        """Count what was not counted yet.

        Args:
            today: Day since 1970; days that nobody can ask for any more are forgotten.
            patience: Seconds after which the rest is left for the next look.

        Raises:
            Unavailable: If the database is away.
        """
        if not self._lock.acquire(blocking=False):
            return self._last  # one who counts is enough; others shall not wait with it
        try:
            with self._database.reading() as connection:
                self._last = self._read(connection, today, time.monotonic() + patience)
            return self._last
        finally:
            self._lock.release()

    def _read(self, connection: Connection, today: int, until: float) -> Told:
        first = today - 2 * MOST_DAYS
        newest = connection.execute(select(func.max(events.c.number))).scalar_one() or 0
        mark = connection.execute(_MARK).one()
        if mark != self._mark or newest < self._newest:
            total = connection.execute(select(func.count()).select_from(events)).scalar_one()
            self._start(newest, total)
            self._mark = mark
        while self._newest < newest and time.monotonic() < until:
            upto = min(self._newest + _CHUNK, newest)
            self._total += sum(self._add(connection, self._newest, upto).values())
            self._newest = upto
        while self._oldest > 0 and time.monotonic() < until:
            above = max(0, self._oldest - _CHUNK)
            added = self._add(connection, above, self._oldest)
            self._oldest = 0 if added and max(added) < first else above
            self._whole = min([self._whole, *(day + 1 for day in added)])
        for key in [key for key in self._counts if key[0] <= first]:
            del self._counts[key]
        whole = self._whole if self._oldest else 0
        behind = self._newest < newest
        return Told(dict(self._counts), self._total, _NEVER if behind else whole)

    def _start(self, newest: int, total: int) -> None:
        self._counts.clear()
        self._newest = self._oldest = newest
        self._total, self._whole = total, _NEVER

    def _add(self, connection: Connection, above: int, upto: int) -> Counter[int]:
        """Count the events of some numbers; how many they are, by day."""
        wanted = (events.c.number > above, events.c.number <= upto)
        day = (events.c.received // _DAY).label("day")
        typed = select(day, events.c.kind, self._band).where(*wanted).subquery()
        names = (typed.c.day, typed.c.kind, typed.c.band)
        asked = select(*names, func.count()).group_by(*names)
        rows = [(int(row[0]), row[1], row[2], row[3]) for row in connection.execute(asked)]
        added: Counter[int] = Counter()
        for in_day, kind, band, count in rows:
            self._counts[in_day, *self._type(kind, band)] += count
            added[in_day] += count
        return added

    def _type(self, kind: str, band: str) -> tuple[str, str]:
        kind = kind or self.declared.only_event or ""
        polarity = self.declared.events.get(kind)
        return kind, str((band or polarity) if polarity else "")


_MARK = select(func.count(), func.max(erased.c.time))
"""Changes with every user who is erased."""


def _band(declared: Declaration) -> ColumnElement[str]:
    """The band that an event's value lies in, explicit ones first; empty where it lies in none."""
    named = sorted(declared.bands.items(), key=lambda band: not band[0].startswith("explicit"))
    whens = []
    for polarity, ends in named:
        # A log's values are stored in single precision, and 3.3 is a little less there.
        single = [float(end) for end in np.array(ends).astype(np.float32)]
        low, high = min(ends[0], single[0]), max(ends[1], single[1])
        whens.append((events.c.value.between(low, high), literal(polarity)))
    return (case(*whens, else_="") if whens else literal("")).label("band")
