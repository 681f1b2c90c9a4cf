"""Adding events: each id once, nothing of before its user was erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tastemaker.serve.database import Database
from tastemaker.serve.erasure import erased_until
from tastemaker.serve.tables import events


@dataclass(frozen=True)
class Appended:
    """What became of a batch."""

    new: int
    """events that were added"""
    duplicate: int
    """events whose id was there already, or stood in the batch before"""
    erased: int = 0
    """events from before their user was erased, which are not kept"""

    def __add__(self, other: Appended) -> Appended:
        """Of two batches together."""
        both = (self.new + other.new, self.duplicate + other.duplicate)
        return Appended(*both, self.erased + other.erased)


def add(database: Database, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Appended:
    """Add rows of `events.rows_of`, in a transaction that the caller ends."""
    until = erased_until(connection, {row["user_id"] for row in rows})
    kept = [row for row in rows if row["time"] > until.get(row["user_id"], -1)]
    new = database.add_new(connection, events, kept)
    return Appended(new, len(kept) - new, len(rows) - len(kept))
