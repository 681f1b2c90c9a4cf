"""Erasing users: what the store knows of them goes, and what is told again does not come back.

What is left is the sha256 of the user's id and a time: events up to it are refused from then on,
whether a client tells them again or an old dump is restored. Later events are a new history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, delete, func, select, union

from tastemaker.serve.database import Database
from tastemaker.serve.tables import erased, events, exposures, shown, user_states

T = TypeVar("T")
CHUNK = 500
"""Values of one question: databases bound how many they take."""


@dataclass(frozen=True)
class Erased:
    """What was removed of a user."""

    events: int
    states: int


def hash_of(user: str) -> bytes:
    """What stays behind of the id of an erased user."""
    return hashlib.sha256(user.encode()).digest()


def erase(database: Database, connection: Connection, user: str, now: int) -> Erased:
    """Remove what there is of a user, and remember until when, in microseconds since 1970."""
    mine = events.c.user_id == user
    newest = connection.execute(select(func.max(events.c.time)).where(mine)).scalar_one()
    # Clocks of clients may run fast: what is there now is gone for good all the same.
    remember(database, connection, {hash_of(user): max(now, newest or 0)})
    gone = connection.execute(delete(events).where(mine)).rowcount
    for table in (exposures, shown):
        connection.execute(delete(table).where(table.c.user_id == user))
    states = delete(user_states).where(user_states.c.user_id == user)
    return Erased(gone, connection.execute(states).rowcount)


def erased_until(connection: Connection, users: Iterable[str]) -> dict[str, int]:
    """Those of the users who were erased, and until when, in microseconds since 1970."""
    by_hash = {hash_of(user): user for user in users}
    until: dict[str, int] = {}
    for some in chunks(list(by_hash)):
        asked = select(erased.c.user_hash, erased.c.time).where(erased.c.user_hash.in_(some))
        until |= {by_hash[found]: time for found, time in connection.execute(asked)}
    return until


def remember(database: Database, connection: Connection, until: Mapping[bytes, int]) -> None:
    """Keep that users were erased; of two times of one user the later one counts."""
    held: dict[bytes, int] = {}
    for some in chunks(list(until)):
        asked = select(erased.c.user_hash, erased.c.time).where(erased.c.user_hash.in_(some))
        held |= {row.user_hash: row.time for row in connection.execute(asked)}
    later = {one: time for one, time in until.items() if time > held.get(one, -1)}
    rows = [{"user_hash": one, "time": time} for one, time in later.items()]
    database.put(connection, erased, rows)


def erase_again(connection: Connection, until: Mapping[bytes, int]) -> int:
    """Remove what is from before users were erased elsewhere; says how many events."""
    gone = 0
    named = union(*(select(table.c.user_id) for table in (events, exposures, shown)))
    for user in connection.execute(named).scalars().all():
        time = until.get(hash_of(user))
        if time is not None:
            old = delete(events).where(events.c.user_id == user, events.c.time <= time)
            gone += connection.execute(old).rowcount
            for table in (exposures, shown):
                mine = (table.c.user_id == user) & (table.c.first_time <= time)
                connection.execute(delete(table).where(mine))
            states = delete(user_states).where(user_states.c.user_id == user)
            connection.execute(states)
    return gone


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in parts that fit into one question."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
