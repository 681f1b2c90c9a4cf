"""Lists of many users, written to a file as they are made: Parquet, CSV or JSON lines.

The file appears whole or not at all, and no more than a part of it is ever held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from tastemaker import files
from tastemaker.data.spreadsheet import inert
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.run.saved import SavedRun
from tastemaker.run.wishes import Id, Wishes, id_of

Tables = Iterator[pl.DataFrame]

ROWS = 100_000
"""Rows written at a time, at least."""


def write_all(
    saved: SavedRun, users: Iterable[Id] | None, to: Path, wishes: Wishes, model: str = ""
) -> JsonObject:
    """Answer many users and write the table of `SavedRun.recommend_all`.

    Args:
        saved: The run.
        users: User ids; None: everybody in the data.
        to: File to write, replaced where there is one; its ending says the format.
        wishes: The same for all users.
        model: A model of the run; empty: the one it recommends with.

    Returns:
        to, model, users, unknown (users whom the data does not have), empty (users to whom
        nothing could be recommended), short (others who got fewer items than asked for), rows,
        remarks.

    Raises:
        BadInput: If a wish or the file's name cannot be meant; before anything is written.
        OutOfResources: If the file does not fit on the disk; the one that was there is intact.
    """
    refuse_place(to, saved.path)
    given = saved.interactions.user_ids.to_list() if users is None else map(id_of, users)
    ids = list(dict.fromkeys(given))
    lengths: list[int] = []
    tables = saved.answer_all(ids, wishes, model)
    with files.replaced(to) as partial:
        _WRITERS[to.suffix.lower()](partial, _joined(_counted(tables, lengths)))
    return {
        "to": str(to),
        "model": saved.ranking(wishes, model),
        "users": len(ids),
        "unknown": sum(user not in saved.interactions.user_codes for user in ids),
        "empty": len(ids) - len(lengths),
        "short": sum(length < wishes.k for length in lengths),
        "rows": sum(lengths),
        "remarks": saved.shelf.remarks(wishes),
    }


def refuse_place(to: Path, run: Path) -> None:
    """Refuse a file that cannot be written as a table, or that lies inside the run.

    Raises:
        BadInput: With the endings there are.
    """
    if to.suffix.lower() not in _WRITERS:
        what = f"Files ending in {to.suffix!r} are not written."
        raise BadInput(what, "--to", f"Use one of {', '.join(_WRITERS)}.")
    if not to.parent.is_dir():
        raise BadInput("There is no such folder.", str(to.parent), "Make it, or give another.")
    if to.is_dir():
        raise BadInput("This is a folder.", str(to), "Give a file's name.")
    if run.resolve() in to.resolve().parents:
        fix = "Write it elsewhere: files of a run are sealed."
        raise BadInput("The file would lie in the run's own folder.", str(to), fix)


def _counted(tables: Tables, lengths: list[int]) -> Tables:
    """The same tables; the rows of each user in them are appended to `lengths`."""
    for table in tables:
        lengths += table.group_by("user_id", maintain_order=True).len()["len"].to_list()
        yield table


def _joined(tables: Tables) -> Tables:
    """The same rows in fewer tables."""
    held: list[pl.DataFrame] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= ROWS:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)


def _parquet(path: Path, tables: Tables) -> None:
    first = next(tables).to_arrow()
    with pq.ParquetWriter(path, first.schema) as out:
        out.write_table(first)
        for table in tables:
            out.write_table(table.to_arrow())


def _csv(path: Path, tables: Tables) -> None:
    first = next(tables)
    with path.open("wb") as out:
        first.clear().write_csv(out)
        for table in chain([first], tables):
            inert(table).write_csv(out, include_header=False)


def _jsonl(path: Path, tables: Tables) -> None:
    with path.open("wb") as out:
        for table in tables:
            table.write_ndjson(out)


_WRITERS: dict[str, Callable[[Path, Tables], None]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
