r"""Equivalence: which answers mean the same, by the cheapest means that can tell.

An answer is first brought to a canonical form; equal forms are equal answers, and two plain numbers
are compared exactly. What is left of mathematics goes to `Checkers`, many pairs at once.

Equality is not transitive (50% equals both .5 and 50), so the answers of a group are merged with
representatives alone: the answers in order of their frequency, each with the first representative
that it equals, or as a new one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from unicodedata import normalize

from tastemaker.errors import BadInput
from tastemaker.reinforce.checkers import Checkers, Pair
from tastemaker.reinforce.extraction import JSON, MOST, checked_kind
from tastemaker.reinforce.latex import parts, plain
from tastemaker.reinforce.numbers import Number, number, same


@dataclass(frozen=True)
class Form:
    """An answer in canonical form."""

    text: str
    """the same for answers that are the same but for how they are written"""
    number: Number | None = field(default=None, compare=False)
    """where it is a plain number"""
    maths: bool = field(default=False, compare=False)
    """whether it may equal something that is written otherwise"""


def canonical(answer: str, kind: str, units: bool = True) -> Form:
    """The canonical form of an answer.

    Args:
        answer: As `extraction.extracted` gives it, or what is held for right.
        kind: Of the answer, as `extraction.checked_kind` takes it.
        units: Whether the unit behind a plain number is dropped.

    Raises:
        BadInput: If there is no such kind.
    """
    checked_kind(kind)
    text = normalize("NFC", " ".join(answer.split()))
    if kind == "choice":
        return Form(text.strip("().").upper())
    if kind == "text":
        return Form(text)
    if len(text) <= MOST and (read := number(text, units)):
        return Form(str(read), read, kind == "maths")
    if kind == "maths":
        text = plain(text)
        return Form(text, maths=len(text) <= MOST)
    return Form(_one_spelling(text) if kind.startswith(JSON) else text.casefold())


def _one_spelling(text: str) -> str:
    """An object or list of JSON as `extraction` spells it; any other text as it is."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def all_equal(pairs: Sequence[tuple[Form, Form]], checkers: Checkers | None) -> list[bool]:
    """Whether the forms of each pair are equal; the first of a pair is held for right.

    Args:
        pairs: Any number.
        checkers: Compares mathematics; None: only equal forms and equal numbers are equal.
    """
    parted = [_parted(*pair) for pair in pairs]
    told = _each_equal([pair for own in parted for pair in own], checkers)
    ends = accumulate(map(len, parted))
    return [all(told[end - len(own) : end]) for own, end in zip(parted, ends, strict=True)]


def classes(groups: Sequence[Sequence[Form | None]], checkers: Checkers | None) -> list[list[int]]:
    """A code for each answer of G groups, equal within a group where answers are.

    Args:
        groups: G groups of answers; None: there is none.
        checkers: As of `all_equal`.

    Returns:
        G lists of codes, 0, 1, … in the order in which a group's answers first stand; -1 for none.
    """
    merging = [_Group(group) for group in groups]
    while pairs := [pair for group in merging for pair in group.pairs()]:
        told = iter(all_equal(pairs, checkers))
        for group in merging:
            group.take([next(told) for _ in group.pairs()])
    return [group.codes() for group in merging]


class _Group:
    """Answers of a group while they are merged, one after the other."""

    def __init__(self, answers: Sequence[Form | None]) -> None:
        self._answers = answers
        counts = Counter(answer for answer in answers if answer is not None)
        self._left = [form for form, _ in counts.most_common()]  # ties: first given
        self._chosen: list[Form] = []
        self._place: dict[Form, Form] = {}
        self.take([])

    def pairs(self) -> list[tuple[Form, Form]]:
        """Each representative with the answer whose turn it is."""
        return [(chosen, self._left[0]) for chosen in self._chosen] if self._left else []

    def take(self, equal: Sequence[bool]) -> None:
        """What was said of these pairs."""
        if self._left:
            form = self._left.pop(0)
            same_as = (one for one, said in zip(self._chosen, equal, strict=True) if said)
            self._place[form] = next(same_as, form)
            if self._place[form] is form:
                self._chosen.append(form)

    def codes(self) -> list[int]:
        numbers: dict[Form, int] = {}
        return [
            -1 if answer is None else numbers.setdefault(self._place[answer], len(numbers))
            for answer in self._answers
        ]


def _parted(one: Form, other: Form) -> list[tuple[Form, Form]]:
    """The pairs that are equal if and only if two forms are: of points and intervals, the parts.

    One pair that is plainly unequal stands for all.
    """
    lists = parts(one.text), parts(other.text)
    if one.text == other.text or not (one.maths and other.maths) or None in lists:
        return [(one, other)]
    (brackets, firsts), (others_brackets, seconds) = (told or ("", []) for told in lists)
    if brackets != others_brackets or len(firsts) != len(seconds):
        return [(one, other)]
    pairs = [
        (canonical(first, "maths"), canonical(second, "maths"))
        for first, second in zip(firsts, seconds, strict=True)
    ]
    return next(([pair] for pair in pairs if _at_once(*pair) is False), pairs)


def _each_equal(pairs: Sequence[tuple[Form, Form]], checkers: Checkers | None) -> list[bool]:
    equal = [_at_once(*pair) for pair in pairs]
    left = [place for place, said in enumerate(equal) if said is None]
    asked: list[Pair] = [(pairs[place][0].text, pairs[place][1].text) for place in left]
    told = checkers.equal(asked) if asked and checkers else [False] * len(asked)
    for place, said in zip(left, told, strict=True):
        equal[place] = said
    return [bool(said) for said in equal]


def _at_once(one: Form, other: Form) -> bool | None:
    """Whether two forms are equal, where that can be told without computing; None: it cannot."""
    if one.text == other.text:
        return True
    if one.number and other.number:
        return same(one.number, other.number)
    return None if one.maths and other.maths else False


def checked_answer(gold: str, kind: str, units: bool = True) -> Form:
    """The canonical form of what is held for right; arguments as of `canonical`.

    Raises:
        BadInput: If no answer of this kind can ever equal it; says why.
    """
    form = canonical(gold, kind, units)
    why = ""
    if not gold.strip() or len(gold) > MOST:
        why = f"it has {len(gold):,} characters, and an answer has 1 to {MOST}"
    elif kind == "number" and form.number is None:
        why = "it is not a number"
    elif kind == "choice" and not re.fullmatch("[A-J]", form.text):
        why = "it is not a letter from A to J"
    if why:
        what = f"The right answer {gold[:80]!r} is none of the kind {kind!r}: {why}."
        raise BadInput(what, "gold", "Write the answer alone, or give another kind.")
    return form
