"""Text from data cannot act on the terminal or page that shows it."""

import sys
import unicodedata

import pytest

from tastemaker.inert import inert

CLEAN = ["", "Toy Story (1995)", "Zoë 東京 👩\u200d🚀", "[bold]x[/nope]", "soft\u00adhyphen"]


@pytest.mark.parametrize("text", CLEAN)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\ufffd]0;owned\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("one\ntwo\r\nthree\tfour", "one two  three four"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\ud800b", "a\ufffdb"),
        ("\ufeffid", "\ufffdid"),
    ],
)
def test_what_acts_is_replaced(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_no_character_of_all_moves_the_cursor_or_turns_the_text() -> None:
    left = {inert(chr(code)) for code in range(sys.maxunicode + 1)}
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    for char in left:
        assert unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(char) not in turning
