"""The store: every event that was acknowledged, what is hidden, and who was erased.

An event is told with an id of its own: told again, it is not added again. What was shown to whom is
an event too, of the kind `shown`; it is kept, and is nobody's history. Erasing a user removes what
the store knows of them; their old events do not come back when somebody tells them again or
restores an old dump, while what they do later is somebody's new history.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    delete,
    func,
    or_,
    select,
    true,
)

from tastemaker.closing import Closing
from tastemaker.data.declaration import Declaration
from tastemaker.errors import BadInput
from tastemaker.serve.adding import Appended
from tastemaker.serve.database import Database
from tastemaker.serve.erasure import Erased, erase, erased_until, hash_of
from tastemaker.serve.events import (
    SHOWN,
    Event,
    checked_id,
    event_of,
    microseconds,
    rows_of,
    seconds,
    until_of,
)
from tastemaker.serve.group_commit import GroupCommit
from tastemaker.serve.new_events import NewEvents, new_events
from tastemaker.serve.people import People
from tastemaker.serve.tables import about, erased, events, hidden

if TYPE_CHECKING:
    from tastemaker.recommend.user_states import Precision
    from tastemaker.serve.states import StoredStates


class Store(Closing):
    """Events of users, in one database; threads may share it.

    Args:
        database: Open, with its tables.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._together = GroupCommit(database)

    @classmethod
    def open(cls, url: str | Path, *, create: bool = True) -> Self:
        """Open the store at a URL; its tables are made or migrated.

        Args:
            url: The path of a SQLite file, or `postgresql+psycopg://user@host/name`.
            create: Make it where there is none; else that is an error.

        Raises:
            BadInput: If the URL is none, or there is no store and none is to be made.
            Unavailable: If the database does not answer.
            OutOfResources: If it may not be written.
            ArtefactError: If the file is damaged, or of a newer version.
        """
        return cls(Database.open(url, create=create))

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    @property
    def identity(self) -> str:
        """What only this database is called: numbers of events are its own."""
        with self.database.reading() as connection:
            asked = select(about.c.value).where(about.c.name == "identity")
            return str(connection.execute(asked).scalar_one())

    def __len__(self) -> int:
        """Events there are."""
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(events)).scalar_one()

    def append(self, batch: Sequence[Event]) -> Appended:
        """Add events; once this returns they are on the disk, all of the batch or none.

        Raises:
            BadData: If one of them cannot be kept; all problems are named, none is added.
            Unavailable: If the database is away; telling the batch again adds nothing twice.
            OutOfResources: If the disk is full.
        """
        rows = rows_of(batch, microseconds(time.time()))
        if not rows:
            return Appended(0, 0)
        return self._together.add(rows)

    def history(self, user: str, newest: int, kinds: Sequence[str] | None = None) -> list[Event]:
        """The newest events of a user, oldest first; events of one time as they were told.

        Args:
            user: id of the user; somebody unknown has no events.
            newest: Most events.
            kinds: Kinds wanted; None: all but `shown`.

        Raises:
            BadInput: If `newest` is no number of events.
            Unavailable: If the database is away.
        """
        if isinstance(newest, bool) or not 0 <= newest < 2**31:
            raise BadInput(
                f"newest = {newest!r} is no number of events.", "newest", "Give 0 to 2³¹."
            )
        asked = _HISTORY.where(_wanted(kinds))
        with self.database.reading() as connection:
            return _events(connection, asked, user, newest)

    def told(self, user: str, newest: int) -> tuple[list[Event], float | None]:
        """The newest events of a user, as `history`; and until when they were erased, if they were.

        What every request asks, so it is one question to the database, made once.

        Raises:
            BadInput: If the id is none.
            Unavailable: If the database is away.
        """
        held = {"user": checked_id(user, "user_id"), "newest": newest, "user_hash": hash_of(user)}
        with self.database.reading() as connection:
            rows = connection.execute(_TOLD, held).mappings().all()
        until = rows[0]["until"]
        found = [event_of(row) for row in reversed(rows) if row["number"] is not None]
        return found, None if until is None else seconds(until)

    def interactions(
        self, declared: Declaration, since: int = 0, kinds: Sequence[str] | None = None
    ) -> NewEvents:
        """Events after number `since`, as a log to learn from; see `new_events.new_events`.

        Args:
            declared: What kinds and values mean, such as that of a run.
            since: `NewEvents.last` of the last time; 0: read all.
            kinds: Kinds wanted; None: all but `shown`.

        Raises:
            Unavailable: If the database is away.
        """
        return new_events(self.database, declared, since, kinds)

    @property
    def people(self) -> People:
        """The users of whom something was told."""
        return People(self.database)

    def states(self, identity: Mapping[str, object], precision: Precision) -> StoredStates:
        """What a model keeps of each user; see `states.StoredStates`."""
        from tastemaker.serve.states import StoredStates

        return StoredStates(self.database, identity, precision)

    def erase(self, user: str) -> Erased:
        """Remove every event of a user and everything kept of them, for good.

        Raises:
            Unavailable: If the database is away.
        """
        checked_id(user, "user_id")
        with self.database.writing() as connection:
            removed = erase(self.database, connection, user, microseconds(time.time()))
        self.database.forget_deleted()
        return removed

    def erased(self, users: Iterable[str]) -> dict[str, float]:
        """Those of the users who were erased, and until when, in seconds since 1970.

        For who has learnt from their events elsewhere, such as a model that is trained anew.
        """
        with self.database.reading() as connection:
            until = erased_until(connection, users)
        return {user: seconds(time) for user, time in until.items()}

    def hide(self, item: str, until: float | None = None) -> None:
        """Offer an item to nobody.

        Args:
            item: id of the item; it need not be known.
            until: Seconds since 1970; None: for good.

        Raises:
            BadInput: If the id or the time is none.
        """
        row = {"item_id": checked_id(item, "item_id"), "until": until_of(until)}
        with self.database.writing() as connection:
            self.database.put(connection, hidden, [row])

    def unhide(self, item: str) -> bool:
        """Offer an item again; says whether it was hidden."""
        gone = delete(hidden).where(hidden.c.item_id == checked_id(item, "item_id"))
        with self.database.writing() as connection:
            return connection.execute(gone).rowcount > 0

    def hidden_until(self, item: str) -> float | None:
        """Until when an item is hidden, in seconds since 1970; None: it is offered.

        Infinity stands for good.
        """
        asked = select(hidden.c.until).where(hidden.c.item_id == checked_id(item, "item_id"))
        with self.database.reading() as connection:
            row = connection.execute(asked).first()
        if row is None or (row.until is not None and row.until <= microseconds(time.time())):
            return None
        return math.inf if row.until is None else seconds(row.until)

    def hidden(self, now: float | None = None) -> frozenset[str]:
        """Items that are not to be offered at a time (seconds since 1970; None: now)."""
        moment = microseconds(time.time() if now is None else now)
        asked = select(hidden.c.item_id).where(
            or_(hidden.c.until.is_(None), hidden.c.until > moment)
        )
        with self.database.reading() as connection:
            return frozenset(connection.execute(asked).scalars())


