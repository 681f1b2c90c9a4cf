"""JSON lines → text columns: one object a line, plain or gzipped.

Numbers become text as in CSV, so that ids stay what they are and a bad value is named with its
row (row 1 is the first line; blank lines count and are passed over).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tastemaker.data.lines import byte_blocks
from tastemaker.data.problems import BadData, shown
from tastemaker.data.tables import Table, unreadable

_BLANK = re.compile(rb"^[ \t\r]*$", re.MULTILINE)


def json_lines(path: Path) -> Table:
    """Open a file of JSON objects, one a line; keys may be missing in some of them.

    Raises:
        BadData: If a line is no JSON object.
    """
    schema: dict[str, pl.DataType] = {}
    for block, row in _blocks(path):
        try:
            inferred = pl.read_ndjson(io.BytesIO(block), infer_schema_length=None).schema
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise _explain(path, block, row) from None
        for name, kind in inferred.items():
            listed = kind == pl.List(pl.String) and schema.get(name, kind) == kind
            schema[name] = pl.List(pl.String) if listed else pl.String()

    def batches() -> Iterator[pl.DataFrame]:
        for block, row in _blocks(path):
            try:
                yield pl.read_ndjson(io.BytesIO(block), schema=schema)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
                raise _explain(path, block, row) from None

    return Table(str(path), schema, batches, text=True)


def _blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Blocks of lines and the row before each; a blank line becomes an object without keys."""
    row = 0
    for block in byte_blocks(path):
        ended = block if block.endswith(b"\n") else block + b"\n"
        yield _BLANK.sub(b"{}", ended[:-1]), row
        row += ended.count(b"\n")


def _explain(path: Path, block: bytes, row: int) -> BadData:
    for number, line in enumerate(block.split(b"\n"), start=row + 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            what, fix = f"the line is not JSON: {error}", "Write one JSON object a line."
            return unreadable(str(path), what, fix, number, shown(line[:60].decode("latin-1")))
        if not isinstance(value, dict):
            what = f"the line holds a {type(value).__name__}, not an object"
            return unreadable(
                str(path), what, 'Write lines such as {"user_id": "a"}.', number, shown(value)
            )
    what = f"the lines after row {row:,} cannot be read as one table"
    return unreadable(str(path), what, "Give each key one type of value.")
