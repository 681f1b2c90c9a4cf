"""Reading: answers of groups as the trainer takes them, in words that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from tastemaker.reinforce.answers import Answers
from tastemaker.reinforce.equivalence import canonical
from tastemaker.reinforce.extraction import extracted


class Reading:
    """The `lesson.Reader` that finds and compares answers by `Answers`."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def __call__(
        self,
        texts: Sequence[Sequence[str]],
        known: Sequence[Sequence[str | None]],
        kinds: Sequence[str],
    ) -> list[list[str | None]]:
        """As `lesson.Reader` says: an answer is called by the form that was first given.

        A known answer that none of its group gives keeps its own form.
        """
        rows: list[list[str | None]] = []
        codes = self._answers.codes(texts, kinds)
        for group, numbers, kind in zip(texts, codes, kinds, strict=True):
            names: dict[int, str | None] = {-1: None}
            for text, number in zip(group, numbers, strict=True):
                if number not in names:
                    names[number] = canonical(extracted(text, kind) or "", kind).text
            rows.append([names[number] for number in numbers])
        for place in range(len(known[0]) if known else 0):
            self._beside(rows, texts, [beside[place] for beside in known], kinds)
        return rows

    def _beside(
        self,
        rows: list[list[str | None]],
        texts: Sequence[Sequence[str]],
        known: Sequence[str | None],
        kinds: Sequence[str],
    ) -> None:
        """Add to each row the name of one known answer: that of the first text that equals it."""
        asked = [
            (row, number, text)
            for row, group in enumerate(texts)
            if known[row] is not None
            for number, text in enumerate(group)
        ]
        right = self._answers.right(
            [text for _, _, text in asked],
            [known[row] or "" for row, _, _ in asked],
            [kinds[row] for row, _, _ in asked],
        )
        names: dict[int, str | None] = {}
        for (row, number, _), equal in zip(asked, right, strict=True):
            if equal:
                names.setdefault(row, rows[row][number])
        for row, one in enumerate(known):
            own = None if one is None else canonical(one, kinds[row]).text
            rows[row].append(names.get(row, own))
