"""Files of ids that a command is given: one a line, or a column of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tastemaker import files
from tastemaker.counts import by_count, counted
from tastemaker.errors import BadInput

if TYPE_CHECKING:
    from tastemaker.run.shelf import Shelf

_NAMED = 10
"""Lines that a message names."""


@dataclass(frozen=True)
class Ids:
    """The ids of a file and where each stands."""

    file: str
    ids: tuple[str, ...]
    lines: tuple[int, ...]
    """line of each id, from 1"""

    def refuse(self, unknown: Iterable[str], thing: str, but: str) -> None:
        """Refuse the file if it has some of the ids `unknown`.

        Args:
            unknown: Ids that cannot be meant.
            thing: What an id of this file is, such as `listed item`.
            but: What those are, such as `unknown to this run`.

        Raises:
            BadInput: Naming lines and values of the first of them, and how many there are.
        """
        bad = set(unknown)
        where = [(line, i) for line, i in zip(self.lines, self.ids, strict=True) if i in bad]
        if not where:
            return
        some = ", ".join(f"line {line:,} {value!r}" for line, value in where[:_NAMED])
        more = f" and {len(where) - _NAMED:,} more" if len(where) > _NAMED else ""
        fix = "Use ids as they are written in the data, or remove these lines."
        are = f"{counted(len(where), thing)} {by_count(len(where), 'is', 'are')}"
        raise BadInput(f"{are} {but}: {some}{more}.", self.file, fix)


def read_ids(file: str, column: str) -> Ids:
    """Ids of a text file.

    Either one a line, quotes around a whole line taken off, or a table separated by commas,
    semicolons or tabs whose first line names `column`. Blank lines say nothing, and neither do a
    byte order mark and the kind of line ends.

    Raises:
        BadInput: If the file cannot be read or holds no id.
    """
    text = _text(Path(file))
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((s for s in ",;\t" if column in _cells(first, s)), None)
    if separator is None and first.strip() != column:
        pairs = [(n, _bare(line)) for n, line in enumerate(text.splitlines(), start=1)]
    else:
        pairs = _column(file, text, column, separator or ",")
    written = [(line, value) for line, value in pairs if value]
    if not written:
        raise BadInput("The file holds no ids.", file, f"Write one a line, or leave {file} out.")
    lines, ids = zip(*written, strict=True)
    return Ids(file, ids, lines)


@dataclass(frozen=True)
class ItemLists:
    """The files of --allow and --deny; None: not given."""

    allow: Ids | None
    deny: Ids | None

    @classmethod
    def read(cls, allow: str, deny: str) -> ItemLists:
        """Both files, before a large run is opened; empty: not given.

        Raises:
            BadInput: If one cannot be read or holds no id.
        """
        given = [read_ids(file, "item_id") if file else None for file in (allow, deny)]
        return cls(*given)

    def known(self, shelf: Shelf) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """Allowed and denied ids as `Wishes` takes them.

        Raises:
            BadInput: If the run's data have no such item.
        """
        for ids in filter(None, (self.allow, self.deny)):
            ids.refuse(shelf.unknown(ids.ids), "listed item", "unknown to this run")
        return self.allow.ids if self.allow else None, self.deny.ids if self.deny else ()


def _text(path: Path) -> str:
    files.refuse_unreadable(path)
    fix = "Give a text file of ids, one a line."
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadInput(f"The list cannot be read: {error}.", str(path), fix) from None
    if "\0" in text:
        raise BadInput("The file is binary, not text.", str(path), fix)
    return text


def _cells(line: str, separator: str) -> Sequence[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _bare(line: str) -> str:
    line = line.strip()
    quoted = len(line) > 1 and line[0] == line[-1] == '"'
    return line[1:-1].replace('""', '"').strip() if quoted else line


def _column(file: str, text: str, column: str, separator: str) -> list[tuple[int, str]]:
    """(line, value) of one column of a table, its header left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    place, pairs, begins = -1, [], 1
    try:
        for row in reader:
            if row and place < 0:
                place = [cell.strip() for cell in row].index(column)
            elif row and len(row) > place:
                pairs.append((begins, row[place].strip()))
            elif row:
                what = f"The row has {counted(len(row), 'cell')}, fewer than the header."
                raise BadInput(what, f"{file}, line {begins:,}", "Export the file again.")
            begins = reader.line_num + 1
    except csv.Error as error:
        what = f"The table cannot be read: {error}."
        raise BadInput(what, f"{file}, line {begins:,}", "Export the file again.") from None
    return pairs
