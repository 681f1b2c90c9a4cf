"""Items by what is typed of their titles: what begins so, then what holds it, then what is near.

Case, accents and signs do not count, and an article may stand before or behind. What is mistyped is
found by the groups of three letters that it shares with titles, of which an index is made at the
first search.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Int64s = npt.NDArray[np.int64]

_LONGEST = 120
"""Letters of a text or a title that are looked at."""
_WORDS = 8
"""Words of a text that are looked for one by one."""
_COMPARED = 40
"""Titles that are compared letter by letter."""
_NEAR = 0.7
"""Least likeness of a title that is mistyped; equal ones have 1."""
_ARTICLE = r"^(.+), (the|a|an)( \(\d{4}\))?$"


@dataclass(frozen=True, eq=False)
class TitleSearch:
    """n titles that can be searched."""

    titles: pl.Series
    """(n,) String"""
    weights: npt.NDArray[np.integer]
    """(n,) how much each is asked for: of equally good ones the larger comes first"""

    def rows(self, text: str, k: int) -> list[int]:
        """Rows of the k best titles: equal, begun so, with such words; or, of none, mistyped ones.

        Args:
            text: What was typed, in any case; empty: nothing is found.
            k: Number of titles.
        """
        asked = _folded(pl.Series([text.encode(errors="replace").decode()[:_LONGEST]]))[0]
        if not asked.strip():
            return []
        found: dict[int, None] = {}
        for tier in (self._whole, self._begun, self._holding, self._with_words, self._inside):
            found |= dict.fromkeys(self._best(tier(asked), k))
            if len(found) >= k:
                break
        return list(found or self._near(asked))[:k]

    @cached_property
    def _folded(self) -> pl.Series:
        return _folded(self.titles)

    def _whole(self, asked: str) -> Int64s:
        return (self._folded == asked).arg_true().to_numpy()

    def _begun(self, asked: str) -> Int64s:
        return self._folded.str.starts_with(asked).arg_true().to_numpy()

    def _holding(self, asked: str) -> Int64s:
        return self._folded.str.contains(asked, literal=True).arg_true().to_numpy()

    def _with_words(self, asked: str) -> Int64s:
        words = asked.split()[:_WORDS]
        if len(words) < 2:
            return np.empty(0, np.int64)
        rows = np.arange(len(self._folded))
        for word in sorted(words, key=len, reverse=True):  # the longest leaves the fewest
            holds = self._folded[rows].str.contains(f" {word}", literal=True)
            rows = rows[holds.to_numpy()]
        return rows

    def _inside(self, asked: str) -> Int64s:
        """Rows of titles that hold it anywhere, as where words have no blanks between them."""
        bare = asked.strip()
        if len(bare) < 2 and bare.isascii():
            return np.empty(0, np.int64)
        return self._folded.str.contains(bare, literal=True).arg_true().to_numpy()

    def _best(self, rows: Int64s, k: int) -> list[int]:
        """The k rows of the largest weights, of equal ones the first."""
        if len(rows) > k:
            weights = self.weights[rows]
            rows = rows[weights >= np.partition(weights, len(rows) - k)[len(rows) - k]]
        best: list[int] = rows[np.argsort(-self.weights[rows], kind="stable")][:k].tolist()
        return best

    def _near(self, asked: str) -> list[int]:
        """Rows of titles that are like a text, or hold words like it, the nearest first."""
        bounds, postings, lengths = self._index
        keys = np.unique(_keys(np.frombuffer(asked.encode(), np.uint8)))
        if not len(keys):
            return []
        shared = np.zeros(len(lengths), np.float32)
        for key in keys:
            shared[postings[bounds[key] : bounds[key + 1]]] += 1
        # Long titles hold much by chance.
        likely = shared / (len(keys) + 0.2 * lengths)
        count = min(_COMPARED, int((shared > 0).sum()))
        if not count:
            return []
        rows = np.argpartition(-likely, count - 1)[:count]
        match = difflib.SequenceMatcher(None, b=asked, autojunk=False)
        likeness = {int(row): _likeness(match, asked, self._folded[int(row)]) for row in rows}
        near = [row for row in likeness if likeness[row] >= _NEAR]
        return sorted(near, key=lambda row: (-likeness[row], -self.weights[row], row))

    @cached_property
    def _index(self) -> tuple[Int64s, npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Bounds of each key, the rows that hold it, each once, and keys of each row."""
        texts = self._folded.str.slice(0, _LONGEST)
        letters = np.frombuffer("".join(texts.to_list()).encode(), np.uint8)
        ends = np.cumsum(texts.str.len_bytes().to_numpy().astype(np.int64))
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(ends, prepend=0))
        keys = _keys(letters)
        inside = rows[: len(keys)] == rows[len(rows) - len(keys) :]
        keys, rows = keys[inside].astype(np.uint16), rows[: len(keys)][inside]
        order = np.argsort(keys, kind="stable")  # a radix sort: rows of a key stay in order
        keys, rows = keys[order], rows[order]
        first = np.ones(len(keys), bool)
        first[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
        held, postings = keys[first], rows[first]
        bounds = np.searchsorted(held, np.arange(_KEYS + 1))
        return bounds, postings, np.bincount(postings, minlength=len(texts)).astype(np.float32)


_KEYS = 2**16


def _keys(letters: npt.NDArray[np.uint8]) -> Int64s:
    """A number for each three bytes in a row; different ones may share it."""
    wide = letters.astype(np.int64)
    if len(wide) < 3:
        return np.empty(0, np.int64)
    return (wide[:-2] * 9973 + wide[1:-1] * 311 + wide[2:]) % _KEYS


def _likeness(match: difflib.SequenceMatcher[str], asked: str, title: str) -> float:
    """From 0 to 1, of a whole title or, a little less, of as many letters or words of it."""
    words, count = title.split(), len(asked.split())
    windows = {f" {' '.join(words[n : n + count])}" for n in range(len(words) - count + 1)}
    likeness = 0.0
    for part in (title, title[: len(asked)], *sorted(windows)):
        share = 1.0 if part == title else 0.95
        match.set_seq1(part)
        if share * match.real_quick_ratio() > max(likeness, _NEAR):
            likeness = max(likeness, share * match.ratio())
    return likeness


def _folded(titles: pl.Series) -> pl.Series:
    """Words of titles in lower case and without accents, a blank before each."""
    plain = titles.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    plain = plain.str.strip_chars().str.replace(_ARTICLE, "${2} ${1}${3}")
    words = plain.str.replace_all(r"['’`]", "").str.replace_all(r"[^\p{L}\p{N}]+", " ")
    return " " + words.str.strip_chars()
