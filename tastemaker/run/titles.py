"""Which item a person means: by its id, by its title, or what they may have meant.

A title is compared in lower case and with single blanks; "The Matrix" and "Matrix, The" are the
same, and a year in brackets at the end may be left out where that leaves one item.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from tastemaker.errors import BadInput
from tastemaker.files import shortened

_NAMED = 5
"""Items that a message names."""
_COMPARED = 500
"""Titles that are compared letter by letter."""
_LONGEST = 120
"""Letters of a title that are looked at for a near one."""
_PAIRS = 40
"""Pairs of letters that are looked for in every title."""
_NEAR = 0.4
"""Least likeness of a title that is proposed; equal ones have 1."""
_ARTICLE = r"^(.+), (the|a|an)( \(\d{4}\))?$"
_YEAR = r" \(\d{4}(?:[-–]\d{0,4})?\)$"


@dataclass(frozen=True, eq=False)
class Titles:
    """n items by id and title."""

    ids: pl.Series
    """(n,) String, each once"""
    titles: pl.Series
    """(n,) String"""

    def find(self, text: str) -> int:
        """Row of the item that has this id or, if none has, this title.

        Raises:
            BadInput: If there is none, naming the nearest titles, or several, naming them.
        """
        text = text.encode(errors="replace").decode()  # lone surrogates stand in no data
        if len(rows := (self.ids == text).arg_true()):
            return int(rows[0])
        asked = _folded(pl.Series([text]))[0]
        if not asked:
            raise BadInput("The item has no name.", "--item", "Give an id or a title.")
        for titles in (self._folded, self._yearless):
            rows = (titles == asked).arg_true()
            if len(rows) > 1:
                fix = f"Give the id of one: {self._named(rows[:_NAMED])}."
                raise BadInput(f"{len(rows):,} items are called {text!r}.", "--item", fix)
            if len(rows):
                return int(rows[0])
        near = self._near(asked)
        fix = f"Did you mean {self._named(near)}?" if near else "Use an id or a title of the data."
        raise BadInput(f"No item has the id or title {shortened(text)!r}.", "--item", fix)

    @cached_property
    def _folded(self) -> pl.Series:
        return _folded(self.titles)

    @cached_property
    def _yearless(self) -> pl.Series:
        return self._folded.str.replace(_YEAR, "")

    def _named(self, rows: Iterable[int]) -> str:
        return ", ".join(f"{shortened(self.titles[r], 80)!r} (id {self.ids[r]!r})" for r in rows)

    def _near(self, asked: str) -> list[int]:
        """Rows of the titles that are most like a text, the nearest first."""
        asked = asked[:_LONGEST]
        pairs = sorted({asked[n : n + 2] for n in range(max(1, len(asked) - 1))})
        pairs = pairs[:: -(-len(pairs) // _PAIRS)]
        title = pl.col("title")
        shared = pl.sum_horizontal(
            title.str.contains(pair, literal=True).cast(pl.Int32) for pair in pairs
        )
        # Long titles hold many pairs by chance: forty letters weigh as much as a tenth of them.
        share = shared / len(pairs) - title.str.len_chars().clip(upper_bound=_LONGEST) / 400
        best = (
            pl.DataFrame({"title": self._yearless})
            .with_row_index("row")
            .select("row", title.str.slice(0, _LONGEST), shared.alias("shared"), share=share)
            .filter(pl.col("shared") > 0)
            .sort("share", "row", descending=[True, False])
            .head(_COMPARED)
        )
        compared = [
            (-_likeness(asked, near), row) for row, near in best.select("row", "title").iter_rows()
        ]
        return [row for unlike, row in sorted(compared)[:_NAMED] if -unlike >= _NEAR]


def _likeness(asked: str, title: str) -> float:
    """From 0 to 1, of a whole title or, a little less, of its beginning alone."""
    whole = difflib.SequenceMatcher(None, title, asked, autojunk=False).ratio()
    begun = difflib.SequenceMatcher(None, title[: len(asked)], asked, autojunk=False).ratio()
    return max(whole, 0.9 * begun)


def _folded(titles: pl.Series) -> pl.Series:
    """Titles in lower case, with single blanks, and their article in front."""
    plain = titles.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    return plain.str.replace(_ARTICLE, "${2} ${1}${3}")
