"""Named data sets, folders and frames → Dataset, whatever public format they come in.

`load("movielens-small")` needs nothing else on the machine. Other names are looked for in the
folder that `TASTEMAKER_DATA` names; a path is read by the files it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemaker import files
from tastemaker.data import formats
from tastemaker.data.catalog import Catalog
from tastemaker.data.declaration import Declaration, read_declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import positives
from tastemaker.data.reading import read_interactions, write_dropped
from tastemaker.data.tables import SUFFIXES, Table, from_frame, open_table
from tastemaker.errors import BadInput

EMBEDDED = Path(__file__).parent / "embedded"

RATINGS = Declaration(events={"rating": "implicit_positive"}, duplicates="keep")
_VIEWS = Declaration(duplicates="keep")


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

    def positives(self) -> Interactions:
        """The log without events whose declared polarity is negative: what models learn from."""
        return positives(self.interactions, self.declared)

    def describe(self) -> dict[str, Any]:
        """Counts, spans and shares that a reader wants first."""
        log = self.interactions
        lengths, counts = log.lengths, np.bincount(log.items, minlength=log.num_items + 1)[1:]
        span = None
        if log.times is not None and log.num_events:
            ends = np.array([log.times.min(), log.times.max()], "datetime64[s]")
            span = [str(day) for day in ends.astype("datetime64[D]")]
        return {
            "name": self.name,
            "licence": self.declared.licence,
            "users": log.num_users,
            "items": log.num_items,
            "interactions": log.num_events,
            "density": log.num_events / max(1, log.num_users * log.num_items),
            "history_median": float(np.median(lengths)),
            "history_longest": int(lengths.max(initial=0)),
            "items_seen_once": int((counts == 1).sum()),
            "share_of_top_tenth": float(np.sort(counts)[::-1][: max(1, len(counts) // 10)].sum())
            / max(1, log.num_events),
            "from_to": span,
            "catalogue": len(self.catalog.frame),
            "bytes_per_interaction": round(log.bytes_per_event, 1),
            "sha256": log.sha256,
        }


def load(data: str | Path | Any = "movielens-small", *, bad_rows: Path | None = None) -> Dataset:
    """Read a named data set, a folder, a file or a frame, and check all of it.

    Args:
        data: A name of `names()`, a path, or a Polars, pandas or Arrow table.
        bad_rows: Leave bad rows out and write them to this file, instead of refusing the data.

    Raises:
        BadInput: If there is no such data set, or with every problem of its files.
    """
    if not isinstance(data, str | Path):
        return _read(from_frame(data), None, Declaration(name="frame"), bad_rows)
    files.refuse_unreadable(Path(data).expanduser())
    folder = _find(str(data))
    if folder.is_file():
        table, ordered, declared = _open(folder)
        return _read(table, None, replace(declared, name=folder.stem), bad_rows, ordered)
    log_file, items_file = _first(folder, _READERS), _first(folder, _CATALOGUES)
    if log_file is None:
        raise _no_log(folder)
    table, ordered, declared = _open(log_file)
    if (folder / "dataset.json").is_file() or declared.name == "own":
        declared = read_declaration(folder)
    items = _open(items_file)[0] if items_file else None
    declared = replace(declared, name=declared.name or folder.resolve().name)
    return _read(table, items, declared, bad_rows, ordered)


def names() -> dict[str, Path]:
    """Names that `load` knows on this machine, and where they lie."""
    found = {path.name: path for path in sorted(EMBEDDED.glob("*")) if path.is_dir()}
    outside = os.environ.get("TASTEMAKER_DATA")
    for path in sorted(Path(outside).iterdir()) if outside and Path(outside).is_dir() else []:
        if path.is_dir() and _first(path, _READERS):
            found.setdefault(path.name, path)
    return found


def _find(data: str) -> Path:
    known = names()
    if data in known:
        return known[data]
    path = Path(data).expanduser()
    if "\0" not in data and path.exists():
        return path
    raise BadInput(
        f"There is no data set or folder called {data!r}.",
        "--data",
        f"Known names: {', '.join(known)}. Or give a path, or set TASTEMAKER_DATA.",
    )


def _read(
    table: Table,
    items: Table | None,
    declared: Declaration,
    bad_rows: Path | None,
    ordered: bool = False,
) -> Dataset:
    catalog = Catalog.empty() if items is None else Catalog.from_table(items)
    known = None if items is None else catalog.frame["item_id"]
    drop = bad_rows is not None
    read = read_interactions(table, declared, known, drop=drop, ordered=ordered)
    if bad_rows is not None and len(read.dropped):
        write_dropped(bad_rows, read.dropped)
    return Dataset(declared.name, read.interactions, catalog, declared, table.file, read.dropped)


Reader = Callable[[Path], Table]

_READERS: dict[str, tuple[Reader, bool, Declaration]] = {
    **{f"interactions{s}": (open_table, False, Declaration(name="own")) for s in SUFFIXES},
    "ratings.csv": (formats.movielens_csv, False, RATINGS),
    "ratings.dat": (formats.movielens_dat, False, RATINGS),
    "*.inter": (formats.recbole, False, _VIEWS),
    "sequences.txt.gz": (formats.sequences, True, _VIEWS),
    "sequences.txt": (formats.sequences, True, _VIEWS),
    "Beauty.txt": (formats.sequences, True, _VIEWS),
}
"""File name → reader, whether it carries order only, and what its columns mean."""

_CATALOGUES = {
    **{f"items{suffix}": open_table for suffix in SUFFIXES},
    "movies.csv": formats.movielens_csv,
    "movies.dat": formats.movielens_dat,
    "*.item": formats.recbole,
}


def _open(path: Path) -> tuple[Table, bool, Declaration]:
    for pattern, (reader, ordered, declared) in _READERS.items():
        if path.match(pattern):
            return reader(path), ordered, declared
    for pattern, catalogue in _CATALOGUES.items():
        if path.match(pattern):
            return catalogue(path), False, Declaration()
    if path.suffix in (".txt", ".gz"):
        return formats.sequences(path), True, _VIEWS
    return open_table(path), False, Declaration()


def _first(folder: Path, patterns: Iterable[str]) -> Path | None:
    return next((path for pattern in patterns for path in sorted(folder.glob(pattern))), None)


def _no_log(folder: Path) -> BadInput:
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    return BadInput(
        f"The folder holds no interactions, only {held}.",
        str(folder),
        f"Put interactions.parquet or interactions.csv there (also read: {', '.join(_READERS)}).",
    )
