"""Files and frames → batches of rows, with every way of being unreadable put into words.

CSV columns are read as text and converted later, where a bad value can be named with its row;
Parquet, Arrow and frames keep their types.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from tastemaker.data.problems import BadData, Problem, shown

BATCH = 250_000
"""Rows read at a time."""

SUFFIXES = (".parquet", ".csv", ".arrow")
"""Formats of a data folder, in the order they are looked for."""


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


def unreadable(file: str, what: str, fix: str, row: int | None = None, value: str = "") -> BadData:
    """The error for a file that cannot be read at all."""
    return BadData([Problem(file, "", row, value, 1, what, fix)])


def open_table(path: Path) -> Table:
    """Open a Parquet, CSV or Arrow file.

    Raises:
        BadData: If it is missing, empty, cut short, binary or ragged.
    """
    if not path.is_file():
        raise unreadable(str(path), "there is no such file", "Check the path.")
    if path.stat().st_size == 0:
        raise unreadable(str(path), "the file is empty (0 bytes)", "Export it again.")
    if path.suffix == ".csv":
        _refuse_binary(path)
        return scan_table(str(path), lambda: pl.scan_csv(path, infer_schema=False), path)
    if path.suffix == ".parquet":
        return scan_table(str(path), lambda: pl.scan_parquet(path), path)
    if path.suffix == ".arrow":
        return scan_table(str(path), lambda: pl.scan_ipc(path), path)
    fix = f"Use one of {', '.join(SUFFIXES)}."
    raise unreadable(str(path), f"files ending in {path.suffix!r} are not read", fix)


def scan_table(file: str, scan: Callable[[], pl.LazyFrame], path: Path | None = None) -> Table:
    """A table from a lazy scan; what the engine cannot read becomes a problem with its row."""

    def batches() -> Iterator[pl.DataFrame]:
        try:
            yield from scan().collect_batches(chunk_size=BATCH, maintain_order=True)
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
            raise _explain(file, path, error) from None

    try:
        schema = dict(scan().collect_schema())
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise _explain(file, path, error) from None
    return Table(file, schema, batches)


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


def _refuse_binary(path: Path) -> None:
    with path.open("rb") as source:
        head = source.read(1 << 16)
    if b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n")
        what = "the file holds NUL bytes: it is binary, not CSV"
        raise unreadable(str(path), what, "Export it as UTF-8 CSV or as Parquet.", max(line, 1))


def _explain(file: str, path: Path | None, error: Exception) -> BadData:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if path is not None and path.suffix == ".csv":
        return _explain_csv(path) or unreadable(file, f"the file is not CSV: {first}", "Mend it.")
    if path is not None:
        what = f"the file is cut short or is not {path.suffix[1:]}: {first}"
        return unreadable(file, what, "Export it again.")
    return unreadable(file, f"the table cannot be read: {first}", "Mend it.")


def _explain_csv(path: Path) -> BadData | None:
    """Find the line that the reader stumbled over; only read when it did."""
    with path.open("rb") as raw:
        for number, line in enumerate(raw):
            try:
                line.decode()
            except UnicodeDecodeError:
                what, fix = "the line is not UTF-8 text", "Export it as UTF-8."
                return unreadable(str(path), what, fix, max(number, 1), shown(line[:60]))
    with path.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        header = next(rows, [])
        for number, row in enumerate(rows, start=1):
            if row and len(row) != len(header):
                what = f"the row has {len(row)} fields, the header {len(header)}"
                fix = "Quote fields that hold commas, or export it again."
                return unreadable(str(path), what, fix, number, shown(",".join(row)))
    return None
