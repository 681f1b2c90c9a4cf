"""Survey: do verified interests agree with what users say of themselves?

A survey is a table of `user_id`, `interest` and `answer`: yes or no, or a rating. Interests are
the same that have the same category of a taxonomy, else the same name but for case and blanks. An
answer about an interest that is no such category and that nobody was found to have, or by a user
who is not in the log, compares with nothing: it is left out and counted, as are verified interests
that the survey did not ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker import files
from tastemaker.counts import counted
from tastemaker.data.categories import fold
from tastemaker.data.checks import Tally
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData, Problem
from tastemaker.errors import BadInput
from tastemaker.understand.survey_scores import NAMES, RESAMPLES, Estimate, Pairs, agreement
from tastemaker.understand.taxonomy import Taxonomy

WORDS = {"yes": 1.0, "y": 1.0, "true": 1.0, "no": 0.0, "n": 0.0, "false": 0.0}
"""Answers in words, in any case."""
_COLUMNS = ("user_id", "interest", "answer")


@dataclass(frozen=True)
class Survey:
    """What users answered."""

    frame: pl.DataFrame
    """`user_id`, `interest`, `answer` (float); a user was asked each interest once"""
    middle: float
    """an answer above it is a yes"""

    @classmethod
    def open(cls, path: Path, middle: float | None = None) -> Survey:
        """Read a table of answers: CSV, JSON lines or Parquet.

        Args:
            path: Columns `user_id`, `interest` and `answer`: yes or no, or numbers.
            middle: A rating above it is a yes; default: the middle of the lowest and the highest.

        Raises:
            BadData: With every problem found.
            BadInput: If all ratings are equal, so that nothing says which of them are a yes.
        """
        files.refuse_unreadable(path)
        table = open_table(path)
        fix = f"Give the columns {', '.join(_COLUMNS)}."
        lacking = [
            Problem(str(path), name, None, "", 1, "the column is missing", fix)
            for name in _COLUMNS
            if name not in table.schema
        ]
        if lacking:
            raise BadData(lacking)
        raw = pl.concat([pl.DataFrame(schema=table.schema), *table.batches()])
        frame, words = _read(raw.with_row_index("row", offset=1), str(path))
        low, high = (float(frame["answer"].min()), float(frame["answer"].max()))  # type: ignore[arg-type]
        if middle is None and not words and low == high:
            what = f"Every answer is {low:g}, so it is not known whether that is a yes."
            raise BadInput(what, str(path), "Write yes or no, or say above what a rating is a yes.")
        return cls(frame, (0.5 if words else (low + high) / 2) if middle is None else middle)


@dataclass(frozen=True)
class Agreement:
    """How well verified interests agree with answers."""

    users: int
    """users with at least one answer that was compared"""
    compared: int
    """answers compared"""
    unmatched: int
    """answers about interests that are no category and that nobody was found to have, left out"""
    unknown_users: int
    """users of the survey who are not in the log, left out with all their answers"""
    unasked: int
    """verified interests of compared users that the survey did not ask them about"""
    measures: Mapping[str, Estimate | None] = field(default_factory=dict)
    """every one of `survey_scores.NAMES`; None where the answers do not define it"""

    def to_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        told = {name: one and one.to_json() for name, one in self.measures.items()}
        return vars(self) | {"measures": told}

    def rows(self) -> list[tuple[str, str, str]]:
        """What a terminal shows: measure, value, interval."""
        return [
            (name.replace("_", " "), "not known", "")
            if one is None
            else (
                name.replace("_", " "),
                f"{one.value:.3f}",
                f"{one.ci95[0]:.3f} to {one.ci95[1]:.3f}",
            )
            for name, one in ((name, self.measures[name]) for name in NAMES)
        ]


def validate(
    verified: Mapping[str, Mapping[str, float]],
    survey: Survey,
    taxonomy: Taxonomy | None = None,
    known: Mapping[str, int] | None = None,
    resamples: int = RESAMPLES,
) -> Agreement:
    """Compare verified interests with answers.

    Args:
        verified: User id → name of an interest → its evidence; 0: looked at, and not verified.
        survey: What users answered.
        taxonomy: Whose categories make interests of other names the same.
        known: `Taxonomy.key` → category of names that a judge mapped to the taxonomy.
        resamples: Of the bootstrap over users.

    Raises:
        BadInput: If no answer can be compared.
    """
    key = _matcher(taxonomy, known or {})
    evidence: dict[str, dict[str | int, float]] = {}
    for user, interests in verified.items():
        own = evidence.setdefault(user, {})
        for name, much in interests.items():
            own[key(name)] = max(much, own.get(key(name), 0.0))
    everything = {one for own in evidence.values() for one in own}
    asked: dict[tuple[str, str | int], float] = {}
    unmatched, strangers = 0, set()
    for user, name, answer in survey.frame.iter_rows():
        if user not in evidence:
            strangers.add(user)
        elif isinstance(key(name), str) and key(name) not in everything:
            unmatched += 1
        else:
            # Of two names of one category the clearer yes counts.
            asked[user, key(name)] = max(answer, asked.get((user, key(name)), -np.inf))
    if not asked:
        what = f"No answer can be compared: {counted(unmatched, 'answer')} about interests that "
        what += f"nobody has, {counted(len(strangers), 'user')} who are not in the log."
        raise BadInput(what, "survey", "Use the ids of the log, and the names of its interests.")
    numbers = {user: number for number, user in enumerate(dict.fromkeys(u for u, _ in asked))}
    answers = np.array(list(asked.values()), np.float64)
    pairs = Pairs(
        np.array([numbers[user] for user, _ in asked], np.int64),
        np.array([evidence[user].get(one, 0.0) for user, one in asked], np.float64),
        answers,
        answers > survey.middle,
    )
    unasked = sum(
        much > 0 and (user, one) not in asked
        for user in numbers
        for one, much in evidence[user].items()
    )
    measures = agreement(pairs, resamples)
    return Agreement(len(numbers), len(asked), unmatched, len(strangers), unasked, measures)


def _matcher(taxonomy: Taxonomy | None, known: Mapping[str, int]) -> Callable[[str], str | int]:
    def key(name: str) -> str | int:
        if taxonomy is None:
            return fold(name)
        return taxonomy.number(name) or known.get(taxonomy.key(name), 0) or fold(name)

    return key


def _read(raw: pl.DataFrame, file: str) -> tuple[pl.DataFrame, bool]:
    """Checked answers as numbers, and whether they were words."""
    texts = raw.select("row", *(pl.col(name).cast(pl.String) for name in _COLUMNS))
    texts = texts.filter(~pl.all_horizontal(pl.col(_COLUMNS).is_null()))
    if not len(texts):
        raise BadData([Problem(file, "", None, "", 1, "there are no answers", "Give some.")])
    word = texts["answer"].str.strip_chars().str.to_lowercase()
    said = word.replace_strict(WORDS, default=None, return_dtype=pl.Float64)
    number = word.cast(pl.Float64, strict=False)
    number = number.set(~number.is_finite().fill_null(value=False), None)
    words = said.is_not_null().any()
    folded = [name and fold(name) for name in texts["interest"]]
    pairs = texts.select("user_id", interest=pl.Series(folded, dtype=pl.String))
    tally = Tally(file, keep=False)
    fix = "Write yes or no in every row, or a rating in every row."
    causes = (
        ("user_id", _blank(texts["user_id"]), "the id is missing", "Fill it or drop the row."),
        ("interest", _blank(texts["interest"]), "the interest is missing", "Fill it."),
        ("interest", ~_first(pairs),
         "the user answered about this interest before", "Keep one of the answers."),
        ("answer", said.is_null() & number.is_null(), "this is no answer", fix),
        ("answer", number.is_not_null() & words, "this is a number, and other answers are words",
         fix),
    )  # fmt: skip
    for column, bad, what, mend in causes:
        tally.add(column, what, mend, texts.filter(bad).select("row", value=pl.col(column)))
    if tally.by_cause:
        raise BadData(tally.problems())
    answers = said if words else number
    return texts.select("user_id", "interest", answer=answers), words


def _blank(column: pl.Series) -> pl.Series:
    return column.is_null() | (column.str.strip_chars() == "").fill_null(value=False)


def _first(pairs: pl.DataFrame) -> pl.Series:
    return pairs.select(pl.struct(pl.all()).is_first_distinct()).to_series()
