"""A JSON file that holds rows as a list of objects → text columns.

The list is the whole file, or the only list in an object such as `{"data": […]}`. Numbers become
text as in CSV, so that ids stay what they are (row 1 is the first object).
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import polars as pl

from tastemaker.data.lines import open_bytes
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import Table, from_frame, unreadable

MAX_BYTES = 2**28
"""Such a file is read as a whole; a larger one is to be written as lines."""
_FIX = 'Write [{"user_id": "a", …}, …], or one object a line in a file that ends in .jsonl.'


def json_list(path: Path) -> Table:
    """Open a file with a list of objects; keys may be missing in some of them.

    Raises:
        BadData: If it is none, is empty or too large.
    """
    entries = _entries(path)
    rows: list[dict[str, str | None]] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            what = f"the entry is a {type(entry).__name__}, not an object"
            raise unreadable(str(path), what, _FIX, number, shown(entry))
        rows.append({key: _text(value) for key, value in entry.items()})
    names = list(dict.fromkeys(key for row in rows for key in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    try:
        frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    except UnicodeEncodeError:
        raise _half_characters(path, rows) from None
    return from_frame(frame, str(path))


def _half_characters(path: Path, rows: list[dict[str, str | None]]) -> BadData:
    """Where an escape stands for half of a character: the first row that has one."""
    for number, row in enumerate(rows, start=1):
        for name, value in row.items():
            if any("\ud800" <= char <= "\udfff" for char in f"{name}{value}"):
                what, fix = "an escape stands for half of a character", "Export it as UTF-8."
                return BadData([Problem(str(path), name, number, shown(value), 1, what, fix)])
    return unreadable(str(path), "a value is no text", "Export it as UTF-8.")


def _entries(path: Path) -> list[object]:
    try:
        with open_bytes(path) as source:
            raw = source.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), f"the file cannot be read: {error}", "Mend it.") from None
    if len(raw) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES / 2**20:,.0f} MB"
        raise unreadable(str(path), what, "Write one object a line in a file that ends in .jsonl.")
    if not raw.strip():
        raise unreadable(str(path), "the file is empty", "Export it again.")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(path), f"the file is not JSON: {error}", _FIX) from None
    lists = [inner for inner in value.values() if isinstance(inner, list)] if _is(value) else []
    entries = lists[0] if len(lists) == 1 else value
    if not isinstance(entries, list):
        raise _no_list(path, len(lists))
    if not entries:
        raise unreadable(str(path), "the list is empty", "Give at least one row.")
    return entries


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _no_list(path: Path, lists: int) -> BadData:
    what = (
        f"the file holds {lists} lists, and only one can be meant"
        if lists
        else ("the file holds no list of rows")
    )
    return unreadable(str(path), what, _FIX)


def _text(value: object) -> str | None:
    """A value as CSV would hold it."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
