"""Charts as SVG of our own: marks stretch with the screen, while words beside them keep their size.

Colours are those of the style sheets, in light and in dark. A chart has a title and a description
for who cannot see it; the page has the numbers in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from markupsafe import Markup

from tastemaker.report.wording import SPACE, percent

HIGH, STEP = 100.0, 10.0
"""Height of a chart, and width of a day, in its own units."""
COLOURS = 6
"""Of `--series-1` to `--series-6`."""


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour."""

    label: str
    values: Sequence[float | None]
    """one a day; None: there is none"""
    colour: str
    """class of the style sheet"""


def colour(place: int) -> str:
    """Class of the colour of a series, by its place."""
    return f"series-{place % COLOURS + 1}"


def stacked(name: str, title: str, days: Sequence[date], series: Sequence[Series]) -> Markup:
    """A bar a day, with a part for each series.

    Args:
        name: Of the chart in its page, no other has it.
        title: What it shows.
        days: Of the bars.
        series: From the bottom up; counts, none missing.
    """
    sums = [
        sum(value or 0 for value in values)
        for values in zip(*(one.values for one in series), strict=True)
    ]
    top = nice(max(sums, default=0))
    marks = []
    for place, day in enumerate(days):
        bottom, parts = HIGH, []
        for one in series:
            height = (one.values[place] or 0) / top * HIGH
            bottom -= height
            if height:
                parts.append(_rect(place, bottom, height, one.colour))
        said = ", ".join(f"{one.label} {one.values[place] or 0:,}" for one in series)
        hint = (
            f"{short(day)}: {sums[place]:,.0f} ({said})"
            if len(series) > 1
            else f"{short(day)}: {said}"
        )
        marks.append(_hinted(place, hint, Markup("").join(parts)))
    most = max(range(len(sums)), key=sums.__getitem__)
    told = f"{sum(sums):,.0f} in all; most on {short(days[most])}: {sums[most]:,.0f}."
    return _chart(name, title, told, days, Markup("").join(marks), _scale(top, "{:,.0f}"))


def compared(name: str, title: str, days: Sequence[date], now: Series, before: Series) -> Markup:
    """A line of shares over another: a time, and the same days of the time before.

    Args:
        name: Of the chart in its page, no other has it.
        title: What it shows.
        days: Of the newer line.
        now: Shares, 0 to 1.
        before: The same for the time before.
    """
    known = [value for one in (now, before) for value in one.values if value is not None]
    top = min(1.0, nice(max(known, default=0)))
    lines = [_line(one.values, top, one.colour) for one in (before, now)]
    hints = [
        _hinted(
            place,
            f"{short(day)}: {_share(now.values[place])}, before {_share(before.values[place])}",
        )
        for place, day in enumerate(days)
    ]
    shares = [value for value in now.values if value is not None]
    told = (
        f"Between {_share(min(shares))} and {_share(max(shares))} a day." if shares else "No days."
    )
    marks = Markup("").join([*lines, *hints])
    return _chart(name, title, told, days, marks, _scale(top, "{:.3g}" + SPACE + "%", 100))


def interval(ends: tuple[float | None, float, float | None], top: float) -> Markup:
    """A value with its interval on a line from 0 to `top`, beside the numbers that say it.

    Args:
        ends: Low end, value and high end; None: it has no interval.
        top: Where the line ends.
    """
    low, middle, high = ends
    known = (middle if low is None else low, middle, middle if high is None else high)
    start, dot, end = (100 * max(0.0, value) / top if top else 0.0 for value in known)
    return Markup(
        '<svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="rail" d="M0 5H100"/><path class="ends" d="M{:.2f} 5H{:.2f}"/>'
        '<path class="dot" d="M{:.2f} 5h.01"/></svg>'
    ).format(start, end, dot)


def part(share: float) -> Markup:
    """A bar that is filled to a share, 0 to 1, beside the number that says it."""
    return Markup(
        '<svg class="part" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="10"/>'
        '<rect class="full" width="{:.2f}" height="10"/></svg>'
    ).format(100 * min(max(share, 0.0), 1.0))


def nice(most: float) -> float:
    """The end of an axis: the next of 1, 2, 4, 5 and 10 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most))
    return next(step * power for step in (1, 2, 4, 5, 10) if step * power >= most * 0.999)


def short(day: date) -> str:
    """A day in few letters."""
    return f"{day.day} {day:%b}"


def _chart(
    name: str, title: str, told: str, days: Sequence[date], marks: Markup, scale: Sequence[str]
) -> Markup:
    ends = Markup("").join(Markup("<span>{}</span>").format(short(day)) for day in _ends(days))
    levels = Markup("").join(Markup("<span>{}</span>").format(text) for text in scale)
    grid = Markup('<path class="grid" d="M0 0H{w:g}M0 50H{w:g}M0 100H{w:g}"/>').format(
        w=len(days) * STEP
    )
    return Markup(
        '<div class="plot"><div class="ys" aria-hidden="true">{}</div>'
        '<svg role="img" aria-labelledby="{}-title {}-told" viewBox="0 0 {:g} 100" '
        'preserveAspectRatio="none">'
        '<title id="{}-title">{}</title><desc id="{}-told">{}</desc>{}{}</svg>'
        '<div class="xs" aria-hidden="true">{}</div></div>'
    ).format(levels, name, name, len(days) * STEP, name, title, name, told, grid, marks, ends)


def _ends(days: Sequence[date]) -> list[date]:
    return [days[0], days[len(days) // 2], days[-1]]


def _scale(top: float, form: str, times: float = 1) -> list[str]:
    """What stands beside the lines of the grid, from the top down; halves of one are left out."""
    half = top * times / 2
    middle = form.format(half) if form != "{:,.0f}" or half == ceil(half) else ""
    return [form.format(top * times), middle, form.format(0)]


def _rect(place: int, y: float, height: float, colour: str) -> Markup:
    return Markup('<rect class="{}" x="{:g}" y="{:.2f}" width="{:g}" height="{:.2f}"/>').format(
        colour, place * STEP + 1, y, STEP - 2, height
    )


def _hinted(place: int, hint: str, marks: str = "") -> Markup:
    """Marks of a day, under which a pointer finds what they say."""
    return Markup(
        '<g><title>{}</title>{}<rect class="day" x="{:g}" width="{:g}" height="100"/></g>'
    ).format(hint, marks, place * STEP, STEP)


def _line(values: Sequence[float | None], top: float, colour: str) -> Markup:
    """A line through the days that have a value; a day alone is a dot."""
    line, dots = [], []
    padded = [None, *values, None]
    for place, value in enumerate(values):
        if value is None:
            continue
        at = f"{(place + 0.5) * STEP:g} {HIGH - value / top * HIGH:.2f}"
        first, last = padded[place] is None, padded[place + 2] is None
        if first and last:
            dots.append(f"M{at}h.01")
        else:
            line.append(f"{'M' if first else 'L'}{at}")
    return Markup('<path class="line {}" d="{}"/><path class="line dots {}" d="{}"/>').format(
        colour, " ".join(line), colour, " ".join(dots)
    )


def _share(value: float | None) -> str:
    return "no events" if value is None else percent(value)
