r"""LaTeX as text: spellings that mean the same brought to one, and lists cut at their commas.

No mathematics is done here. What can be settled by looking at the text need not be read by a
computer algebra, which takes milliseconds: `\left( 3,\, \dfrac{x}{2} \right)` is `(3,\frac{x}{2})`.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\\(?:text|textbf|mathrm|mbox)\{([^{}\\]*)\}")
_DOLLARS = re.compile(r"\$+([^$]*)\$+")
_SPACE = re.compile(r"(?<!\\)\\(?:[,;:! ]|q?quad(?![A-Za-z]))|~")
"""Not the end of a matrix' row, which is two backslashes."""
_SIZED = re.compile(r"\\(?:left|right)\s*(?=[()\[\]|]|\\[{}])")
_HALF = re.compile(r"\\(?:left|right)\s*\.")
_FRACTION = re.compile(r"\\[dt]frac(?![A-Za-z])")
_RAISED = re.compile(r"([\^_])\{([A-Za-z0-9])\}")
_LOOSE = re.compile(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])")
_OPEN, _CLOSED = "([{", ")]}"


def plain(text: str) -> str:
    """One spelling of a LaTeX text that has several; what it means stays the same."""
    text = " ".join(text.split())
    if whole := _DOLLARS.fullmatch(text):
        text = whole[1].strip()
    if word := _WORD.fullmatch(text):
        return word[1].strip()
    text = _SPACE.sub(" ", text)
    if not _HALF.search(text):
        text = _SIZED.sub("", text)
    text = _RAISED.sub(r"\1\2", _FRACTION.sub(r"\\frac", text))
    return _LOOSE.sub("", " ".join(text.split())).removesuffix(".")


def parts(text: str) -> tuple[str, list[str]] | None:
    r"""The brackets of a point, vector or interval, and what stands between its commas.

    Args:
        text: As `plain` gives it, such as `(3,\frac{x}{2}]`.

    Returns:
        The two brackets and two parts or more; None for anything else, sets among it, whose order
        does not matter.
    """
    if text[:1] not in ("(", "[") or text[-1:] not in (")", "]"):
        return None
    found, start, depth = [], 1, 0
    for place, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSED)
        if not depth and place < len(text) - 1:
            return None  # what opened the text does not close it
        if char == "," and depth == 1:
            found.append(text[start:place].strip())
            start = place + 1
    found.append(text[start:-1].strip())
    return (text[0] + text[-1], found) if not depth and len(found) > 1 and all(found) else None
