r"""Plain numbers as a model writes them: read exactly, compared without a computer algebra.

Read are `1,234`, `$3.50`, `-2/3`, `\frac{1}{2}`, `1{,}000`, `2.5e3` and `50%`, as exact fractions.
A percentage means its hundredth, and its number alone: 50% is taken for .5 and for 50, so equality
is not transitive. A decimal of six places or more is a rounded number: .333333 equals 1/3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

ROUNDED = 6
"""Decimal places from which on a decimal stands for every number that it is the rounding of."""
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_DECIMAL = rf"(?:{_DIGITS}(?:\.\d+)?|\.\d+)"
NUMBER = rf"[-+\u2212]?\s?[$€£¥]?\s?{_DECIMAL}(?:[eE][-+]?\d{{1,2}}(?!\d))?"
"""Pattern of a decimal number, its sign and currency with it."""
_PLAIN = re.compile(
    rf"(?P<sign>[-+]?)\s?[$€£¥]?\s?(?P<top>{_DECIMAL})(?:[eE](?P<power>[-+]?\d{{1,2}}))?"
    rf"(?:\s?/\s?(?P<bottom>{_DIGITS}))?",
    re.ASCII,
)
_FRACTION = re.compile(
    r"([-+]?)\\[dt]?frac(?:\{(-?[\d,.]{1,64})\}\{([\d,]{1,64})\}|(\d)(\d))", re.ASCII
)
_INSIDE = re.compile(r"\\!|(?<=\d)\\,(?=\d{3})|\\(?:left|right)(?![a-z])")
_PERCENT = re.compile(r"\s*(?:\\?%|\b(?:percent|per cent|percentage)\b)$", re.IGNORECASE)
_WORDS = (
    "cm mm km kg mg ml meters? metres? centimeters? kilometers? miles? inch(?:es)? feet foot "
    "yards? grams? kilograms? pounds? ounces? liters? litres? gallons? seconds? minutes? hours? "
    "days? weeks? months? years? dollars? cents? euros? degrees? units? people eggs? students?"
)
_UNIT = re.compile(
    r"(?<=[\d}])\s*(?:\\[ ,;!~])*\s*(?:\\(?:text|mathrm|textrm|mbox)\{[^{}]*\}(?:\^\{?\d\}?)?"
    rf"|\^?\{{?(?:\\circ|°)\}}?|\b(?:{'|'.join(_WORDS.split())})\b)$",
    re.IGNORECASE,
)


_GROUPED = re.compile(r"\{,\}|(?<=\d)(?:\\[,;: ]|[~\u00a0\u2009\u202f])(?=\d{3}(?!\d))", re.ASCII)
_MIXED = re.compile(
    r"(?:(?<![\w.,/^])(\d{1,64})\s?)?\\[dt]?frac\s?"
    r"(?:\{\s?(-?\d{1,64})\s?\}\s?\{\s?(\d{1,64})\s?\}|(\d)\s?(\d))",
    re.ASCII,
)
_SCIENTIFIC = re.compile(
    r"(?<=\d)\s?(?:\\times|\\cdot|[×·*x])\s?10\s?\^(?:\{\s?([-+\u2212]?\d{1,2})\s?\}|(-?\d{1,2})(?!\d))",
    re.ASCII,
)
_HELD = r"\{(?:[^{}]|\{[^{}]{0,99}\}){0,99}\}"
_OTHER = re.compile(
    rf"\\(?:[dt]?frac\s?{_HELD}\s?{_HELD}|sqrt\s?(?:\[[^\[\]]{{0,9}}\])?\s?(?:{_HELD}|\d))"
)
"""Fractions and roots of whatever holds braces once, or none."""


@dataclass(frozen=True)
class Number:
    """A plain number, exactly."""

    value: Fraction
    percent: bool = False
    """whether a percent sign stands behind it"""
    places: int = 0
    """decimal places that it is written with"""

    def __str__(self) -> str:
        """`3/2`, or `50%`: the same for all ways to write the number."""
        return f"{self.value}%" if self.percent else f"{self.value}"


def number(text: str, units: bool = True) -> Number | None:
    """The number that a text is, all of it; None where it is anything else.

    Args:
        text: An answer, of at most a few hundred characters.
        units: Whether a unit behind the number is dropped: a text in LaTeX, degrees, or one of
            the commonest words.
    """
    text = _bare(text)
    if units:
        text = _UNIT.sub("", text)
    percent = _PERCENT.search(text)
    text = text[: percent.start()] if percent else text
    text = text.strip()
    if fraction := _FRACTION.fullmatch(text):
        sign, top, bottom, digit, other = fraction.groups(default="")
        text = f"{sign}{top}{digit}/{bottom}{other}"
    read = _PLAIN.fullmatch(text)
    return _exact(read, bool(percent)) if read else None


def written_out(text: str) -> str:
    r"""A text whose LaTeX numbers are as one writes them without it.

    `3\frac{1}{2}` is `7/2`, `5 \times 10^{3}` is `5e3`, `1\,000` is `1000`; other fractions and
    roots are a `√`, so that no number inside them is taken for theirs.
    """
    text = _GROUPED.sub(lambda mark: "," if mark[0] == "{,}" else "", text)
    text = text.replace(r"\!", "").replace(r"\$", "$")
    text = _SCIENTIFIC.sub(lambda power: f"e{power[1] or power[2]}".replace("\u2212", "-"), text)
    return _OTHER.sub("√", _MIXED.sub(_fraction, text))


def _fraction(read: re.Match[str]) -> str:
    whole, top, bottom = read[1] or "", read[2] or read[4], read[3] or read[5]
    if not whole:
        return f"{top}/{bottom}"
    return "√" if top.startswith("-") else f"{int(whole) * int(bottom) + int(top)}/{bottom}"


def same(one: Number, other: Number) -> bool:
    """Whether two numbers count as equal."""
    if one.percent == other.percent:
        return _agree(one.value, other.value, one.places, other.places)
    share, plain = (one, other) if one.percent else (other, one)
    return any(
        _agree(value, plain.value, places, plain.places)
        for value, places in ((share.value / 100, share.places + 2), (share.value, share.places))
    )


def _bare(text: str) -> str:
    """Without what surrounds or parts digits in LaTeX, and without a full stop."""
    text = text.strip().replace("\u2212", "-").replace("{,}", ",").replace(r"\$", "$")
    text = _INSIDE.sub("", text)
    for left, right in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if text.startswith(left) and text.endswith(right) and len(text) >= 2 * len(left) + 1:
            text = text[len(left) : -len(right)].strip()
    return text.removesuffix(".").rstrip()


def _exact(read: re.Match[str], percent: bool) -> Number | None:
    top = read["top"].replace(",", "")
    value = Fraction(f"0{top}")
    if read["power"]:
        value *= Fraction(10) ** int(read["power"])
    if read["bottom"]:
        bottom = int(read["bottom"].replace(",", ""))
        if not bottom:
            return None
        value /= bottom
    if read["sign"] == "-":
        value = -value
    simple = not read["power"] and not read["bottom"]
    places = len(top.partition(".")[2]) if simple else 0
    return Number(value, percent, places)


def _agree(one: Fraction, other: Fraction, places: int, others_places: int) -> bool:
    return (
        one == other
        or (places >= ROUNDED and round(other, places) == one)
        or (others_places >= ROUNDED and round(one, others_places) == other)
    )
