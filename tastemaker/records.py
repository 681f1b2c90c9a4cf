"""Records: a file of JSON objects, a line each, that a kill leaves with whole lines only.

A line is whole once its line break is on the disk. What a killed writer left after the last break
is left out on reading and taken back before the next record, so no reader sees half of one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from tastemaker.errors import ArtefactError
from tastemaker.files import resources, shortened, sync, write_text

_BLOCK = 2**16
"""Bytes read at a time, from the end, to find the last line break."""


def append(path: Path, record: Mapping[str, object]) -> None:
    """Add a record at the end, and wait until it is on the disk.

    Args:
        path: The file; made where there is none.
        record: A JSON object.

    Raises:
        ValueError: If it holds NaN or infinity; nothing is written then.
        OutOfResources: If the disk is full or may not be written.
    """
    raw = (json.dumps(record, allow_nan=False) + "\n").encode()
    fresh = not path.exists()
    with resources(path, len(raw)):
        with path.open("ab+") as file:
            file.truncate(_whole(file))
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync(path.parent)


def read(path: Path) -> list[dict[str, object]]:
    """Every whole record, oldest first; none where there is no file.

    Raises:
        ArtefactError: If a whole line is not a JSON object: the file was changed.
    """
    return [_record(path, number, line) for number, line in enumerate(_lines(path), 1)]


def keep(path: Path, count: int) -> None:
    """Take back all but the first `count` records, at once or not at all."""
    write_text(path, "".join(f"{line.decode()}\n" for line in _lines(path)[:count]))


def _lines(path: Path) -> list[bytes]:
    """The lines that end in a line break."""
    return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []


def _record(path: Path, number: int, line: bytes) -> dict[str, object]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        what, got = f"Line {number} is damaged", shortened(line.decode(errors="replace"), 80)
        fix = "Remove this line, or restore the file from a copy."
        raise ArtefactError(str(path), what, "a JSON object", repr(got), fix)
    return record


def _whole(file: BinaryIO) -> int:
    """Bytes up to the last line break of an open file."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        place = file.read(end - start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0
