"""What every command shows alike: errors, foreign text made harmless, tables of intervals.

Text from data may hold anything, so control characters are made visible and markup is not read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tastemaker.errors import OutOfResources, TastemakerError


def plain(value: object) -> Text:
    """Text without markup, its control characters replaced by visible ones."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
    return Text(shown)


def verbs(summaries: Mapping[str, str], wrong: Sequence[str]) -> None:
    """The commands there are; `wrong` is what was asked for instead."""
    out = Console(stderr=bool(wrong), highlight=False)
    if wrong:
        out.print(plain(f"There is no command {' '.join(wrong[:2])!r}."))
    out.print("tastemaker: learn what people like from what they did.\n")
    table = Table.grid(padding=(0, 3))
    for name, summary in summaries.items():
        table.add_row(Text(f"tastemaker {name}", style="bold"), summary)
    out.print(table)
    out.print("\nEvery command has --help, --json and --debug.")


def error(fault: TastemakerError, as_json: bool) -> None:
    """One paragraph on standard error; with `--json` the fields on standard output."""
    if as_json:
        print(json.dumps(fault.fields, ensure_ascii=False))
    else:
        lines = [str(plain(line)) for line in str(fault).splitlines()]
        print("\n".join([f"Error: {lines[0]}", *lines[1:]]), file=sys.stderr)


def out_of_memory() -> TastemakerError:
    """The error for a computation that did not fit in memory."""
    fix = "Use a smaller batch or history, or a machine with more memory."
    return OutOfResources("The memory of this machine ran out.", "", fix)


def value_of(value: object) -> str:
    """A value of a description as a person would write it."""
    if isinstance(value, list):
        return " to ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def beside(
    out: Console, history: Sequence[str], items: Sequence[Mapping[str, Any]], user: str
) -> None:
    """What a user chose, newest first, beside what is recommended."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    if history:
        table.add_column(plain(f"User {user}, newest first"))
    table.add_column("Recommended")
    for at in range(max(len(items), min(len(history), 10))):
        left = [plain(history[at] if at < len(history) else "")] if history else []
        table.add_row(*left, plain(items[at]["title"] if at < len(items) else ""))
    out.print()
    out.print(table)
