"""What the configurations of federated learning have to hold."""

from __future__ import annotations

import math

from tastemaker.errors import BadInput


def within(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Refuse a number outside of its range, and what is no finite number.

    Raises:
        BadInput: With the name of the option and its range.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and least <= value <= most):
        above = "" if most == math.inf else f" to {most:g}"
        fix = f"Give a finite number from {least:g}{above or ' up'}."
        raise BadInput(f"{name} is {value}.", name, fix)


def above(name: str, value: float) -> None:
    """Refuse what is no finite number above 0.

    Raises:
        BadInput: With the name of the option.
    """
    within(name, value, 0)
    if not value > 0:
        raise BadInput(f"{name} is {value}.", name, "Give a finite number above 0.")
