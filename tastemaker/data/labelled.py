"""Tables with a label column → features and classes, each row perhaps with the silo it lies in.

Any file that `open_table` reads, or a table in memory. What is wrong is said all at once; nothing
is dropped, filled or cut in silence.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.config import to_json
from tastemaker.counts import counted
from tastemaker.data.checks import Tally
from tastemaker.data.feature_columns import (
    ROW,
    FeatureColumns,
    Float32s,
    coded,
    decided,
    encoded,
    in_order,
    texts,
)
from tastemaker.data.header import doubled
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import Table, from_frame, unreadable
from tastemaker.files import refuse_unreadable

MOST_CLASSES = 1000
FEWEST_ROWS = 3
"""Rows of a class: one to learn from, one to test by, one for the server."""

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TableForm:
    """How a row of a table becomes features and a class."""

    label: str
    """column of the class"""
    classes: tuple[str, ...]
    """K of them, in their order"""
    columns: FeatureColumns


@dataclass(frozen=True)
class PictureForm:
    """How a picture becomes an input and the folder it lies in a class."""

    classes: tuple[str, ...]
    """K of them, in their order"""
    side: int
    """pixels of the square that its middle is scaled to"""
    channels: int
    """3 colours or 1 grey"""


Form = TableForm | PictureForm


@dataclass(frozen=True, eq=False)
class Labelled:
    """N inputs with their classes."""

    name: str
    """what messages and pages call it"""
    inputs: Float32s
    """(N, F) of a table; (N, S, S) of grey pictures, (N, S, S, 3) of coloured ones"""
    labels: Int64s
    """(N,) place of each one's class"""
    form: Form
    silos: tuple[str, ...] = ()
    """names of those that hold the rows; empty: nobody was named"""
    silo: Int64s | None = None
    """(N,) place of each row's silo"""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""
        return self.form.classes

    @property
    def sha256(self) -> str:
        """Of what is learned from and how it was read, whatever file it came in."""
        form = json.dumps([to_json(self.form), *self.silos], sort_keys=True)
        total = hashlib.sha256(form.encode())
        for array in (self.inputs, self.labels, self.silo):
            if array is not None:
                total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def rows(self, chosen: Int64s) -> Labelled:
        """The same, of some rows alone."""
        silo = None if self.silo is None else self.silo[chosen]
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen], silo=silo)


def read_table(source: Any, label: str, by: str = "", without: Sequence[str] = ()) -> Labelled:
    """Read a table with a label column; every other column is a feature.

    Args:
        source: Path of a file that `open_table` reads, or a table in memory.
        label: Column of the class.
        by: Column of the silo, which is no feature; empty: there is none.
        without: Columns to leave out.

    Raises:
        BadData: With every problem found.
    """
    table = _opened(source)
    _check_header(table, [label, *([by] if by else []), *without])
    frame = _rows(table)
    names = [name for name in table.schema if name not in (label, by, *without)]
    if not names:
        what, fix = "the table has no columns beside these", "Keep a column to learn from."
        raise unreadable(table.file, what, fix, value=", ".join(table.schema))
    columns, problems = decided(table.file, frame, names)
    classes = in_order(texts(frame[label]).drop_nulls().to_list())
    problems += _class_problems(table.file, frame, label, classes)
    return _read(table.file, frame, TableForm(label, classes, columns), by, problems)


def read_alike(source: Any, form: TableForm, by: str = "") -> Labelled:
    """Read a table as another one was read: the same features, the same classes.

    Raises:
        BadData: With every problem found, such as a class or a category that the other lacks.
    """
    table = _opened(source)
    _check_header(table, [form.label, *([by] if by else []), *form.columns.categories])
    return _read(table.file, _rows(table), form, by, [])


def read_inputs(source: Any, form: TableForm) -> Float32s:
    """(N, F) features of a table that needs no label.

    Raises:
        BadData: With every problem found.
    """
    table = _opened(source)
    _check_header(table, list(form.columns.categories))
    tally = Tally(table.file, keep=False)
    inputs = encoded(_rows(table), form.columns, tally)
    if tally.by_cause:
        raise BadData(tally.problems())
    return inputs


