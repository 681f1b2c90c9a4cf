"""Numbers of things in sentences: `1 user`, `2 users`, `1,200 histories`."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """A number with thousands separators and what is counted, as one or as several.

    Args:
        number: How many.
        one: What is counted, as one of it, such as `test user`.
        several: The same as several, where they do not end as English words mostly do:
            `kinds of events`.
    """
    return f"{number:,} {by_count(number, one, several or plural(one))}"


def by_count(number: int, one: str, several: str) -> str:
    """The word that goes with one thing, or the one for none or several: `is` or `are`."""
    return one if number == 1 else several


def plural(one: str) -> str:
    """Several of what an English word names: users, histories, boxes."""
    if one.endswith(("s", "x", "z", "ch", "sh")):
        return f"{one}es"
    if one.endswith("y") and one[-2:-1] not in "aeiou":
        return f"{one[:-1]}ies"
    return f"{one}s"
