"""What every command shows alike: progress, errors, foreign text made harmless, intervals.

Text from data may hold anything: it passes `plain`, and markup is not read.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tastemaker.errors import BadInput, OutOfResources, TastemakerError
from tastemaker.files import JsonObject, shortened
from tastemaker.inert import inert


class Screen(Console):
    """A console that reads no markup and takes a reader who has gone for the end."""

    def on_broken_pipe(self) -> None:
        """Let the command end as it does for every closed pipe."""
        raise BrokenPipeError


class _Line(logging.Formatter):
    """Minutes and seconds since the command began, and what is said."""

    def format(self, record: logging.LogRecord) -> str:
        minutes, seconds = divmod(int(record.relativeCreated / 1000), 60)
        return f"{minutes:3d}:{seconds:02d}  {plain(record.getMessage())}"


@contextmanager
def spoken() -> Iterator[None]:
    """While inside, what the package says as it works is a line each on standard error.

    Of several processes the first one speaks.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    said, line = logging.getLogger("tastemaker"), logging.StreamHandler(sys.stderr)
    line.setFormatter(_Line())
    level = said.level
    said.addHandler(line)
    said.setLevel(logging.INFO)
    try:
        yield
    finally:
        said.removeHandler(line)
        said.setLevel(level)


def screen(stderr: bool = False) -> Screen:
    """Where answers are shown; text stands there as it is, square brackets too."""
    return Screen(stderr=stderr, highlight=False, markup=False, emoji=False)


def plain(value: object, style: str = "") -> Text:
    """Text on one line that is shown as it stands and moves nothing."""
    return Text(inert(str(value)), style=style)


def verbs(summaries: Mapping[str, str]) -> None:
    """The commands there are."""
    out = screen()
    out.print("tastemaker: learn what people like from what they did.\n")
    table = Table.grid(padding=(0, 3))
    for name, summary in summaries.items():
        table.add_row(Text(f"tastemaker {name}", style="bold"), summary)
    out.print(table)
    out.print("\nEvery command has --help, --json and --debug; tastemaker --version.")


def json_line(value: object) -> str:
    """A JSON value on one line, in which what could act on a terminal is escaped.

    Raises:
        ValueError: If it holds NaN or infinity.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def error(fault: TastemakerError, as_json: bool) -> None:
    """One paragraph on standard error, or a line a problem; with `--json` fields on the output."""
    if as_json:
        try:
            print(json_line(fault.fields), flush=True)
            return
        except BrokenPipeError:
            raise
        except OSError:
            pass  # what cannot be written there is said on standard error
    lines = str(fault).splitlines() if "problems" in fault.fields else [str(fault)]
    print(
        "\n".join(f"{plain(line)}" for line in [f"Error: {lines[0]}", *lines[1:]]), file=sys.stderr
    )


def understood(error: Exception) -> TastemakerError | None:
    """A fault of the system as an error with its remedy; None for what must be a bug."""
    words = str(error).lower()
    if isinstance(error, MemoryError) or any(sign in words for sign in _NO_MEMORY):
        fix = "Use a smaller batch or history, or a machine with more memory."
        return OutOfResources("The memory of this machine ran out.", "", fix)
    if isinstance(error, OSError) and error.errno in _RESOURCES:
        fix = "Free space, or choose another place."
        return OutOfResources(f"The system refuses: {error.strerror}.", _place(error), fix)
    if isinstance(error, OSError) and error.filename is not None:
        fix = "Check the path and its permissions."
        return BadInput(f"The system refuses: {error.strerror}.", _place(error), fix)
    return None


_NO_MEMORY = ("not enough memory", "can't allocate memory", "cuda out of memory")
_RESOURCES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE)


def _place(error: OSError) -> str:
    return shortened(str(error.filename or ""))


def value_of(value: object) -> str:
    """A value of a description as a person would write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_of(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        texts = all(isinstance(element, str) for element in value)
        return " to ".join(value) if texts else "; ".join(map(value_of, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


_INTENT = 26
"""Most letters of what spoke for an item: titles beside it need the rest of 80."""


def beside(out: Screen, history: Sequence[str], items: Sequence[JsonObject], user: str) -> None:
    """What a user chose, newest first, beside what is recommended and, where known, what spoke."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    if history:
        table.add_column(plain(f"User {user}, newest first"))
    table.add_column("Recommended" if items else "")
    intents = [item.get("intent", "") for item in items]
    if any(intents):
        table.add_column("By", style="dim", no_wrap=True, max_width=_INTENT)
    for row in range(max(len(items), min(len(history), 10))):
        left = [plain(history[row] if row < len(history) else "")] if history else []
        right = [plain(items[row]["title"] if row < len(items) else "")]
        right += [plain(intents[row] if row < len(items) else "")] if any(intents) else []
        table.add_row(*left, *right)
    out.print()
    out.print(table)
