"""Relaxed answers: whether what was read off a picture is near enough to what is right.

Two rules for charts. `relaxed_pix2struct` is the usual one, kept to the letter so that numbers can
be set beside those of others; it takes 2015 for 2010, and parts 25 from 25%. `relaxed_strict` is
what may reward a model: the same tolerance, without these holes. For statements and tables there
are `truth` and `denotation`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

from tastemaker.errors import BadInput
from tastemaker.reinforce.numbers import Number, number

TOLERANCE = 0.05
ZERO = 1e-9
"""How far from 0 an answer may be that is to be 0."""
MOST_PARTS = 100
"""Parts of an answer that are compared; those behind match nothing."""
LONGEST = 300
"""Characters of the longest number or date."""
RuleName = Literal["relaxed_pix2struct", "relaxed_strict", "truth", "denotation"]
Rule = Callable[[str, str, Collection[str]], bool]
"""(answer, right answer, names that stand in the picture) → whether it is right."""
_SEVERAL, _ALTERNATIVES = "||", re.compile(r"(?<!\|)\|\|\|(?!\|)")
_YEAR = re.compile(r"[12]\d{3}", re.ASCII)
_TRUE = ("true", "yes", "correct", "right", "supported", "entailed", "entails", "t", "y", "1")
_FALSE = ("false", "no", "incorrect", "wrong", "refuted", "unsupported", "f", "n", "0")
_QUOTES = str.maketrans("‘’´`“”«»–—−‐", "''''\"\"\"\"----")
_CITED = re.compile(r"(?:\[[^\[\]]{0,40}\]|[*†‡^])+$|(?<=\S)\s?\([^()]{0,80}\)$")
_FORMS = ("%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y", "%m/%d/%Y")
_NUMBERS = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Score:
    """How right an answer of one or several parts is."""

    right: bool
    """whether every part is, and no part too many"""
    f1: float
    """harmonic mean of the shares of parts given and wanted that match, 0 to 1"""


def score(answer: str, gold: str, rule: RuleName, names: Collection[str] = ()) -> Score:
    """Compare an answer with what is right.

    Args:
        answer: Parts between `||`, in any order.
        gold: Parts between `||`; ways to be right between `|||`, the best of which counts.
        rule: How a part is compared.
        names: That stand in the picture: a right answer that is one of them is a name, and no
            number that another may be near.

    Raises:
        BadInput: If there is no such rule.
    """
    if rule not in RULES:
        raise BadInput(f"There is no rule {rule!r}.", "answers", f"Use {', '.join(RULES)}.")
    given = _parts(answer)
    scores = [_scored(given, _parts(way), RULES[rule], names) for way in _ALTERNATIVES.split(gold)]
    return max(scores, key=lambda one: (one.right, one.f1))


def relaxed_pix2struct(answer: str, gold: str, names: Collection[str] = ()) -> bool:
    """The rule of published numbers: within 5 % of a number that is not 0, else the same text."""
    read, wanted = _plain(answer), _plain(gold)
    if read is not None and wanted:
        return abs(read - wanted) / abs(wanted) <= TOLERANCE
    return answer.lower() == gold.lower()


def relaxed_strict(answer: str, gold: str, names: Collection[str] = ()) -> bool:
    """The rule for rewards: years and names exactly, other numbers within 5 %.

    A percentage that is wanted may be given as it is, as its number, or as a share of 1; 0 is
    wanted within 1e-9.
    """
    read, wanted = _number(answer), _number(gold)
    if _folded(gold) in map(_folded, names) or read is None or wanted is None:
        return _folded(answer) == _folded(gold)
    if _YEAR.fullmatch(gold.strip()):
        return not read.percent and read.value == wanted.value
    return any(_near(one, other) for one, other in _pairs(read, wanted))


def truth(answer: str, gold: str, names: Collection[str] = ()) -> bool:
    """Whether both say yes or both say no, in whatever word."""
    said, wanted = _truth(answer), _truth(gold)
    return said is not None and said == wanted


def denotation(answer: str, gold: str, names: Collection[str] = ()) -> bool:
    """Whether both mean the same number, the same date, or the same text but for its dress."""
    one, other = _denoted(answer), _denoted(gold)
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) < Fraction(1, 10**6)
    return one == other


RULES: Mapping[RuleName, Rule] = {
    "relaxed_pix2struct": relaxed_pix2struct,
    "relaxed_strict": relaxed_strict,
    "truth": truth,
    "denotation": denotation,
}


def number_share(answer: str, gold: str) -> float:
    """Share of the numbers of a right answer that an answer holds, each at most once: 0 to 1."""
    wanted = [found.replace(",", "") for found in _NUMBERS.findall(gold[:LONGEST])]
    held = [found.replace(",", "") for found in _NUMBERS.findall(answer[:LONGEST])]
    found = 0
    for one in wanted:
        if one in held:
            held.remove(one)
            found += 1
    return found / len(wanted) if wanted else 0.0


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(_SEVERAL)]


def _scored(
    given: Sequence[str], wanted: Sequence[str], rule: Rule, names: Collection[str]
) -> Score:
    rows, columns = given[:MOST_PARTS], wanted[:MOST_PARTS]
    fits = [[rule(one, other, names) for other in columns] for one in rows]
    matched = _matched(fits, len(columns))
    right = matched == len(given) == len(wanted)
    return Score(right, 2 * matched / (len(given) + len(wanted)))


def _matched(fits: Sequence[Sequence[bool]], wanted: int) -> int:
    """How many pairs can be made, each row and column in one at most."""
    taken: list[int | None] = [None] * wanted

    def place(row: int, tried: set[int]) -> bool:
        for column in range(wanted):
            if not fits[row][column] or column in tried:
                continue
            tried.add(column)
            holder = taken[column]
            if holder is None or place(holder, tried):
                taken[column] = row
                return True
        return False

    return sum(place(row, set()) for row in range(len(fits)))


def _plain(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _number(text: str, units: bool = True) -> Number | None:
    return number(text, units) if len(text) <= LONGEST else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().strip(" .\t\n").split())


def _pairs(read: Number, wanted: Number) -> list[tuple[Fraction, Fraction]]:
    """What an answer may mean beside what is wanted."""
    if not wanted.percent:
        return [(read.value / 100 if read.percent else read.value, wanted.value)]
    pairs = [(read.value, wanted.value)]
    return pairs if read.percent else [*pairs, (read.value, wanted.value / 100)]


def _near(read: Fraction, wanted: Fraction) -> bool:
    if not wanted:
        return abs(read) <= ZERO
    return abs(read - wanted) <= Fraction(TOLERANCE).limit_denominator(100) * abs(wanted)


def _truth(text: str) -> bool | None:
    word = _folded(text).strip("'\"*!")
    return True if word in _TRUE else False if word in _FALSE else None


def _denoted(text: str) -> Fraction | date | str:
    plain = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    plain = "".join(char for char in plain if not unicodedata.combining(char)).strip()
    while (bare := _CITED.sub("", plain).strip()) != plain and bare:
        plain = bare
    plain = plain.strip("'\" ").removesuffix(".")
    for form in _FORMS if len(plain) <= LONGEST else ():
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    read = _number(plain, units=False)
    return read.value if read else " ".join(plain.casefold().split())
