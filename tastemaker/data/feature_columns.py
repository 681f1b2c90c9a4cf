"""Columns of a table → features: numbers as they are, texts as a feature a category.

What a column holds is decided once, by `decided`; every other table is then read by that decision,
so that a row has the same features wherever it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.counts import counted
from tastemaker.data.checks import Tally
from tastemaker.data.problems import Problem, shown

MOST_CATEGORIES = 64
"""Categories of a column, at most; a column with more is an id or free text."""
ROW = "\0row"
"""Column of row numbers beside those of the file; no column of a file can be called this."""

_NUMBERS = 0.95
"""Share of a column of texts that are numbers, from which on the others are mistakes."""
_LARGEST = float(np.finfo(np.float32).max)
_TEXT = (pl.String, pl.Categorical, pl.Enum, pl.Null)

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureColumns:
    """How the columns of a row become numbers."""

    categories: dict[str, tuple[str, ...]]
    """column → its categories in their order, an empty text for empty cells; none: numbers"""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the F features."""
        return tuple(
            feature
            for column, some in self.categories.items()
            for feature in ([f"{column} = {one or '(empty)'}" for one in some] or [column])
        )


def texts(cells: pl.Series) -> pl.Series:
    """Cells as texts without outer blanks, null where nothing stands; 3.0 is 3."""
    whole = cells
    if cells.dtype.is_float() and (cells.is_finite() & (cells.round() == cells)).all():
        whole = cells.cast(pl.Int64, strict=False)
    trimmed = whole.cast(pl.String).str.strip_chars()
    return trimmed.set(trimmed == "", None)


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Different names, by size where all are whole numbers, else by letters."""
    some = sorted(set(names))
    if all(name.lstrip("-").isdecimal() and name.isascii() for name in some):
        some.sort(key=int)
    return tuple(some)


def decided(
    file: str, frame: pl.DataFrame, names: Sequence[str]
) -> tuple[FeatureColumns, list[Problem]]:
    """What each column holds, and the columns that cannot be features.

    Args:
        file: What messages call the table.
        frame: All of its rows.
        names: Columns to decide on.
    """
    categories: dict[str, tuple[str, ...]] = {}
    problems = []
    for name in names:
        cells = frame[name]
        if cells.dtype not in _TEXT:
            if not (cells.dtype.is_numeric() or cells.dtype == pl.Boolean):
                what = f"the column holds {cells.dtype}, not numbers or texts"
                problems.append(_refused(file, name, what))
            categories[name] = ()
            continue
        words = texts(cells)
        filled = words.drop_nulls()
        if filled.is_empty():
            problems.append(_refused(file, name, "the column is empty"))
            continue
        numbers = len(filled) - filled.cast(pl.Float64, strict=False).null_count()
        if numbers >= _NUMBERS * len(filled):
            categories[name] = ()
            continue
        categories[name] = in_order(words.fill_null("").unique().to_list())
        if len(categories[name]) > MOST_CATEGORIES:
            many = counted(len(categories[name]), "different text")
            what = f"the column has {many}, more than {MOST_CATEGORIES} categories"
            problems.append(_refused(file, name, what))
    return FeatureColumns(categories), problems


def encoded(frame: pl.DataFrame, columns: FeatureColumns, tally: Tally) -> Float32s:
    """(N, F) features of the rows; what cannot be read goes to the tally.

    Args:
        frame: Rows, numbered in a column `ROW`, with every column that is asked for.
        columns: How they are read.
        tally: Collects problems.
    """
    inputs = np.zeros((len(frame), len(columns.features)), np.float32)
    place = 0
    for name, some in columns.categories.items():
        if some:
            codes = _codes(frame, name, some, tally)
            known = np.flatnonzero(codes >= 0)
            inputs[known, place + codes[known]] = 1
        else:
            inputs[:, place] = _numbers(frame, name, tally)
        place += len(some) or 1
    return inputs


def coded(
    frame: pl.DataFrame, name: str, known: Sequence[str], tally: Tally, fix: str
) -> npt.NDArray[np.int64]:
    """(N,) place of each cell among the known texts, −1 where it is none and goes to the tally."""
    words = texts(frame[name])
    missing = words.is_null()
    mark(tally, frame, name, missing, "the cell is empty", "Fill it, or leave the row out.")
    return _places(frame, name, words.fill_null(""), known, (tally, missing, fix))


def mark(
    tally: Tally, frame: pl.DataFrame, column: str, bad: pl.Series, what: str, fix: str
) -> None:
    """Count rows under one cause."""
    if bad.any():
        tally.add(column, what, fix, frame.select(row=ROW, value=pl.col(column)).filter(bad))


def _codes(
    frame: pl.DataFrame, name: str, known: Sequence[str], tally: Tally
) -> npt.NDArray[np.int64]:
    words = texts(frame[name]).fill_null("")
    fix = f"Known are: {', '.join(map(shown, known[:8]))}{' …' if len(known) > 8 else ''}."
    return _places(frame, name, words, known, (tally, words.is_null(), fix))


def _places(
    frame: pl.DataFrame,
    name: str,
    words: pl.Series,
    known: Sequence[str],
    told: tuple[Tally, pl.Series, str],
) -> npt.NDArray[np.int64]:
    tally, known_missing, fix = told
    place = {word: number for number, word in enumerate(known)}
    codes = words.replace_strict(place, default=-1, return_dtype=pl.Int64)
    what = "the text is not among those that were known before"
    mark(tally, frame, name, (codes < 0) & ~known_missing, what, fix)
    found: npt.NDArray[np.int64] = codes.to_numpy(writable=True)
    return found


def _numbers(frame: pl.DataFrame, name: str, tally: Tally) -> Float32s:
    cells = frame[name]
    if cells.dtype in _TEXT:
        cells = texts(cells)
    numbers = cells.cast(pl.Float64, strict=False)
    empty = cells.is_null() | numbers.is_nan().fill_null(value=False)
    leave = f"leave the column out with --without {name}."
    mark(tally, frame, name, empty, "the number is missing", f"Fill it, or {leave}")
    wrong = numbers.is_null() & ~empty
    mark(tally, frame, name, wrong, "this is no number", f"Write a number, or {leave}")
    large = (numbers.abs() > _LARGEST).fill_null(value=False) & ~empty
    mark(tally, frame, name, large, f"the number is larger than {_LARGEST:.2g}", "Take a unit "
         "in which it is smaller.")  # fmt: skip
    ready = numbers.set(empty | wrong | large, 0.0).to_numpy()
    found: Float32s = ready.astype(np.float32)
    return found


def _refused(file: str, name: str, what: str) -> Problem:
    fix = f"Leave it out with --without {name}, or store numbers or a few categories."
    return Problem(file, name, None, "", 1, what, fix)