def _opened(source: Any) -> Table:
    if not isinstance(source, str | Path):
        return from_frame(source)
    path = Path(source)
    refuse_unreadable(path)
    return open_table(path)


def _check_header(table: Table, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column, or has one twice."""
    problems = [
        Problem(
            table.file, name, None, "", 1, "the column is missing", _there(name, list(table.schema))
        )
        for name in dict.fromkeys(names)
        if name not in table.schema
    ]
    problems += doubled(table, list(table.schema))
    if len(names) > len(set(names)):
        twice = next(name for name in names if list(names).count(name) > 1)
        what, fix = "the column is asked for in two roles", "Name it once."
        problems.append(Problem(table.file, twice, None, "", 1, what, fix))
    if problems:
        raise BadData(problems)


def _there(name: str, columns: Sequence[str]) -> str:
    """What stands there in place of a missing column."""
    near = difflib.get_close_matches(name.lower(), [c.lower() for c in columns], n=1, cutoff=0.5)
    meant = next((f"Did you mean {c!r}? " for c in columns if near == [c.lower()]), "")
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    return f"{meant}The table has: {', '.join(columns[:12])}{more}."


def _rows(table: Table) -> pl.DataFrame:
    """All rows that are not blank, numbered as in the file."""
    parts, seen = [], 0
    for batch in table.batches():
        numbered = batch.with_columns(pl.int_range(seen + 1, seen + len(batch) + 1).alias(ROW))
        blank = table.blank_rows(batch)
        parts.append(numbered if blank is None else numbered.filter(~blank))
        seen += len(batch)
    frame = pl.concat(parts) if parts else pl.DataFrame()
    if frame.is_empty():
        raise unreadable(table.file, "the table has a header but no rows", "Give at least one row.")
    return frame


def _class_problems(
    file: str, frame: pl.DataFrame, label: str, classes: Sequence[str]
) -> list[Problem]:
    """What makes a column no label."""
    many = counted(len(classes), "different value")
    if not 2 <= len(classes) <= min(MOST_CLASSES, max(2, len(frame) // 2)):
        what = f"the label has {many} in {counted(len(frame), 'row')}, which makes no classes"
        fix = f"Name a column of 2 to {MOST_CLASSES:,} classes with several rows each."
        return [Problem(file, label, None, "", 1, what, fix)]
    words = texts(frame[label])
    counts = words.drop_nulls().value_counts(name="rows").sort(label)
    problems = []
    for name, rows in counts.filter(pl.col("rows") < FEWEST_ROWS).iter_rows():
        first = int(frame[ROW].filter(words == name)[0])
        what = f"the class has fewer than {FEWEST_ROWS} rows"
        fix = "It needs one to learn from, one to test by and one for the server: add some."
        problems.append(Problem(file, label, first, shown(name), rows, what, fix))
    return problems


def _read(
    file: str, frame: pl.DataFrame, form: TableForm, by: str, problems: list[Problem]
) -> Labelled:
    tally = Tally(file, keep=False)
    known = ", ".join(map(shown, form.classes[:8]))
    fix = f"The classes are {known}{' …' if len(form.classes) > 8 else ''}."
    labels = coded(frame, form.label, form.classes, tally, fix)
    silos: tuple[str, ...] = ()
    silo = None
    if by:
        silos = in_order(texts(frame[by]).drop_nulls().to_list())
        silo = coded(frame, by, silos, tally, "")
    refused = {problem.column for problem in problems}
    kept = {n: some for n, some in form.columns.categories.items() if n not in refused}
    inputs = encoded(frame, FeatureColumns(kept), tally)
    if problems or tally.by_cause:
        raise BadData([*problems, *tally.problems()])
    return Labelled(file, inputs, labels, form, silos, silo)
