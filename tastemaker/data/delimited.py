"""CSV and its relatives → text columns: commas, semicolons, tabs or bars; plain or gzipped.

The separator is the one that cuts the header into most fields. A line without any field filled is
blank: it is passed over and still counts as a row, so that rows are found where an editor shows
them (row 1 is the first below the header).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import polars as pl

from tastemaker.counts import counted
from tastemaker.data.column_names import is_known
from tastemaker.data.lines import byte_blocks, line_blocks, refuse_long_lines
from tastemaker.data.problems import BadData, shown
from tastemaker.data.tables import Table, scan_table, unreadable

SEPARATORS = (",", ";", "\t", "|")
_VALUE = re.compile(r"^\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|\d{4}-\d{2}-\d{2}.*)\s*$")
_HEAD = 1 << 16


def delimited(path: Path) -> Table:
    """Open a CSV file, or one of its relatives.

    Raises:
        BadData: If it is binary, ragged, has no header, or has a line without end.
    """
    head = _head(path)
    _refuse_binary(path, head)
    header, separator = _header(path, head)
    _refuse_values(path, header)
    return _text_table(path, separator, '"')


def tab_separated(path: Path) -> Table:
    """Open a file whose fields stand between tabs and never in quotes."""
    _refuse_binary(path, _head(path))
    return _text_table(path, "\t", None)


def _text_table(path: Path, separator: str, quote: str | None) -> Table:
    def explain(said: str) -> BadData:
        what = f"the file is not CSV: {said}"
        found = _explain(path, separator, quote)
        return found or unreadable(str(path), what, "Export it again.")

    def scan(source: Path | bytes) -> pl.LazyFrame:
        return pl.scan_csv(
            source, separator=separator, quote_char=quote, infer_schema=False, glob=False
        )

    if path.suffix.lower() != ".gz":
        refuse_long_lines(path)
        return replace(scan_table(str(path), lambda: scan(path), explain), text=True)
    return _zipped(path, scan, explain, quoted=quote is not None)


def _zipped(
    path: Path,
    scan: Callable[[bytes], pl.LazyFrame],
    explain: Callable[[str], BadData],
    quoted: bool,
) -> Table:
    """Unzip block by block: the whole of it need not fit into memory or onto the disk."""

    def batches() -> Iterator[pl.DataFrame]:
        blocks = byte_blocks(path, quoted)
        first = next(blocks).lstrip(b"\r\n")
        header = first[: first.find(b"\n") + 1] or first
        try:
            for block in chain([first[len(header) :]], blocks):
                if block:
                    yield scan(header + block).collect()
        except pl.exceptions.PolarsError as error:
            raise explain(str(error).strip().split("\n")[0]) from None

    first = next(byte_blocks(path, quoted), b"").lstrip(b"\r\n")
    schema = scan_table(str(path), lambda: scan(first), explain).schema
    return Table(str(path), schema, batches, text=True)


def _head(path: Path) -> bytes:
    """The first bytes, through the last whole line among them."""
    if path.suffix.lower() == ".gz":
        block = next(byte_blocks(path), b"")[:_HEAD]
    else:
        with path.open("rb") as source:
            block = source.read(_HEAD)
    end = block.rfind(b"\n")
    return block if end < 0 else block[: end + 1]


def _header(path: Path, head: bytes) -> tuple[list[str], str]:
    """Names of the columns, and the separator that cuts them apart."""
    text = head.decode("utf-8-sig", errors="replace").lstrip("\r\n")
    if not text.strip():
        raise unreadable(str(path), "the file has no header: it is blank", "Export it again.")
    cut = {sep: next(csv.reader(io.StringIO(text), delimiter=sep), []) for sep in SEPARATORS}
    separator = max(SEPARATORS, key=lambda sep: len(cut[sep]))
    return cut[separator], separator


def _refuse_values(path: Path, header: list[str]) -> None:
    """Refuse a first line of values."""
    if any(_VALUE.match(name) for name in header) and not any(map(is_known, header)):
        what = "the file has no header: its first line holds values, not names of columns"
        fix = "Write a first line such as user_id,item_id,timestamp."
        raise unreadable(str(path), what, fix, None, shown(",".join(header)))


def _refuse_binary(path: Path, head: bytes) -> None:
    if b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n")
        what = "the file holds NUL bytes: it is binary, not CSV"
        raise unreadable(str(path), what, "Export it as UTF-8 CSV or as Parquet.", max(line, 1))


def _explain(path: Path, separator: str, quote: str | None) -> BadData | None:
    """Find the line that the reader stumbled over; only read when it did.

    Raises:
        BadData: If the file has a line that is no text.
    """
    lines = chain.from_iterable(line_blocks(path, header=True))
    rows = (
        csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
        if quote is None
        else csv.reader(lines, delimiter=separator)
    )
    try:
        header = next((row for row in rows if row), [])
        for number, row in enumerate(rows, start=1):
            if row and len(row) != len(header):
                what = f"the row has {counted(len(row), 'field')}, the header {len(header)}"
                fix = "Quote fields that hold the separator, or export it again."
                return unreadable(str(path), what, fix, number, shown(separator.join(row)))
    except csv.Error as error:
        what = f"the row is not CSV: {error}"
        return unreadable(str(path), what, "Export it again.", rows.line_num)
    return None
