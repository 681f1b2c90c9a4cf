"""Quoted: text from data as it stands in a question to a language model, as data and no more.

Items are described by strangers, who may write instructions. So what is quoted stands between two
lines that hold nothing but a tag, each thing on one line of its own, and no character of it can
write a tag: the brackets of tags are shown as others, and what a reader cannot see is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tastemaker.inert import inert

_JOINERS = "\u200c\u200d"
"""Marks without width that Persian and emoji are spelt with."""
_SHOWN_AS = str.maketrans(
    {
        **dict.fromkeys("<\uff1c\ufe64\u3008\u27e8\u2329", "\u2039"),
        **dict.fromkeys(">\uff1e\ufe65\u3009\u27e9\u232a", "\u203a"),
        **dict.fromkeys("`\uff40", "'"),
    }
)
_SELECTORS = re.compile("[\U000e0100-\U000e01ef]")
"""Variants of a character, which can spell a hidden text."""


def quoted(text: str, cut: int | None = None) -> str:
    """A text on one line that cannot end the block it stands in.

    Args:
        text: Whatever it holds.
        cut: Characters that are shown; None: all.
    """
    line = " ".join(inert(text).split())
    if not line.isascii():
        line = _SELECTORS.sub("", "".join(char for char in line if _seen(char)))
        line = " ".join(line.split())
    return line.translate(_SHOWN_AS)[:cut].rstrip()


def block(tag: str, lines: Iterable[str]) -> str:
    """Lines that were quoted, between the tags that delimit them."""
    return "\n".join([f"<{tag}>", *lines, f"</{tag}>"])


def numbered(texts: Iterable[str], start: int = 0) -> list[str]:
    """`number: text` of each text, a line each."""
    return [f"{number}: {text}" for number, text in enumerate(texts, start)]


def _seen(char: str) -> bool:
    return unicodedata.category(char) != "Cf" or char in _JOINERS
