"""The header of a log: which columns it has, which it lacks, and of which type they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from tastemaker.data.checks import schema_problems
from tastemaker.data.column_names import COLUMNS, missing_column_fix, unread
from tastemaker.data.declaration import Declaration
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import Table
from tastemaker.data.times import legible

BLANK = "\0blank"
"""Marks rows that are passed over; no column of a file can be called this."""


def canonical(table: Table, declared: Declaration) -> Table:
    """Only the columns we know; the declared value column as `value`, the row numbers as `order`.

    `row` is kept free for the number that a row has in the file. A batch with rows that hold
    nothing in any column of the file says so in a column `BLANK`.
    """
    names = {old: "order" if name == "row" else name for name, old in _sources(table, declared)}
    schema = {new: table.schema[old] for old, new in names.items()}
    picked = [pl.col(old).alias(new) for old, new in names.items()]

    def batches() -> Iterator[pl.DataFrame]:
        for batch in table.batches():
            blank = table.blank_rows(batch)
            known = batch.select(picked)
            yield known if blank is None else known.with_columns(blank.alias(BLANK))

    return Table(table.file, schema, batches)


def check_header(table: Table, declared: Declaration, ordered: bool) -> None:
    """Refuse a log without the columns that it needs, with one twice, or of an unusable type.

    Args:
        table: As it stands in the file.
        declared: May name the value column, and the events that a column is needed for.
        ordered: The log carries order instead of times.

    Raises:
        BadData: With every problem of the header.
    """
    missing = "the column is missing"
    problems = [
        Problem(table.file, name, None, "", 1, missing, missing_column_fix(name, table.schema))
        for name in (COLUMNS[:2] if ordered else COLUMNS[:3])
        if name not in table.schema
    ]
    problems += _declared_problems(table, declared)
    sources = dict(_sources(table, declared))
    problems += doubled(table, list(sources.values()))
    schema = {name: table.schema[old] for name, old in sources.items()}
    problems += [
        _with_example(table, replace(problem, column=sources[problem.column]))
        for problem in schema_problems(table.file, schema)
    ]
    if problems:
        raise BadData(problems)


def missed(table: Table, declared: Declaration) -> dict[str, str]:
    """Column that is not read → the optional column that it is likely meant to be."""
    return unread(table.schema, [source for _, source in _sources(table, declared)])


def doubled(table: Table, columns: Sequence[str]) -> list[Problem]:
    """Columns that the header names twice; the engine's CSV reader renames the second one."""
    twice = (re.fullmatch(r"(.+)_duplicated_0", name) for name in table.schema)
    what, fix = "the header names the column twice", "Rename or remove one of them."
    ours = {*columns, *table.renamed}
    return [
        Problem(table.file, found[1], None, "", 1, what, fix)
        for found in twice
        if found and found[1] in ours
    ]


def _sources(table: Table, declared: Declaration) -> list[tuple[str, str]]:
    """Name here and name in the table of each column that we know and the table has."""
    names = {name: name for name in COLUMNS if name in table.schema}
    source = _value_source(table, declared)
    if source:
        names["value"] = source
    return list(names.items())


def _value_source(table: Table, declared: Declaration) -> str | None:
    """The declared value column as the table calls it; None where there is none."""
    if not declared.value:
        return None
    column = declared.value.column
    if column in table.schema:
        return column
    # RecBole writes the type behind the name, as in `rating:float`.
    renamed = {old.split(":")[0]: new for old, new in table.renamed.items()}
    return renamed.get(column)


def _declared_problems(table: Table, declared: Declaration) -> Iterator[Problem]:
    """Columns that `dataset.json` speaks of and the log does not have."""
    if declared.value and not _value_source(table, declared):
        column = declared.value.column
        what = "dataset.json declares it as the value column, and the log has no such column"
        others = ", ".join(name for name in table.schema if name not in COLUMNS[:3]) or "none"
        fix = f"Name a column of the log (others there: {others}), or declare no value."
        yield Problem(table.file, column, None, "", 1, what, fix)
    if "event" not in table.schema and declared.only_event is None:
        events = ", ".join(declared.events)
        what = f"the column is missing while dataset.json declares several events: {events}"
        yield Problem(table.file, "event", None, "", 1, what, "Add it, or declare the one event.")


def _with_example(table: Table, problem: Problem) -> Problem:
    """The problem of a column's type, with the first value that stands there."""
    try:
        column = next(iter(table.batches()))[problem.column]
        first = int(column.is_not_null().arg_true()[0])
    except (BadData, StopIteration, IndexError, pl.exceptions.PolarsError):
        return problem
    value = legible(column.slice(first, 1))[0]
    return replace(problem, row=first + 1, value=shown(value))
