"""A dump: the store as lines of JSON, one thing a line, whole only with its last line.

The first line says what the file is and the last how much is in it, so that a file that was cut
short is told from a whole one. Between them stand who was erased, what is hidden, events in the
order in which they came, and experiments with what was shown in them. Caches are left out: they are
made anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import refuse_unreadable, shortened

FORMAT = 1
KINDS = ("erased", "hidden", "event", "experiment", "exposure", "shown")
"""What a line may hold, in the order in which they stand."""
LONGEST = 2**16
"""Bytes of a line; the longest ids, escaped, take less."""


class Line(NamedTuple):
    """One thing of a dump, or why the line holds none."""

    number: int
    kind: str
    """one of `KINDS`, `store` for the first line, `end` for the last; empty: the line is damaged"""
    values: dict[str, Any]
    wrong: str = ""


def line_of(kind: str, values: dict[str, object]) -> str:
    """A line of a dump; what is None or empty is left out."""
    held = {name: value for name, value in values.items() if value not in (None, "")}
    return json.dumps({kind: held}, ensure_ascii=False, allow_nan=False) + "\n"


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a dump, damaged ones too; the first is checked.

    Raises:
        BadInput: If there is no file.
        ArtefactError: If it is no dump, or one of another format.
    """
    refuse_unreadable(path)
    if not path.is_file():
        raise BadInput("There is no such file.", str(path), "Give a file that `store dump` wrote.")
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LONGEST):
            number += 1
            whole = raw.endswith(b"\n")
            line = _read(number, raw) if whole else Line(number, "", {}, "a line that is cut short")
            while (
                not whole and len(raw) == LONGEST
            ):  # pass over the rest of what is no line of ours
                raw = file.readline(LONGEST)
                whole = raw.endswith(b"\n")
            if number == 1 and (line.kind != "store" or line.values.get("format") != FORMAT):
                got = repr(shortened(raw.decode(errors="replace").strip(), 80))
                raise damaged(path, Line(1, "", {}, got))
            yield line


def _read(number: int, raw: bytes) -> Line:
    try:
        value = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Line(number, "", {}, "a line that is not JSON")
    if isinstance(value, dict) and len(value) == 1:
        ((kind, values),) = value.items()
        if kind in ("store", "end", *KINDS) and isinstance(values, dict):
            return Line(number, kind, values)
    return Line(number, "", {}, repr(shortened(raw.decode(errors="replace").strip(), 80)))


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def damaged(path: Path, line: Line, end: bool = False) -> ArtefactError:
    """The error of a line, with its place."""
    want = "the line that ends a dump" if end else f"one of {', '.join(KINDS)}"
    want = "the first line of a dump" if line.number == 1 else want
    fix = "Take another copy, or leave such lines out with --on-bad-lines drop."
    return ArtefactError(f"{path}:{line.number}", "Line is damaged", want, line.wrong, fix)
