"""Users of the store: who was told of last, and whose id begins with a text.

Both are bounded whatever the store holds: the first reads so many of the newest events, the second
jumps along the index of events by user from one id to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, literal, select

from tastemaker.serve.database import Database
from tastemaker.serve.events import SHOWN, checked_id, seconds
from tastemaker.serve.tables import events

READ = 5_000
"""Newest events among which active users are looked for."""
JUMPS = 200
"""Ids that are looked at for a beginning; a database that sorts as people do has others between."""


@dataclass(frozen=True)
class Active:
    """A user of whom something was told lately."""

    user: str
    time: float
    """of their newest event among those, seconds since 1970"""
    events: int
    """of theirs among the newest that were told"""


@dataclass(frozen=True)
class People:
    """The users of a store.

    Args:
        database: That of the store.
    """

    database: Database

    def newest(self, k: int, offset: int = 0) -> list[Active]:
        """The k users of whom something was told last, the last one first.

        Args:
            k: Number of users.
            offset: Users passed over before the first, such as those of earlier pages.

        Raises:
            Unavailable: If the database is away.
        """
        newest = (
            select(events.c.user_id, events.c.time, events.c.number, events.c.kind)
            .order_by(events.c.number.desc())
            .limit(READ)
            .subquery()
        )
        asked = (
            select(newest.c.user_id, func.max(newest.c.time), func.count())
            .where(newest.c.kind != SHOWN)
            .group_by(newest.c.user_id)
            .order_by(func.max(newest.c.number).desc())
            .limit(k)
            .offset(offset)
        )
        with self.database.reading() as connection:
            rows = connection.execute(asked).all()
        return [Active(user, seconds(time), count) for user, time, count in rows]

    def beginning(self, text: str, k: int) -> list[str]:
        """At most k users whose id begins with a text, in the order of the database.

        Raises:
            BadInput: If no id can begin so.
            Unavailable: If the database is away.
        """
        text = checked_id(text, "q") if text else ""
        least = func.min(events.c.user_id)
        first = select(least.label("user"), literal(1).label("step")).where(
            events.c.user_id >= text
        )
        ids = first.cte("ids", recursive=True)
        after = select(least).where(events.c.user_id > ids.c.user).scalar_subquery()
        more = select(after, ids.c.step + 1).where(ids.c.user.is_not(None), ids.c.step < JUMPS)
        asked = select(ids.union_all(more).c.user)
        found: list[str] = []
        with self.database.reading() as connection:
            for user in connection.execute(asked).scalars():
                if user is None or len(found) == k:
                    break
                if user.startswith(text):
                    found.append(user)
                elif self.database.embedded:  # which sorts by letters: no other begins so
                    break
        return found
