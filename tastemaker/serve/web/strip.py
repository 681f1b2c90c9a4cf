"""A strip of time: how much happened when, for and against, as a picture and in words.

The picture has no words and no lengths of its own, so that it fits any width; what stands beneath
it is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted

BINS = 120
"""Parts of a strip."""
HEIGHT = 40
"""Units of the picture's height; a part is one unit wide."""
_LEAST = 1.5
"""Height of the smallest bar, so that one event can be seen beside a thousand."""
_DAY = 86_400.0


@dataclass(frozen=True)
class Bar:
    """A rectangle of the picture."""

    x: int
    y: float
    height: float
    liked: bool
    words: str
    """when, and how many"""


@dataclass(frozen=True)
class Strip:
    """Events over time."""

    bars: tuple[Bar, ...]
    line: float
    """height at which bars for and against meet"""
    ticks: tuple[str, ...]
    """times from the first to the last, evenly apart"""
    words: str
    """what the picture shows"""
    for_count: int
    against_count: int


def strip_of(times: Sequence[float], likes: Sequence[bool | None]) -> Strip | None:
    """Events over time, as a picture; None: of fewer than two different times there is none.

    Args:
        times: (n,) seconds since 1970, in any order.
        likes: (n,) whether each speaks for its item; None, as of a skip, counts as for.
    """
    when, no = np.array(times, np.float64), np.array([one is False for one in likes], bool)
    if len(when) < 2 or when.min() == when.max():
        return None
    first, last = float(when.min()), float(when.max())
    part = np.minimum((when - first) / (last - first) * BINS, BINS - 1).astype(np.int64)
    up, down = np.bincount(part[~no], minlength=BINS), np.bincount(part[no], minlength=BINS)
    starts = [first + (last - first) / BINS * part for part in range(BINS)]
    bars, line = _bars(up, down, starts, last - first)
    ends = f"{tick(first, last - first)} to {tick(last, last - first)}"
    against = f", {int(no.sum()):,} of them against the item" if no.any() else ""
    words = f"{counted(len(when), 'event')} from {ends}{against}."
    ticks = tuple(tick(one, last - first) for one in np.linspace(first, last, 5).tolist())
    return Strip(bars, line, ticks, words, int((~no).sum()), int(no.sum()))


def _bars(
    up: npt.NDArray[np.int64],
    down: npt.NDArray[np.int64],
    starts: Sequence[float],
    span: float,
) -> tuple[tuple[Bar, ...], float]:
    """Rectangles, and where those for and against meet; the root keeps small numbers in sight."""
    most_up, most_down = np.sqrt(up.max()), np.sqrt(down.max())
    line = HEIGHT * float(most_up / (most_up + most_down))
    unit = (HEIGHT - 1) / float(most_up + most_down)
    bars = []
    for x in range(BINS):
        when = tick(starts[x], span)
        if up[x]:
            height = max(_LEAST, round(float(np.sqrt(up[x])) * unit, 2))
            words = f"{when}: {int(up[x]):,}"
            bars.append(Bar(x, round(max(line - height, 0), 2), height, True, words))
        if down[x]:
            height = max(_LEAST, round(float(np.sqrt(down[x])) * unit, 2))
            words = f"{when}: {int(down[x]):,} against"
            bars.append(Bar(x, round(line, 2), height, False, words))
    return tuple(bars), round(line, 2)


def tick(time: float, span: float = 2 * _DAY) -> str:
    """A time in words, as precise as so many seconds in all make sensible; UTC."""
    when = datetime.fromtimestamp(time, UTC)
    if span < 900:
        return f"{when:%H:%M:%S}"
    if span < _DAY:
        return f"{when:%H:%M}"
    return f"{when.day} {when:%b}" if span < 40 * _DAY else f"{when:%b %Y}"


def day(time: float) -> str:
    """A day in words, UTC."""
    when = datetime.fromtimestamp(time, UTC)
    return f"{when.day} {when:%b %Y}"
