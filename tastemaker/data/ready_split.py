"""Three files of a ready-made split → one table with a column `split`.

Rows are numbered through all of the files while they are read; problems name the file they stand
in and the row there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from tastemaker.data.column_names import COLUMNS
from tastemaker.data.header import doubled
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.tables import Table


@dataclass
class Joined:
    """The files of a split, one after the other."""

    tables: Mapping[str, Table]
    """part (train, valid, test) → its file."""
    ends: list[int] = field(default_factory=list)
    """the last row of each file read so far, counted through all files."""

    def table(self) -> Table:
        """All rows with the column `split`.

        Raises:
            BadData: If the files have different columns.
        """
        tables = list(self.tables.values())
        _refuse_differences(tables)
        first = tables[0]
        shared = [name for name in first.schema if all(name in t.schema for t in tables)]
        schema = {**{name: first.schema[name] for name in shared}, "split": pl.String()}
        names = ", ".join(Path(table.file).name for table in tables)
        file = f"{Path(first.file).parent} ({names})"

        def batches() -> Iterator[pl.DataFrame]:
            self.ends.clear()
            seen = 0
            for part, table in self.tables.items():
                for batch in table.batches():
                    blank = table.blank_rows(batch)
                    seen += len(batch)
                    marked = batch.with_columns(split=pl.lit(part)).select(list(schema))
                    if blank is None:
                        yield marked
                        continue
                    lit = pl.when(~blank).then(pl.col("split")).alias("split")
                    yield marked.with_columns(lit)
                self.ends.append(seen)

        text = any(table.text for table in tables)
        return Table(file, schema, batches, first.renamed, text)

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Problems raised inside name the very file, and the row in it."""
        try:
            yield
        except BadData as error:
            raise BadData([self._placed(problem) for problem in error.problems]) from None

    def place(self, row: int) -> tuple[str, int]:
        """File and row there of a row counted through all files."""
        start = 0
        for table, end in zip(self.tables.values(), self.ends, strict=False):
            if row <= end:
                return table.file, row - start
            start = end
        return list(self.tables.values())[len(self.ends)].file, row - start

    def place_rows(self, dropped: pl.DataFrame) -> pl.DataFrame:
        """Rows left out, with the file of each and its row there."""
        places = [self.place(row) for row in dropped["row"].to_list()]
        return dropped.with_columns(
            file=pl.Series([file for file, _ in places], dtype=pl.String),
            row=pl.Series([row for _, row in places], dtype=pl.Int64),
        )

    def _placed(self, problem: Problem) -> Problem:
        if problem.row is None or problem.file in [t.file for t in self.tables.values()]:
            return problem
        file, row = self.place(problem.row)
        return replace(problem, file=file, row=row)


def _refuse_differences(tables: list[Table]) -> None:
    """The columns of a log must be the same in every file, and of one type."""
    problems = [problem for table in tables for problem in doubled(table, COLUMNS)]
    for name in COLUMNS:
        kinds = {table.file: table.schema.get(name) for table in tables}
        if len(set(kinds.values())) > 1:
            said = ", ".join(f"{Path(f).name}: {kind or 'none'}" for f, kind in kinds.items())
            what = f"the files of the split do not hold the same column ({said})"
            fix = "Export all of them in one way."
            problems.append(Problem(tables[0].file, name, None, "", 1, what, fix))
    if problems:
        raise BadData(problems)
