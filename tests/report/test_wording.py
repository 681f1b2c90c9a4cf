"""Numbers and foreign text."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.report import wording

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [t for pair in value.items() for part in pair for t in texts(part)]
    return [t for inner in value for t in texts(inner)] if isinstance(value, list) else []


@given(JSON)
def test_cleaned_text_has_no_control_characters_and_stays_clean(value: object) -> None:
    cleaned = wording.clean(value)
    for text in texts(cleaned):
        assert not {unicodedata.category(char) for char in text} & {"Cc", "Cs"}
        assert text.encode().decode() == text
    assert repr(wording.clean(cleaned)) == repr(cleaned)


def test_ordinary_text_of_any_script_is_kept() -> None:
    kept = "Amélie — 日曜日 شارع नमस्ते 👩\u200d👧 می\u200cخواهم & <b> 'x' \"y\""
    assert wording.clean({"title": [kept]}) == {"title": [kept]}


def test_controls_breaks_and_direction_marks_are_replaced() -> None:
    assert wording.clean("a\x00b\x1b[1mc") == "a\ufffdb\ufffd[1mc"
    assert wording.clean("one\r\ntwo\u2028three\tfour") == "one  two three four"
    assert wording.clean("\u202egnp.exe\u2066") == "\ufffdgnp.exe\ufffd"
    assert wording.clean("\ud800\uffff\U0001fffe\ufeff") == "\ufffd" * 4


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.065249, "0.0652"),
        (1234.5, "1,234.5000"),
        (-0.01, "\u22120.0100"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        ("0.1", "–"),
        (True, "–"),
    ],
)
def test_numbers_have_four_decimals_or_a_dash(value: object, shown: str) -> None:
    assert wording.number(value) == shown


def test_counts_shares_and_intervals() -> None:
    assert wording.count(100004) == "100,004"
    assert wording.count(70.5) == "70.5"
    assert wording.percent(0.01644, 2) == "1.64\u202f%"
    assert wording.percent(-0.286, sign=True) == "\u221228.6\u202f%"
    assert wording.interval([0.0591, 0.07129]) == "0.0591 to 0.0713"
    assert wording.interval([-0.001, 0.002], sign=True) == "\u22120.0010 to +0.0020"
    assert [wording.interval(x) for x in (None, [1], [1, math.nan], "ab")] == [""] * 4


def test_tiny_p_values_are_not_shown_as_zero() -> None:
    assert wording.p_value(0.0000999) == "<\u202f0.0001"
    assert wording.p_value(0.0312) == "0.0312"
    assert wording.p_value(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (None, "none"),
        (0.001, "0.001"),
        (1.0, "1"),
        (2016, "2016"),
        (100004, "100,004"),
        ([1, 5, 10], "1, 5, 10"),
        ({"a": 1, "b": False}, "a 1, b no"),
        ([], "none"),
    ],
)
def test_settings_read_like_a_person_wrote_them(value: object, shown: str) -> None:
    assert wording.setting(value) == shown
