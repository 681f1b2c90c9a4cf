"""Numbers and foreign text as a page shows them.

Titles and names come from data and may hold anything. Here they lose what could act on the text
around them; markup is escaped where the page is built.
"""

from __future__ import annotations

import math
from typing import Any

from tastemaker.counts import plural
from tastemaker.inert import inert

MISSING = "–"
"""What stands for a value that is not there."""

SPACE = "\u202f"
"""Narrow space that does not break a line."""


def clean(value: object) -> Any:
    """A JSON value whose every text is inert, keys included."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {str(clean(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    return value


def finite(value: object) -> float | None:
    """The value as a float, or None when it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def number(value: object, digits: int = 4, sign: bool = False) -> str:
    """A number with fixed decimals and thousands separators, such as `1,234.5000`."""
    known = finite(value)
    if known is None:
        return MISSING
    return f"{known:{'+' if sign else ''},.{digits}f}".replace("-", "\u2212")


def count(value: object) -> str:
    """A whole number with thousands separators; fractions keep one decimal."""
    known = finite(value)
    return number(value, 0 if known is None or known.is_integer() else 1)


def things(value: object, thing: str) -> str:
    """A number of things with what they are: `1 event`, `1.5 events`."""
    return f"{count(value)} {thing if finite(value) == 1 else plural(thing)}"


def percent(value: object, digits: int = 1, sign: bool = False) -> str:
    """A share in [0, 1] as `12.3 %`."""
    share = finite(value)
    return MISSING if share is None else number(100 * share, digits, sign) + SPACE + "%"


def interval(ends: object, digits: int = 4, sign: bool = False) -> str:
    """Both ends of an interval as `0.0591 to 0.0713`; empty when there is none."""
    if not isinstance(ends, list | tuple) or len(ends) != 2 or None in map(finite, ends):
        return ""
    return " to ".join(number(end, digits, sign) for end in ends)


def p_value(value: object) -> str:
    """A p-value with four decimals, or `< 0.0001`."""
    p = finite(value)
    return f"<{SPACE}0.0001" if p is not None and p < 1e-4 else number(p)


def setting(value: object) -> str:
    """An option as a person would write it: yes, no, none, a list, a short number."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(setting(inner) for inner in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {setting(inner)}" for key, inner in value.items()) or "none"
    return str(value)
