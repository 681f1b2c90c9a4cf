"""tastemaker data: what can be read, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tastemaker.commands.terminal import plain, value_of
from tastemaker.commands.verbs import Later, Nothing, Verb
from tastemaker.options import Positional


@dataclass(frozen=True)
class DataOptions:
    """List, check or describe data."""

    data: Positional = "movielens-small"
    """name of a data set, a data folder, or a file"""
    on_bad_rows: Literal["error", "drop"] = "error"
    """refuse bad rows, or leave them out and write them to bad-rows.csv"""


def data_list(options: Nothing) -> dict[str, Any]:
    """Data sets known by name on this machine."""
    from tastemaker.data.datasets import names

    return {"data": list(names())}


def data_check(options: DataOptions) -> dict[str, Any]:
    """Read a data set and check every row of it."""
    from pathlib import Path

    from tastemaker.data.datasets import load

    path = Path("bad-rows.csv") if options.on_bad_rows == "drop" else None
    found = load(options.data, bad_rows=path)
    return found.check() | {"dropped_to": str(path) if len(found.dropped) else None}


def data_describe(options: DataOptions) -> dict[str, Any]:
    """Counts, spans and shares of a data set."""
    from tastemaker.data.datasets import load

    return load(options.data).describe()


def show_names(found: Mapping[str, Any]) -> None:
    """One name a line."""
    for name in found["data"]:
        print(name)


def show_checked(found: Mapping[str, Any]) -> None:
    """One sentence: all is well, or how much was dropped."""
    out = Console(highlight=False)
    out.print(plain(f"{found['name']}: {found['interactions']:,} interactions can be used."))
    if found["dropped"]:
        out.print(plain(f"{found['dropped']:,} bad rows were left out: {found['dropped_to']}"))


def show_description(found: Mapping[str, Any]) -> None:
    """Key and value, one a line."""
    table = Table.grid(padding=(0, 3))
    for key, value in found.items():
        table.add_row(Text(key.replace("_", " "), style="dim"), plain(value_of(value)))
    Console(highlight=False).print(table)


VERBS: dict[str, Verb | Later] = {
    "data list": Verb(data_list, Nothing, show_names),
    "data check": Verb(data_check, DataOptions, show_checked),
    "data describe": Verb(data_describe, DataOptions, show_description),
}
