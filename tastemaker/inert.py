"""Text from data made inert: it may hold anything, and loses what could act on what shows it.

One rule for terminals and pages. Markup is another matter: pages escape it, terminals do not read
it.
"""

from __future__ import annotations

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BREAKS = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_SHOWN_AS = "\ufffd"


def inert(text: str) -> str:
    """The text on one line, without characters that move, colour or turn what stands around it.

    Line breaks and tabs become spaces; other controls, marks that turn the reading direction of
    what follows, byte order marks, lone surrogates and code points that are no characters become
    U+FFFD.
    """
    return text if text.isprintable() else "".join(map(_neutral, text))


def _neutral(char: str) -> str:
    if char in _BREAKS:
        return " "
    illegal = unicodedata.category(char) in ("Cc", "Cs") or ord(char) & 0xFFFE == 0xFFFE
    return _SHOWN_AS if illegal or char in _BIDI or char == "\ufeff" else char
