"""How pages write links, times and numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from markupsafe import Markup

from tastemaker.report.wording import percent
from tastemaker.serve.web.addresses import segment_of
from tastemaker.serve.web.charts import interval, part

NOTHING = "–"
"""Where there is no number or time."""


def user_link(user: str) -> str:
    """Address of the page of a user, whatever their id is."""
    return f"/users/{segment_of(user)}"


def item_link(item: str) -> str:
    """Address of the page of an item, whatever its id is."""
    return f"/items/{segment_of(item)}"


def picture_link(item: str) -> str:
    """Address of the picture of an item."""
    return f"{item_link(item)}/picture"


def moment(seconds: float | None) -> Markup:
    """A time for people and for programs.

    Args:
        seconds: Since 1970, UTC; None: not known.
    """
    if seconds is None:
        return Markup(NOTHING)
    try:
        then = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return Markup("{:.0f} s").format(seconds)
    machine = then.strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = f"{then.day} {then:%b} {then.year}, {then:%H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, machine, shown)


def number(value: float | None, digits: int = 0) -> str:
    """A number with its thousands apart.

    Args:
        value: The number; None: there is none.
        digits: Behind the point.
    """
    return NOTHING if value is None else f"{value:,.{digits}f}"


def milliseconds(seconds: float | None) -> str:
    """A short span of time."""
    if seconds is None:
        return NOTHING
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def points(change: float) -> str:
    """How a share changed, in points of a hundred, with its sign."""
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change) * 100:.1f} points"


def day(then: date) -> str:
    """A day, for people."""
    return f"{then.day} {then:%b} {then.year}"


def slashes(path: str) -> Markup:
    """A path that may go on in the next line after each of its slashes."""
    return Markup("/<wbr>").join(path.split("/"))


FILTERS: dict[str, Callable[..., str]] = {
    "user_link": user_link,
    "item_link": item_link,
    "picture_link": picture_link,
    "moment": moment,
    "number": number,
    "percent": percent,
    "milliseconds": milliseconds,
    "points": points,
    "day": day,
    "part": part,
    "interval": interval,
    "slashes": slashes,
}
"""Name in templates → function."""