_HISTORY = (
    select(events)
    .where(events.c.user_id == bindparam("user"))
    .order_by(events.c.time.desc(), events.c.number.desc())
    .limit(bindparam("newest", type_=Integer))
)
_MINE = _HISTORY.where(events.c.kind != SHOWN).subquery()
_UNTIL = (
    select(func.max(erased.c.time).label("until"))
    .where(erased.c.user_hash == bindparam("user_hash"))
    .subquery()
)
_TOLD = (
    select(_UNTIL.c.until, _MINE)
    .select_from(_UNTIL.outerjoin(_MINE, true()))
    .order_by(_MINE.c.time.desc(), _MINE.c.number.desc())
)
"""Until when a user was erased, which may be never, beside each event; without any, beside none."""


def _events(connection: Connection, asked: Select[Any], user: str, newest: int) -> list[Event]:
    """Oldest first, what a statement finds newest first."""
    held = {"user": checked_id(user, "user_id"), "newest": newest}
    rows = connection.execute(asked, held).mappings().all()
    return [event_of(row) for row in reversed(rows)]


def beside_run(run: Path) -> str:
    """Path of the store of a run that is served without another one."""
    whole = run.resolve()
    return str(whole.with_name(f"{whole.name}.store.sqlite"))


def _wanted(kinds: Sequence[str] | None) -> ColumnElement[bool]:
    """Events of some kinds; of all but what was shown."""
    return events.c.kind != SHOWN if kinds is None else events.c.kind.in_(kinds)
