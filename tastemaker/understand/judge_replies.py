"""Judges' replies: numbers of what was shown, or none of it; and categories by line.

A reply that cannot be read is None, for the caller to ask again; it is never taken for "none".
"""

from __future__ import annotations

import re

from tastemaker.data.replies import without_thinking
from tastemaker.understand.extracted import MAX_CHARACTERS
from tastemaker.understand.interests import Mode
from tastemaker.understand.taxonomy import OTHER, Taxonomy

_NUMBERS = re.compile(r"[0-9]{1,9}")
_LINE = re.compile(r"\s*[\[(]?(\d{1,9})[\])]?\s*[:.)-]\s*(\S.*)")


def parse_numbers(text: str, shown: int, mode: Mode = "strict") -> list[int] | None:
    """Numbers from 0 that a judge names, separated by commas, or NONE.

    Args:
        text: The whole reply.
        shown: How many things were shown; greater numbers are left out.
        mode: `strict` reads the last line that is nothing but such a list or the word NONE;
            `reference` takes any reply with the letters "none" in it for NONE, and else all numbers
            anywhere in it.

    Returns:
        Distinct numbers in the order named, empty for NONE; None where the reply cannot be read.
    """
    answer, _ = without_thinking(text[:MAX_CHARACTERS])
    if mode == "reference":
        numbers = [] if "none" in answer.lower() else _NUMBERS.findall(answer)
        return _within(numbers, shown) if numbers or "none" in answer.lower() else None
    for line in reversed(answer.splitlines()):
        said = line.strip().strip("*`'\"")
        if said.upper().rstrip(".") == "NONE":
            return []
        numbers = re.split(r"[,;\s]+", said.strip("[]().,; "))
        if all(_NUMBERS.fullmatch(number) for number in numbers):
            return _within(numbers, shown)
    return None


def parse_categories(text: str, names: int, taxonomy: Taxonomy) -> list[int]:
    """Categories from lines `number: category`, numbers from 1; what no line maps is `OTHER`.

    Args:
        text: The whole reply.
        names: How many names were asked for.
        taxonomy: A category that is not one of its names is `OTHER`.
    """
    answer, _ = without_thinking(text[:MAX_CHARACTERS])
    categories = [OTHER] * names
    for line in answer.splitlines():
        found = _LINE.fullmatch(line[:1_000])
        if found and 1 <= int(found[1]) <= names:
            categories[int(found[1]) - 1] = taxonomy.number(found[2].strip().strip("*`'\""))
    return categories


def _within(numbers: list[str], shown: int) -> list[int]:
    return [number for number in dict.fromkeys(map(int, numbers)) if number < shown]
