"""Plain numbers: every way to write one, exactly; what is none; which count as equal."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.reinforce.numbers import Number, number, same


@pytest.mark.parametrize(
    "text, value",
    [
        ("1,234", 1234),
        ("-1,234.50", Fraction("-1234.5")),
        ("+7.", 7),
        ("007", 7),
        (".5", Fraction(1, 2)),
        ("\u22125", -5),
        ("$3.50", Fraction(7, 2)),
        (r"\$3.50", Fraction(7, 2)),
        ("-€ 3", -3),
        ("2/4", Fraction(1, 2)),
        ("-2 / 3", Fraction(-2, 3)),
        (r"\frac{1}{2}", Fraction(1, 2)),
        (r"-\dfrac{10}{4}", Fraction(-5, 2)),
        (r"\tfrac12", Fraction(1, 2)),
        (r"\frac{-1}{2}", Fraction(-1, 2)),
        ("1{,}000", 1000),
        (r"1,\!000", 1000),
        (r"1\,000", 1000),
        ("$5$", 5),
        ("$$5$$", 5),
        (r"\(5\)", 5),
        ("2.5e3", 2500),
        ("1E-2", Fraction(1, 100)),
        ("9" * 256, int("9" * 256)),
    ],
)
def test_ways_to_write_a_number(text: str, value: Fraction | int) -> None:
    assert number(text) is not None
    assert number(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x", "1/0", "3 1/2", r"3\frac{1}{2}", "1 234", "1,23", "9**9", "1e999",
        "1e9999999999", "0x10", "1_000", "nan", "inf", "١٢", "²", "1/2/3", r"\frac{1}{0}", "--5",
        r"\frac{1}{x}", "5 x", "2m", "$", "%", "\x00", "(1, 2)",
    ],
)  # fmt: skip
def test_what_is_no_plain_number(text: str) -> None:
    assert number(text) is None


def test_units_behind_a_number() -> None:
    for text in (r"18\text{ cm}", r"18 \mathrm{m}^2", "18 dollars", "18 km", r"18^\circ", "18°"):
        assert number(text) == Number(Fraction(18)), text
        assert number(text, units=False) is None
    assert number("18 wombats") is None


def test_percentages() -> None:
    assert [str(number(text)) for text in ("50%", r"50\%", "50 percent", "12.5 %")] == [
        "50%", "50%", "50%", "25/2%",
    ]  # fmt: skip
    assert agree("50%", "0.5")
    assert agree("50%", "50")
    assert not agree("0.5", "50")
    assert agree("33.3333%", "1/3")
    assert not agree("33.33%", "1/3")
    assert not agree("50%", "5")


def test_a_long_decimal_is_a_rounded_number_a_short_one_is_exact() -> None:
    assert agree("0.333333", "1/3")
    assert agree("1/7", "0.1428571")
    assert agree("0.33333333", "0.333333")
    assert not agree("0.33", "1/3")
    assert not agree("0.333334", "1/3")
    assert not agree("0.000000001", "0")
    assert not agree("3.14159", "3.14")


@given(st.fractions(max_denominator=10**6))
def test_every_fraction_is_read_as_itself(value: Fraction) -> None:
    assert number(str(value)) == Number(value)
    assert agree(f"{value.numerator:,}/{value.denominator:,}", str(value))


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    read = number(text)
    assert read is None or number(str(read)).value == read.value


@pytest.mark.parametrize(
    "part", ["9", "1,", r"\,", "{,}", " ", "$", "-", ".", r"\text{", "%", "1/"]
)
def test_long_texts_are_read_in_no_time(part: str) -> None:
    begun = time.process_time()
    number(part * 256)
    assert time.process_time() - begun < 0.5


def agree(one: str, other: str) -> bool:
    first, second = number(one), number(other)
    assert first is not None and second is not None
    assert same(first, second) == same(second, first)
    return same(first, second)
