"""Frames and columnar files → batches of rows, with every way of being unreadable put into words.

Parquet, Arrow and frames keep their types; what is text is read as text (`delimited`,
`json_lines`, `plain_text`) and converted later, where a bad value can be named with its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from tastemaker.data.problems import BadData, Problem

BATCH = 250_000
"""Rows read at a time."""


@dataclass(frozen=True)
class Table:
    """A table that is read in batches."""

    file: str
    """what messages call it."""
    schema: dict[str, pl.DataType]
    """columns and their types."""
    batches: Callable[[], Iterator[pl.DataFrame]]
    """a fresh pass over the rows, in file order."""
    renamed: dict[str, str] = field(default_factory=dict)
    """columns that a public format calls otherwise: name in the file → name here."""
    text: bool = False
    """read from text, where a row without any field is a blank line, which is passed over."""

    def rename(self, names: dict[str, str]) -> Table:
        """The same rows with columns renamed, where the table has them (old → new).

        Raises:
            BadData: If two columns would have one name.
        """
        present = {old: new for old, new in names.items() if old in self.schema}
        old_of: dict[str, str] = {}
        for old in self.schema:
            new = present.get(old, old)
            if new in old_of:
                what = f"two columns are the {new!r} of the table: {old_of[new]!r} and {old!r}"
                fix = "Remove one of them."
                raise BadData([Problem(self.file, new, None, "", 1, what, fix)])
            old_of[new] = old
        schema = {new: self.schema[old] for new, old in old_of.items()}
        batches, renamed = self.batches, self.renamed | present
        return replace(
            self,
            schema=schema,
            batches=lambda: (batch.rename(present) for batch in batches()),
            renamed=renamed,
        )

    def change(self, *columns: pl.Expr) -> Table:
        """The same rows with columns computed anew; their types stay."""
        batches = self.batches
        return replace(self, batches=lambda: (b.with_columns(columns) for b in batches()))

    def blank_rows(self, batch: pl.DataFrame) -> pl.Series | None:
        """Which rows of a batch are blank lines; None, at no cost, where there are none."""
        columns = batch.get_columns()
        if not self.text or not columns or not columns[0].null_count():
            return None
        blank = batch.select(pl.all_horizontal(pl.all().is_null())).to_series()
        return blank if blank.any() else None


def unreadable(file: str, what: str, fix: str, row: int | None = None, value: str = "") -> BadData:
    """The error for a file that cannot be read at all."""
    return BadData([Problem(file, "", row, value, 1, what, fix)])


def scan_table(
    file: str,
    scan: Callable[[], pl.LazyFrame],
    explain: Callable[[str], BadData] | None = None,
) -> Table:
    """A table from a lazy scan.

    Args:
        file: What messages call it.
        scan: A fresh scan; paths in it are read as written (`glob=False`).
        explain: Finds the cause of what the engine could not read; gets the engine's words.
    """
    tell = explain or (lambda said: unreadable(file, f"it cannot be read: {said}", "Mend it."))

    def batches() -> Iterator[pl.DataFrame]:
        try:
            yield from scan().collect_batches(chunk_size=BATCH, maintain_order=True)
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
            raise tell(_first_line(error)) from None

    try:
        schema = dict(scan().collect_schema())
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise tell(_first_line(error)) from None
    return Table(file, schema, batches)


def columnar_file(path: Path) -> Table:
    """A Parquet or Arrow file; its columns keep their types."""
    kind = path.suffix.lower()[1:]

    def scan() -> pl.LazyFrame:
        if kind == "parquet":
            return pl.scan_parquet(path, glob=False)
        return pl.scan_ipc(path, glob=False)

    def explain(said: str) -> BadData:
        what = f"the file is cut short or is not {kind}: {said}"
        return unreadable(str(path), what, "Export it again.")

    return scan_table(str(path), scan, explain)


def from_frame(frame: Any, file: str = "the frame") -> Table:
    """A table from a Polars or pandas frame or an Arrow table.

    Raises:
        BadData: If a column mixes types or the object is no table.
    """
    if isinstance(frame, pl.LazyFrame):
        return scan_table(file, lambda: frame)
    try:
        ready = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    except (pa.ArrowException, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        what = f"a column mixes types or the object is no table ({type(frame).__name__})"
        raise unreadable(
            file, what, f"Give each column one type. The reader said: {error}"
        ) from None
    return Table(file, dict(ready.schema), lambda: ready.iter_slices(BATCH))


def _first_line(error: Exception) -> str:
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__
