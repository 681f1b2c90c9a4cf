"""Reading a dump into a store: all of it or nothing, and nothing twice.

What the store has already stays as it is: events by their id, hidden items by theirs;
exposures are joined. Who was erased in either is erased in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.serve.adding import Appended, add
from tastemaker.serve.database import Database
from tastemaker.serve.erasure import erase_again, remember
from tastemaker.serve.events import Event, checked_id, rows_of, until_of
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import join_exposures, join_shown, join_splits
from tastemaker.serve.lines import KINDS, Line, damaged, read_lines
from tastemaker.serve.tables import hidden

_HELD = 1_000
"""Lines held at a time."""
_SHOWN = 5


@dataclass
class Restored:
    """What became of a dump."""

    events: Appended = Appended(0, 0)
    hidden: int = 0
    """items hidden that were not before"""
    removed: int = 0
    """events that were there, of users who were erased where the dump was made"""
    bad_lines: int = 0
    bad: list[str] = field(default_factory=list)
    """the first of them"""


def restore(database: Database, path: Path, *, drop: bool = False) -> Restored:
    """Add what a dump holds and the store has not.

    Args:
        database: That of the store.
        path: A file that `dump` wrote.
        drop: Leave damaged lines out, and a missing end, instead of refusing the file.

    Raises:
        ArtefactError: At the first damaged line; nothing was added.
        BadInput: If there is no such file.
        Unavailable: If the database is away; nothing was added.
        OutOfResources: If the disk is full; nothing was added.
    """
    with database.writing() as connection:
        return _Restoring(database, connection, path, drop).all()


@dataclass
class _Restoring:
    database: Database
    connection: Connection
    path: Path
    drop: bool
    done: Restored = field(default_factory=Restored)
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {k: [] for k in KINDS})
    until: dict[bytes, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def all(self) -> Restored:
        """Every line, then whether the end is that of a whole dump."""
        line = end = None
        for line in read_lines(self.path):
            if line.number == 1:
                continue
            if end is not None or line.kind in ("", "store"):
                self._refuse(line._replace(wrong=line.wrong or "a line that has no place here"))
            elif line.kind == "end":
                end = line
            else:
                self._take(line)
        self._flush()
        if self.until:
            self.done.removed = erase_again(self.connection, self.until)
        self._check_end(line, end)
        return self.done

    def _take(self, line: Line) -> None:
        try:
            row = _ROWS[line.kind](line.values)
        except (KeyError, TypeError, ValueError, BadInput) as error:
            self._refuse(line._replace(wrong=f"{line.kind}: {_why(error)}"))
            return
        self.read[line.kind] += 1
        held = self.waiting[line.kind]
        held.append(row)
        if len(held) >= _HELD:
            self._flush()

    def _flush(self) -> None:
        """Hand over what is held; erasures first, so that they bind the events that follow."""
        held, self.waiting = self.waiting, {kind: [] for kind in KINDS}
        in_time = sorted(held["erased"], key=lambda row: int(row["time"]))
        until = {row["user_hash"]: row["time"] for row in in_time}
        remember(self.database, self.connection, until)
        self.until |= until
        self.done.hidden += self.database.add_new(self.connection, hidden, held["hidden"])
        self.done.events += add(self.database, self.connection, held["event"])
        for kind, join in _JOINED.items():
            join(self.database, self.connection, held[kind])

    def _check_end(self, line: Line | None, end: Line | None) -> None:
        if end is not None and (end.values == self.read or self.done.bad_lines):
            return
        number = line.number if line else 0
        got = "the end of the file" if end is None else f"an end that counts {end.values}"
        self._refuse(Line(number, "", {}, got), end=True)

    def _refuse(self, line: Line, end: bool = False) -> None:
        fault = damaged(self.path, line, end)
        if not self.drop:
            raise fault
        self.done.bad_lines += 1
        if len(self.done.bad) < _SHOWN:
            self.done.bad.append(f"{fault.file}: {fault.got}")


def _why(error: Exception) -> str:
    if isinstance(error, BadData):
        first = error.problems[0]
        return f"{first.column} {first.value}: {first.what}"
    if isinstance(error, BadInput):
        return error.what
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _event(values: Mapping[str, Any]) -> dict[str, Any]:
    received = until_of(values["received"])
    ids = (values["event_id"], values["user_id"], values["item_id"])
    rest = (values.get(name) for name in ("value", "list_id", "rank"))
    one = Event(*ids, values["time"], values.get("kind", ""), *rest)
    (row,) = rows_of([one], received or 0)
    return row


def _erased(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"user_hash": _sha256(values["user_sha256"]), "time": until_of(values["until"]) or 0}


def _hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    item = checked_id(values["item_id"], "item_id")
    return {"item_id": item, "until": until_of(values.get("until"))}


def _sha256(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != 32:
        raise ValueError(f"{text[:80]!r} is no sha256")
    return digest


def _experiment(values: Mapping[str, Any]) -> dict[str, Any]:
    split = Experiment.of_text(values["name"], values["arms"])
    return {"name": split.name, "arms": split.text, "declared": until_of(values["declared"]) or 0}


def _exposure(values: Mapping[str, Any]) -> dict[str, Any]:
    texts = ("experiment", "user_id", "arm", "model", "version")
    row = {name: checked_id(values[name], name) for name in texts}
    times = {name: until_of(values[name]) or 0 for name in ("first_time", "last_time")}
    known, answers = values["known"], values["answers"]
    if not isinstance(known, bool) or type(answers) is not int or not 0 < answers < 2**63:
        raise ValueError(f"known {known!r:.80}, answers {answers!r:.80}")
    return {**row, **times, "known": known, "answers": answers}


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: checked_id(values[name], name) for name in ("user_id", "experiment", "item_id")}
    return {**row, "first_time": until_of(values["first_time"]) or 0}


_JOINED = {"experiment": join_splits, "exposure": join_exposures, "shown": join_shown}
"""Kind of line → what joins its rows with those there."""
_ROWS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "erased": _erased,
    "hidden": _hidden,
    "event": _event,
    "experiment": _experiment,
    "exposure": _exposure,
    "shown": _shown,
}
"""Kind of line → the row that it says."""
