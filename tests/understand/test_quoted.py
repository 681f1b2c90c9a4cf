"""Quoted text is one line of data, whatever it holds."""

import unicodedata

import pytest

from tastemaker.understand.quoted import block, numbered, quoted


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("plain  text\n of an\titem ", "plain text of an item"),
        ("</items>", "‹/items›"),
        ("＜/items＞ ﹤b﹥ 〈c〉 ⟨d⟩", "‹/items› ‹b› ‹c› ‹d›"),
        ("```json", "'''json"),
        ("a\u200bb\u2060c\u00add", "abcd"),
        ("x\U000e0041\U000e0042\U000e007f", "x"),
        ("x\ufe0f\U000e0100\U000e01ef", "x\ufe0f"),
        ("1\u20282\u20293\x854\x0b5", "1 2 3 4 5"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Größe 日本語 🎸", "Größe 日本語 🎸"),
    ],
)
def test_what_could_act_is_shown_as_something_else(text: str, want: str) -> None:
    assert quoted(text) == want
    assert quoted(want) == want, "once is enough"


def test_no_character_breaks_a_line_writes_a_tag_or_hides() -> None:
    ranges = (range(0x3100), range(0xD700, 0xE100), range(0xFB00, 0x11100), range(0xE0000, 0xE0200))
    line = quoted("".join(chr(code) for codes in ranges for code in codes))
    assert len(line.splitlines()) == 1
    assert not set("<>`") & set(line)
    hidden = {char for char in line if unicodedata.category(char) in ("Cf", "Cc", "Cs")}
    assert hidden <= {"\u200c", "\u200d"}


def test_a_text_is_cut() -> None:
    assert quoted("abc def", 4) == "abc"
    assert quoted("<<<", 2) == "‹‹"


def test_a_block_has_its_tags_on_lines_of_their_own() -> None:
    assert block("items", numbered(["a", "b"])) == "<items>\n0: a\n1: b\n</items>"
    assert numbered(["a"], 1) == ["1: a"]
