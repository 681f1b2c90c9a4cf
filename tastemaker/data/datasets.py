"""Named data sets, folders and frames → Dataset, whatever public format they come in.

`load("movielens-small")` needs nothing else on the machine. Other names are looked for in the
folder that `TASTEMAKER_DATA` names; a path is read by the files it holds.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tastemaker import files
from tastemaker.data.catalog import Catalog
from tastemaker.data.declaration import Declaration, read_declaration
from tastemaker.data.describe import checked, described
from tastemaker.data.doubts import doubts, nothing_shared
from tastemaker.data.folders import find_items, find_log, holds_log
from tastemaker.data.header import missed
from tastemaker.data.interactions import Interactions
from tastemaker.data.logs import Log, open_log, open_split
from tastemaker.data.polarity import positives, refused
from tastemaker.data.reading import read_interactions, write_dropped
from tastemaker.data.tables import Table, from_frame, unreadable
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import check_data

EMBEDDED = Path(__file__).parent / "embedded"


@dataclass(frozen=True)
class Dataset:
    """A log with its catalogue and what is declared about it."""

    name: str
    interactions: Interactions
    catalog: Catalog
    declared: Declaration
    source: str
    """where it was read from."""
    dropped: pl.DataFrame
    """bad rows left out, with reasons; empty unless dropping was asked for."""
    warnings: tuple[str, ...] = ()
    """what is not wrong but should be known before a number of this log is believed."""

    def positives(self) -> Interactions:
        """The log without events whose declared polarity is negative: what models learn from.

        Raises:
            BadInput: If no event is positive.
        """
        return positives(self.interactions, self.declared)

    def refused(self) -> Interactions:
        """What each user explicitly refused, by their newest word: such items are not offered."""
        return refused(self.interactions, self.declared)

    def describe(self) -> JsonObject:
        """Counts, spans and shares that a reader wants first, and what of it is learnt."""
        return described(self.name, self.interactions, self.catalog, self.declared)

    def check(self) -> JsonObject:
        """What `data check` says: the log, what is learnt of it and why not the rest, doubts."""
        log, catalog, declared = self.interactions, self.catalog, self.declared
        return checked(self.name, log, catalog, declared, self.dropped, list(self.warnings))


def load(data: str | Path | Any = "movielens-small", *, bad_rows: Path | None = None) -> Dataset:
    """Read a named data set, a folder, a file or a frame, and check all of it.

    Args:
        data: A name of `names()`, a path, or a Polars, pandas or Arrow table.
        bad_rows: Leave bad rows out and write them to this file, instead of refusing the data.

    Raises:
        BadInput: If there is no such data set, or with every problem of its files.
    """
    return _read(*opened(data), bad_rows)


def opened(data: str | Path | Any) -> tuple[Log, Table | None]:
    """The log of what `load` takes, not read yet, and its catalogue if it has one.

    Raises:
        BadInput: If there is no such data set.
    """
    check_data(data)
    if not isinstance(data, str | Path):
        return Log(from_frame(data), Declaration(name="frame")), None
    files.refuse_unreadable(Path(data).expanduser())
    path = place_of(str(data))
    if path.is_file():
        log = open_log(path)
        named = replace(log.declared, name=path.name.partition(".")[0])
        return replace(log, declared=named), None
    file = find_log(path)
    log = open_split(file) if isinstance(file, dict) else open_log(file)
    declared = log.declared
    if (path / "dataset.json").is_file():
        declared = read_declaration(path)
    declared = replace(declared, name=declared.name or path.resolve().name)
    return replace(log, declared=declared), find_items(path)


def names() -> dict[str, Path]:
    """Names that `load` knows on this machine, and where they lie."""
    known = {path.name: path for path in sorted(EMBEDDED.iterdir()) if path.is_dir()}
    outside = os.environ.get("TASTEMAKER_DATA")
    for path in sorted(Path(outside).iterdir()) if outside and Path(outside).is_dir() else []:
        if path.is_dir() and path.name not in known and holds_log(path):
            known[path.name] = path
    return known


def place_of(data: str) -> Path:
    """The folder of a name, or the path; only the folder of that name is looked into.

    Raises:
        BadInput: If there is no such data set.
    """
    if data and "\0" not in data:
        outside = os.environ.get("TASTEMAKER_DATA")
        named = data == Path(data).name and data != ".."
        if named and (EMBEDDED / data).is_dir():
            return EMBEDDED / data
        if named and outside and Path(outside, data).is_dir() and holds_log(Path(outside, data)):
            return Path(outside, data)
        if Path(data).expanduser().exists():
            return Path(data).expanduser()
    raise BadInput(
        f"There is no data set, folder or file called {data!r}.",
        "--data",
        f"Known names: {', '.join(names())}. Or give a path, or set TASTEMAKER_DATA.",
    )


def _read(log: Log, items: Table | None, bad_rows: Path | None) -> Dataset:
    catalog = Catalog.empty()
    if items is not None:
        folder = str(Path(items.file).absolute().parent)
        catalog = replace(Catalog.from_table(items), folder=folder)
    known = None if items is None else catalog.frame["item_id"]
    drop = bad_rows is not None
    with log.joined.naming_files() if log.joined else nullcontext():
        read = read_interactions(log.table, log.declared, known, drop=drop, ordered=log.ordered)
    if log.ordered and (apart := nothing_shared(read.interactions)):
        fix = "Write one line a user, `user item item …`, with items that users share."
        raise unreadable(log.table.file, f"the lines are no sequences. {apart}", fix)
    dropped = read.dropped
    if log.joined and len(dropped):
        dropped = log.joined.place_rows(dropped)
    if bad_rows is not None and len(dropped):
        write_dropped(bad_rows, dropped)
    return Dataset(
        log.declared.name,
        read.interactions,
        catalog,
        log.declared,
        log.table.file,
        dropped,
        doubts(
            read.interactions,
            catalog,
            log.declared,
            lines=log.unordered,
            meant=missed(log.table, log.declared),
        ),
    )
