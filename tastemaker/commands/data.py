"""tastemaker data: what can be read, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from tastemaker.commands.terminal import plain, screen, value_of
from tastemaker.commands.verbs import Later, Nothing, Verb
from tastemaker.counts import by_count, counted
from tastemaker.files import JsonObject
from tastemaker.options import Positional

if TYPE_CHECKING:
    from tastemaker.data.datasets import Dataset


@dataclass(frozen=True)
class DataOptions:
    """List, check or describe data."""

    data: Positional = "movielens-small"
    """name of a data set, a data folder, or a file"""
    on_bad_rows: Literal["error", "drop"] = "error"
    """refuse bad rows, or leave them out and write them to bad-rows.csv"""


def data_list(options: Nothing) -> JsonObject:
    """Data sets known by name on this machine."""
    from tastemaker.data.datasets import names

    return {"data": list(names())}


def data_check(options: DataOptions) -> JsonObject:
    """Read a data set and check every row of it."""
    dataset, to = _loaded(options)
    return dataset.check() | {"dropped_to": to}


def data_describe(options: DataOptions) -> JsonObject:
    """Counts, spans and shares of a data set."""
    return _loaded(options)[0].describe()


def _loaded(options: DataOptions) -> tuple[Dataset, str | None]:
    """A data set, and the file that bad rows of it were written to."""
    from tastemaker.data.datasets import load

    path = Path("bad-rows.csv") if options.on_bad_rows == "drop" else None
    dataset = load(options.data, bad_rows=path)
    return dataset, str(path) if len(dataset.dropped) else None


def show_names(answer: JsonObject) -> None:
    """One name a line."""
    for name in answer["data"]:
        print(plain(name))


def show_checked(checked: JsonObject) -> None:
    """How much can be used, what is learnt of it, what is not and why, and what is doubtful."""
    out = screen()
    for line in [_size(checked), *_learnt(checked), *_left_out(checked)]:
        out.print(plain(line), soft_wrap=True)
    if checked.get("events"):
        out.print(_events(checked["events"]))
    for warning in checked.get("warnings") or ():
        out.print(Text("! ", style="bold yellow") + plain(warning), soft_wrap=True)


def _size(checked: JsonObject) -> str:
    whose = [
        counted(checked[f"{thing}s"], thing)
        for thing in ("user", "item")
        if checked.get(f"{thing}s")
    ]
    span = f", {value_of(checked['from_to'])}" if checked.get("from_to") else ""
    of = f" of {' and '.join(whose)}" if whose else ""
    events = counted(checked["interactions"], "interaction")
    return f"{checked['name']}: {events}{of} can be used{span}."


def _learnt(checked: JsonObject) -> list[str]:
    """Sentences about what models learn from."""
    lines = []
    if checked.get("learnt") is not None:
        lines.append(f"{_are(checked['learnt'])} learnt from.")
    lines += [
        f"{_are(reason['count'])} not: {reason['why']}."
        for reason in checked.get("not_learnt") or ()
    ]
    if checked.get("repeats"):
        choose = by_count(checked["repeats"], "chooses", "choose")
        lines.append(f"{checked['repeats']:,} {choose} an item again (--repeats recommends such).")
    if checked.get("outside_catalogue"):
        lines.append(f"{_are(checked['outside_catalogue'], 'item')} not in the catalogue.")
    return lines


def _are(number: int, thing: str = "") -> str:
    """The number, what is counted where it needs saying, and `is` or `are`."""
    things = counted(number, thing) if thing else f"{number:,}"
    return f"{things} {by_count(number, 'is', 'are')}"


def _left_out(checked: JsonObject) -> list[str]:
    """Sentences about rows that were dropped."""
    if not checked.get("dropped"):
        return []
    to = f": {checked['dropped_to']}" if checked.get("dropped_to") else "."
    reasons = [
        f"  {reason['count']:,}: {reason['why']}." for reason in checked.get("dropped_why") or ()
    ]
    were = by_count(checked["dropped"], "was", "were")
    return [f"{counted(checked['dropped'], 'bad row')} {were} left out{to}", *reasons]


def _events(events: Sequence[JsonObject]) -> Table:
    """A row a kind of event: what it says, how many there are and how many are learnt."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("event")
    table.add_column("says")
    for name in ("events", "learnt"):
        table.add_column(name, justify="right")
    for row in events:
        role = plain(str(row["role"]).replace("_", " "))
        table.add_row(plain(row["event"]), role, f"{row['count']:,}", f"{row['learnt']:,}")
    return table


def show_description(description: JsonObject) -> None:
    """Key and value, one a line."""
    table = Table.grid(padding=(0, 3))
    for key, value in description.items():
        table.add_row(plain(key.replace("_", " "), style="dim"), plain(value_of(value)))
    screen().print(table)


VERBS: dict[str, Verb | Later] = {
    "data list": Verb(data_list, Nothing, show_names),
    "data check": Verb(data_check, DataOptions, show_checked),
    "data describe": Verb(data_describe, DataOptions, show_description),
}
