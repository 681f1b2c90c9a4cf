"""A file of rows with named columns → Table, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tastemaker.data.delimited import delimited
from tastemaker.data.json_lines import json_lines
from tastemaker.data.problems import shown
from tastemaker.data.tables import Table, columnar_file, unreadable

_OPENERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": columnar_file,
    ".arrow": columnar_file,
    ".feather": columnar_file,
    ".csv": delimited,
    ".tsv": delimited,
    ".csv.gz": delimited,
    ".tsv.gz": delimited,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".jsonl.gz": json_lines,
    ".ndjson.gz": json_lines,
}

SUFFIXES = tuple(_OPENERS)
"""Endings of the files that `open_table` reads."""


def suffix_of(path: Path) -> str:
    """The ending that says how a file is written, in small letters: `.csv.gz` is one."""
    name = path.name.lower()
    inner, _, last = name.rpartition(".")
    if last == "gz" and "." in inner:
        return f".{inner.rpartition('.')[2]}.gz"
    return f".{last}" if inner else ""


def open_table(path: Path, read: Sequence[str] = SUFFIXES) -> Table:
    """Open a table by the ending of its name.

    Args:
        path: The file.
        read: Endings that may stand there, for the message where its own is none of these.

    Raises:
        BadData: If it is missing, empty, cut short, binary, ragged, or of an unknown ending.
    """
    if not path.is_file():
        raise unreadable(str(path), "there is no such file", "Check the path.")
    suffix = suffix_of(path)
    if suffix not in _OPENERS:
        what = f"files ending in {shown(suffix)} are not read"
        if not suffix:
            what = "the name has no ending, which says how a file is written"
        raise unreadable(str(path), what, f"Read are files ending in {', '.join(read)}.")
    if path.stat().st_size == 0:
        raise unreadable(str(path), "the file is empty (0 bytes)", "Export it again.")
    return _OPENERS[suffix](path)
