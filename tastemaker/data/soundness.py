"""Whether a saved log is one: types, ids, bounds and order, checked as whole columns.

A log that was damaged, or made by somebody else, must not send an index outside of an array; 1e7
events take tens of milliseconds, beside reading them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tastemaker.data.arrow import array_of
from tastemaker.errors import ArtefactError

_FIX = "Restore the folder from a copy, or make it again."
_TYPES = {
    "item": pa.int32(),
    "time": pa.int64(),
    "event": pa.uint8(),
    "value": pa.float32(),
    "part": pa.uint8(),
}
_CHUNK = 1 << 20


def open_ids(path: Path, column: str) -> pl.Series:
    """The ids of a vocabulary: texts, each one once.

    Raises:
        ArtefactError: If the file cannot be read, or ids are missing, repeated or no texts.
    """
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        refuse(path, "File cannot be read", "a Parquet file", str(error))
    if column not in frame.columns:
        refuse(path, "A column is missing", column, ", ".join(frame.columns) or "none")
    refuse_unsound_ids(path, frame[column])
    return frame[column]


def refuse_unsound_ids(path: Path, ids: pl.Series) -> None:
    """Refuse ids that are no texts, missing or repeated.

    Raises:
        ArtefactError: With the file.
    """
    if ids.dtype != pl.String or ids.null_count():
        refuse(path, f"Column {ids.name} is damaged", "texts, none missing", str(ids.dtype))
    if ids.n_unique() != len(ids):
        twin = ids.filter(ids.is_duplicated())[0]
        refuse(path, "An id stands for two", "every id once", f"{twin!r:.80} again")


def refuse_unsound(folder: Path, events: pa.Table, users: pa.Table, num_items: int) -> None:
    """Refuse a log whose files do not fit one another.

    Args:
        folder: Where the log was saved.
        events: `events.arrow`.
        users: `histories.arrow`.
        num_items: I, the length of the vocabulary.

    Raises:
        ArtefactError: With the file, and what is wrong there.
    """
    path = folder / "events.arrow"
    unknown = set(events.column_names) - _TYPES.keys()
    if unknown:
        refuse(path, "A column is not known", f"some of {', '.join(_TYPES)}", min(unknown))
    for name in {"item", *events.column_names}:
        _typed(path, events, name, _TYPES[name])
    names = (events.schema.metadata or {}).get(b"event_names", b"view").split(b"\x1f")
    _within(path, events, "item", 1, num_items)
    if "event" in events.column_names:
        _within(path, events, "event", 0, len(names) - 1)
    path = folder / "histories.arrow"
    _typed(path, users, "user_id", None)
    _typed(path, users, "end", pa.int64())
    ends = array_of(users.column("end"))
    starts = np.concatenate([[0], ends[:-1]])
    if (ends < starts).any() or (ends[-1] if len(ends) else 0) != events.num_rows:
        want = f"rising to {events.num_rows:,}"
        refuse(path, "Histories do not part the events", want, f"{ends[:3]} … {ends[-3:]}")
    refuse_unsound_ids(path, pl.Series("user_id", users.column("user_id").combine_chunks()))
    path, parts = folder / "events.arrow", np.zeros(0, np.uint8)
    if "part" in events.column_names:
        _within(path, events, "part", 0, 2)
        parts = array_of(events.column("part"))
        _in_order(path, "part", parts, ends)
    if "time" in events.column_names:
        # A ready-made split is in order of time within each part of a history.
        breaks = 1 + np.flatnonzero(np.diff(parts))
        _in_order(path, "time", array_of(events.column("time")), np.union1d(ends, breaks))


def _typed(path: Path, table: pa.Table, name: str, kind: pa.DataType | None) -> None:
    """Refuse a column that is missing, has missing values, or is of another type."""
    if name not in table.column_names:
        refuse(path, "A column is missing", name, ", ".join(table.column_names) or "none")
    column = table.column(name)
    if column.null_count:
        refuse(path, f"Column {name} is damaged", "no missing value", f"{column.null_count:,}")
    if kind is not None and column.type != kind:
        refuse(path, f"Column {name} has another type", str(kind), str(column.type))


def _within(path: Path, table: pa.Table, name: str, least: int, most: int) -> None:
    """Refuse a column with a number out of range."""
    for chunk in table.column(name).chunks:
        values = array_of(chunk)
        if len(values) and not (least <= values.min() and values.max() <= most):
            got = f"{values.min():,} to {values.max():,}"
            refuse(path, f"Column {name} is out of range", f"{least:,} to {most:,}", got)


def _in_order(
    path: Path, name: str, column: npt.NDArray[np.integer], ends: npt.NDArray[np.int64]
) -> None:
    """Refuse a column that falls within a history; it may where one ends."""
    for start in range(0, len(column) - 1, _CHUNK):
        chunk = column[start : start + _CHUNK + 1]
        falls = start + 1 + np.flatnonzero(chunk[1:] < chunk[:-1])
        inside = falls[ends[np.searchsorted(ends, falls)] != falls]
        if len(inside):
            got = f"a lower one at row {inside[0]:,}"
            refuse(path, f"Column {name} is not in order", "rising within each history", got)


def refuse(path: Path, what: str, want: str, got: str) -> NoReturn:
    """Refuse a file that was damaged, or is not what it should be.

    Raises:
        ArtefactError: Always.
    """
    raise ArtefactError(str(path), what, want, got, _FIX)
