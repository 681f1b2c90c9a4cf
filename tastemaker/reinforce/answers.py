"""Answers: what the completions of a group answer, which of them are equal, and which are right.

The way from text to votes: completions → `extraction` (the final answer, or none) → `equivalence`
(canonical form, numbers, mathematics in `checkers`) → codes for `votes` and verdicts for
evaluation. Nothing here knows a right answer unless it is asked about one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tastemaker.closing import Closing
from tastemaker.errors import BadInput
from tastemaker.reinforce.checkers import Checkers, Limits
from tastemaker.reinforce.equivalence import (
    Form,
    all_equal,
    canonical,
    checked_answer,
    classes,
)
from tastemaker.reinforce.extraction import extracted


@dataclass(frozen=True)
class AnswerOptions:
    """How answers are compared."""

    units: bool = True
    """whether the unit behind a plain number is dropped"""
    exact: bool = False
    """whether mathematics is compared by canonical form alone, which needs no extra"""
    limits: Limits = Limits()
    """what checking a pair may take"""


class Answers(Closing):
    """Reads and compares answers, as a context or until closed.

    Args:
        options: How.
    """

    def __init__(self, options: AnswerOptions | None = None) -> None:
        self.options = options or AnswerOptions()
        self._checkers: Checkers | None = None

    def close(self) -> None:
        """End the processes that compare."""
        if self._checkers:
            self._checkers.close()

    @property
    def killed(self) -> int:
        """Pairs so far that ended the process that compared them."""
        return self._checkers.killed if self._checkers else 0

    def codes(self, completions: Sequence[Sequence[str]], kinds: Sequence[str]) -> list[list[int]]:
        """A code for the answer of each completion, equal within a group where answers are.

        Args:
            completions: G groups of n completions.
            kinds: G kinds of answer, as `extraction.checked_kind` takes them.

        Returns:
            G lists of n codes: 0, 1, … in the order in which answers are first given, -1 where
            there is none to read.

        Raises:
            BadInput: If there is no such kind, or the extra is missing that compares mathematics.
        """
        _matching(completions, kinds, "groups of completions")
        groups = [
            [self._form(extracted(text, kind), kind) for text in group]
            for group, kind in zip(completions, kinds, strict=True)
        ]
        return classes(groups, self._comparing(kinds))

    def right(
        self, completions: Sequence[str], golds: Sequence[str], kinds: Sequence[str]
    ) -> list[bool]:
        """Whether each of K completions answers what is held for right.

        Args:
            completions: K completions; one that cannot be read is wrong.
            golds: K right answers.
            kinds: K kinds of answer.

        Raises:
            BadInput: As `codes`, or if a right answer is none of its kind.
        """
        _matching(completions, kinds, "completions")
        _matching(golds, kinds, "right answers")
        known: dict[tuple[str, str], Form] = {}
        pairs: list[tuple[Form, Form]] = []
        places: list[int] = []
        for place, (text, gold, kind) in enumerate(zip(completions, golds, kinds, strict=True)):
            if (gold, kind) not in known:
                known[gold, kind] = checked_answer(gold, kind, self.options.units)
            form = self._form(extracted(text, kind), kind)
            if form is not None:
                places.append(place)
                pairs.append((known[gold, kind], form))
        verdict = [False] * len(completions)
        for place, equal in zip(places, all_equal(pairs, self._comparing(kinds)), strict=True):
            verdict[place] = equal
        return verdict

    def _form(self, answer: str | None, kind: str) -> Form | None:
        return None if answer is None else canonical(answer, kind, self.options.units)

    def _comparing(self, kinds: Sequence[str]) -> Checkers | None:
        """What compares mathematics; nothing where there is none to compare."""
        if self._checkers is None and "maths" in kinds and not self.options.exact:
            self._checkers = Checkers(self.options.limits)
        return self._checkers


def _matching(those: Sequence[object], kinds: Sequence[str], what: str) -> None:
    if len(those) != len(kinds):
        told = f"There are {len(those):,} {what} and {len(kinds):,} kinds."
        raise BadInput(told, "answers", "Give a kind for each.")
