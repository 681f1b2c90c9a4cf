"""tastemaker store: the server's events as JSON lines, between databases."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Positional


@dataclass(frozen=True)
class DumpOptions:
    """Write the store to a file."""

    url: Positional
    """path of a SQLite store, or postgresql+psycopg://user@host/name"""
    to: str = ""
    """file of JSON lines to write; one that is there is replaced once the new one is whole"""

    def __post_init__(self) -> None:
        """Refuse to write nowhere."""
        _refuse_no_file(self.to, "--to")


@dataclass(frozen=True)
class RestoreOptions:
    """Read a file into the store."""

    url: Positional
    """path of a SQLite store, or postgresql+psycopg://user@host/name; made where there is none"""
    source: Annotated[str, tyro.conf.arg(name="from")] = ""
    """file of JSON lines that `store dump` wrote"""
    on_bad_lines: Literal["error", "drop"] = "error"
    """refuse a file with damaged lines and add nothing, or leave them out and say how many"""

    def __post_init__(self) -> None:
        """Refuse to read nothing."""
        _refuse_no_file(self.source, "--from")


def store_dump(options: DumpOptions) -> JsonObject:
    """Write events, exposures, what is hidden and who was erased as JSON lines."""
    from tastemaker.models.extras import extra

    with extra("serve"):
        from tastemaker.serve.dump import dump
        from tastemaker.serve.store import Store

    with Store.open(options.url, create=False) as store:
        counts = dump(store.database, Path(options.to))
    return {"to": options.to, **counts}


def store_restore(options: RestoreOptions) -> JsonObject:
    """Add what a dump holds and the store has not; all of it or nothing."""
    from tastemaker.models.extras import extra

    with extra("serve"):
        from tastemaker.serve.restore import restore
        from tastemaker.serve.store import Store

    with Store.open(options.url) as store:
        drop = options.on_bad_lines == "drop"
        done = restore(store.database, Path(options.source), drop=drop)
    return {"from": options.source, **asdict(done)}


def show_dumped(answer: JsonObject) -> None:
    """How much was written, and where."""
    hidden = counted(answer["hidden"], "hidden item")
    gone = counted(answer["erased"], "erased user")
    events = counted(answer["event"], "event")
    if answer["exposure"]:
        events += f", {counted(answer['exposure'], 'exposure')}"
    screen().print(plain(f"{events}, {hidden}, {gone}: {answer['to']}"), soft_wrap=True)


def show_restored(answer: JsonObject) -> None:
    """How much was added, and how much was not, and why."""
    out, events = screen(), answer["events"]
    lines = [
        f"{counted(events['new'], 'event')} added, {events['duplicate']:,} were there already."
    ]
    if events["erased"] or answer["removed"]:
        gone = counted(events["erased"] + answer["removed"], "event")
        lines.append(f"{gone} of users who were erased since: left out or removed.")
    if answer["hidden"]:
        lines.append(f"{counted(answer['hidden'], 'hidden item')} added.")
    if answer["bad_lines"]:
        lines.append(f"{counted(answer['bad_lines'], 'damaged line')} left out, such as:")
        lines += [f"  {one}" for one in answer["bad"]]
    for line in lines:
        out.print(plain(line), soft_wrap=True)


def _refuse_no_file(name: str, option: str) -> None:
    if not name or "\0" in name:
        raise BadInput("No file is given.", option, f"Give {option} FILE.jsonl.")


VERBS: dict[str, Verb | Later] = {
    "store dump": Verb(store_dump, DumpOptions, show_dumped),
    "store restore": Verb(store_restore, RestoreOptions, show_restored),
}
