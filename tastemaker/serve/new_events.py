"""New events as `Interactions`: the rows of the store through the door that every log goes through.

Who learns from them keeps the number of the last event, and reads on from there. Rows that the door
refuses, such as events that are not declared, are left out and come back with their reasons: one
client's nonsense must not keep everybody's events from being learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, func, select

from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.problems import BadData
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import Table
from tastemaker.serve.database import Database
from tastemaker.serve.events import SHOWN
from tastemaker.serve.tables import events

_BATCH = 50_000
"""Rows held at a time."""


@dataclass(frozen=True)
class NewEvents:
    """What happened since somebody read last."""

    interactions: Interactions | None
    """the log of the new events alone; None: there is none that can be used"""
    last: int
    """number to read on from; of this database (`Store.identity`) only"""
    dropped: pl.DataFrame
    """rows left out, with `row` (the event's number), `reason`, `value`"""


def new_events(
    database: Database,
    declared: Declaration,
    since: int = 0,
    kinds: Sequence[str] | None = None,
    catalog_ids: pl.Series | None = None,
) -> NewEvents:
    """Read the events after number `since`.

    Events of the unnamed kind are of the only kind declared, or of `view`, as in a log without an
    event column. Two events that are equal but for their id both count.

    Args:
        database: That of the store.
        declared: What kinds and values mean; its unit of time does not matter.
        since: Number of the last event known; 0: read all.
        kinds: Kinds wanted; None: all but `shown`.
        catalog_ids: Item ids of the catalogue; those of events should be spelt as there.
    """
    with database.reading() as connection:
        last = connection.execute(select(func.max(events.c.number))).scalar_one() or 0
        unwanted = events.c.kind == SHOWN
        wanted = ~unwanted if kinds is None else events.c.kind.in_(kinds)
        asked = select(*_READ).where(events.c.number > since, wanted).order_by(events.c.number)
        rows = _Rows(connection, asked, declared)
        table = Table(database.where, rows.schema, rows.batches)
        # A unit other than seconds would have early times doubted; these are times of the store.
        meant = replace(declared, duplicates="keep", time_unit="s")
        try:
            read = read_interactions(table, meant, catalog_ids, drop=True)
        except BadData as error:  # no row, or none that can be used
            told = [(found.row, found.what, found.value) for found in error.problems if found.row]
            dropped = pl.DataFrame(told, schema=_DROPPED, orient="row")
            return NewEvents(None, max(last, since), rows.numbered(dropped))
    return NewEvents(read.interactions, max(last, since), rows.numbered(read.dropped))


_READ = (
    events.c.number,
    events.c.user_id,
    events.c.item_id,
    events.c.time,
    events.c.kind,
    events.c.value,
)
_DROPPED = {"row": pl.Int64, "reason": pl.String, "value": pl.String}


class _Rows:
    """Rows of the store as the door reads those of a file, and their numbers."""

    def __init__(
        self, connection: Connection, asked: Select[*tuple[Any, ...]], declared: Declaration
    ) -> None:
        self._connection, self._asked = connection, asked
        self._unnamed = declared.only_event or ""
        self._value = declared.value.column if declared.value else None
        self._numbers: list[pl.Series] = []
        self.schema: dict[str, pl.DataType] = {
            "user_id": pl.String(),
            "item_id": pl.String(),
            "timestamp": pl.Datetime("us"),
            "event": pl.String(),
        }
        if self._value:
            self.schema[self._value] = pl.Float64()

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows, in the order of their numbers."""
        self._numbers.clear()
        asked = self._connection.execution_options(yield_per=_BATCH).execute(self._asked)
        with asked as result:
            for part in result.partitions():
                yield self._frame(list(zip(*part, strict=True)))

    def _frame(self, columns: Sequence[Sequence[Any]]) -> pl.DataFrame:
        """Columns of `_READ` as the door reads them."""
        numbers, users, items, times, kinds, values = columns
        self._numbers.append(pl.Series(numbers, dtype=pl.Int64))
        named = [kind or self._unnamed for kind in kinds]
        moments = pl.Series(times, dtype=pl.Int64)
        read: tuple[Sequence[Any] | pl.Series, ...] = (users, items, moments, named, values)
        pairs = zip(self.schema.items(), read, strict=False)  # values only where they are declared
        return pl.DataFrame([pl.Series(name, one).cast(kind) for (name, kind), one in pairs])

    def numbered(self, dropped: pl.DataFrame) -> pl.DataFrame:
        """Rows that were left out, by the number of the event in place of the row."""
        if not len(dropped):
            return dropped
        numbers = pl.concat(self._numbers)
        return dropped.with_columns(row=numbers.gather(dropped["row"] - 1))
