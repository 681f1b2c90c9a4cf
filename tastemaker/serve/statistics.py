"""What happened lately: events by day, and the share of each positive type against the time before.

A type is a kind of event, or, where the data declare bands of values, a kind with what its value
says, such as a rating that is high. Shares are of all events of a day, those that only say that an
item was shown counted in. Days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from tastemaker.data.datasets import Dataset
from tastemaker.data.declaration import POLARITIES, SAID, Declaration, is_positive
from tastemaker.data.polarity import CODES, polarities

Counts = Mapping[tuple[int, str, str], int]
"""(day since 1970, kind of event, polarity or "") → events"""
SECONDS = 86_400
"""Of a day."""
MOST_DAYS = 90
"""Of a window."""
TYPES = 6
"""That are shown apart; the rest are shown together."""

_LEAST = min(CODES.values())


@dataclass(frozen=True)
class Type:
    """A positive type of event in a window and in the time before it."""

    label: str
    now: tuple[int, ...]
    """events of each day"""
    before: tuple[int, ...]
    """events of each day of the time before"""


@dataclass(frozen=True)
class Window:
    """Some days, and as many before them."""

    first: date
    totals: tuple[int, ...]
    """all events of each day"""
    totals_before: tuple[int, ...]
    types: tuple[Type, ...]
    """those that are positive, in the order in which they are declared"""

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + timedelta(len(self.totals) - 1)

    @property
    def days(self) -> list[date]:
        """All of them."""
        return [self.first + timedelta(n) for n in range(len(self.totals))]

    def share(self, one: Type) -> float | None:
        """Part of all events that are of a type; None: there are no events."""
        return _part(sum(one.now), sum(self.totals))

    def share_before(self, one: Type) -> float | None:
        """The same in the time before."""
        return _part(sum(one.before), sum(self.totals_before))

    def daily(self, one: Type) -> list[float | None]:
        """The same for each day."""
        return list(map(_part, one.now, self.totals))

    @property
    def smooth(self) -> int:
        """Days that a point of a line stands for: single days of a long time are a thicket."""
        return 7 if len(self.totals) > 31 else 1

    def line(self, one: Type) -> list[float | None]:
        """Its share in the `smooth` days up to each day."""
        return self._both(one)[len(self.totals) :]

    def line_before(self, one: Type) -> list[float | None]:
        """The same for the time before."""
        return self._both(one)[: len(self.totals)]

    def _both(self, one: Type) -> list[float | None]:
        some, all = one.before + one.now, self.totals_before + self.totals
        spans = [slice(max(0, n + 1 - self.smooth), n + 1) for n in range(len(all))]
        return [_part(sum(some[span]), sum(all[span])) for span in spans]


def day_of(seconds: float) -> int:
    """Day since 1970 that holds a moment."""
    return int(seconds // SECONDS)


def window_of(counts: Counts, declared: Declaration, last: int, days: int) -> Window:
    """What happened in some days up to one.

    Args:
        counts: Of events.
        declared: Which types are positive.
        last: The last day, since 1970.
        days: How many.
    """
    first = last - days + 1
    totals, sums = [0] * (2 * days), dict[tuple[str, str], list[int]]()
    for (day, kind, polarity), count in counts.items():
        place = day - first + days
        if 0 <= place < 2 * days:
            totals[place] += count
            if polarity and is_positive(polarity):  # type: ignore[arg-type]
                sums.setdefault((kind, polarity), [0] * (2 * days))[place] += count
    types = [
        Type(label, tuple(sums[name][days:]), tuple(sums[name][:days]))
        for name, label in _labels(declared).items()
        if name in sums
    ]
    since = datetime.fromtimestamp(first * SECONDS, UTC).date()
    return Window(since, tuple(totals[days:]), tuple(totals[:days]), tuple(_few(types)))


def log_counts(data: Dataset) -> tuple[Counts, int]:
    """Events of the last days of a log, and the last of these days; none without times."""
    log = data.interactions
    if log.times is None or not log.num_events:
        return {}, 0
    days = log.times // SECONDS
    last = int(days.max())
    first = last - 2 * MOST_DAYS + 1
    lately = days >= first
    said = polarities(log, data.declared)[lately].astype(np.int64)
    kinds = 0 if log.events is None else log.events[lately].astype(np.int64)
    codes = {code - _LEAST: name for name, code in CODES.items()}
    width, all_kinds = max(codes) + 1, len(log.event_names)
    found = np.bincount(((days[lately] - first) * all_kinds + kinds) * width + said - _LEAST)
    counts = {}
    for place in np.flatnonzero(found).tolist():
        rest, code = divmod(place, width)
        day, kind = divmod(rest, all_kinds)
        counts[first + day, log.event_names[kind], str(codes[code])] = int(found[place])
    return counts, last


def _labels(declared: Declaration) -> dict[tuple[str, str], str]:
    """What each type is called that there can be, in order."""
    labels = {}
    for kind, polarity in declared.events.items():
        for said in POLARITIES:
            if said == polarity or said in declared.bands:
                labels[kind, str(said)] = f"{kind}, {SAID[said]}" if declared.bands else kind
    return labels


def _few(types: Sequence[Type]) -> list[Type]:
    """The types with most events, the rest together, in their order."""
    if len(types) <= TYPES:
        return list(types)
    most = sorted(types, key=lambda one: -sum(one.now) - sum(one.before))[: TYPES - 1]
    rest = [one for one in types if one not in most]
    now, before = ([one.now for one in rest], [one.before for one in rest])
    joined = Type(
        f"{len(rest)} others", *(tuple(map(sum, zip(*x, strict=True))) for x in (now, before))
    )
    return [*(one for one in types if one in most), joined]


def _part(some: int, all: int) -> float | None:
    return some / all if all else None
