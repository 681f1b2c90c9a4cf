"""Labels beside a chart: names, hostile or long, as texts of a width that fits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tastemaker.report.wording import clean


def letters(text: str) -> int:
    """Width of a text in letters of usual width; Chinese, Japanese and Korean ones take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, most: int) -> str:
    """The text, or as much as fits and an ellipsis. Vega would cut in the middle of a character.

    Args:
        text: One line.
        most: Letters of usual width.
    """
    short = text
    while letters(short) > most:
        text = text[:-1]
        short = text.rstrip() + "…"
    return short


def shortened(names: Sequence[str], most: int) -> dict[str, str]:
    """A different label for every name, each of at most so many letters but for its number."""
    labels: dict[str, str] = {}
    for name in dict.fromkeys(names):
        short = cut(clean(name), most)
        taken = set(labels.values())
        numbered = (short if n == 1 else f"{short} ({n})" for n in range(1, len(names) + 2))
        labels[name] = next(label for label in numbered if label not in taken)
    return labels
