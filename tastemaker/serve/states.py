"""What a model keeps of each user, in the store: the states of `recommend.user_states`, erasable.

They are a cache of one model, layout and precision: those of others stand beside them, are not
mixed up with them, and are let go of by `drop_others`. A dump leaves them out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select

from tastemaker.recommend.user_states import Precision, UserState, packed, unpacked
from tastemaker.serve.database import Database
from tastemaker.serve.erasure import chunks, erased_until
from tastemaker.serve.events import seconds
from tastemaker.serve.tables import user_states

_COLUMNS = ("end", "end_time", "times", "prefix", "numbers", "sha256")


class StoredStates:
    """States by user id, of one model.

    Args:
        database: That of the store.
        identity: What decides states, such as `persrec_memory.identity_of(model)`: JSON values.
        precision: Of the numbers kept.
    """

    def __init__(
        self, database: Database, identity: Mapping[str, object], precision: Precision
    ) -> None:
        whole = json.dumps({"precision": precision, **identity}, sort_keys=True)
        self.database, self.precision = database, precision
        self.model = hashlib.sha256(whole.encode()).hexdigest()

    def __len__(self) -> int:
        """Users of whom something is kept."""
        asked = select(func.count()).where(user_states.c.model == self.model)
        with self.database.reading() as connection:
            return connection.execute(asked).scalar_one()

    def get(self, user: str) -> UserState | None:
        """What is kept of a user; None where nothing is, or what is there is damaged."""
        asked = select(*(user_states.c[name] for name in _COLUMNS)).where(
            user_states.c.model == self.model, user_states.c.user_id == user
        )
        with self.database.reading() as connection:
            row = connection.execute(asked).first()
        return None if row is None else unpacked(tuple(row), self.precision)

    def put(self, states: Mapping[str, UserState]) -> None:
        """Keep states, in place of those before; all of them or none.

        Raises:
            Unavailable: If the database is away.
            OutOfResources: If the disk is full.
        """
        rows = [self._row(user, state) for user, state in states.items()]
        with self.database.writing() as connection:
            self.database.put(connection, user_states, rows)

    def keep(self, user: str, state: UserState, erased: float | None) -> bool:
        """Keep the state of a user, unless they were erased after the events that it is of.

        Args:
            user: Their id.
            state: What to keep.
            erased: Until when they were erased when their events were read, as `Store.erased` says;
                None: never.

        Returns:
            Whether it is kept.

        Raises:
            Unavailable: If the database is away.
            OutOfResources: If the disk is full.
        """
        with self.database.writing() as connection:  # who erases them now waits for this to end
            until = erased_until(connection, [user]).get(user)
            same = erased == (None if until is None else seconds(until))
            if same:
                self.database.put(connection, user_states, [self._row(user, state)])
        return same

    def _row(self, user: str, state: UserState) -> dict[str, Any]:
        values = zip(_COLUMNS, packed(state, self.precision), strict=True)
        return {"model": self.model, "user_id": user, **dict(values)}

    def erase(self, users: Sequence[str]) -> int:
        """Delete what is kept of users, and say of how many there was something."""
        gone = 0
        with self.database.writing() as connection:
            for some in chunks(users):
                mine = (user_states.c.model == self.model) & user_states.c.user_id.in_(some)
                gone += connection.execute(delete(user_states).where(mine)).rowcount
        self.database.forget_deleted()
        return gone

    def drop_others(self) -> int:
        """Let go of what other models keep, such as the one before; says of how many users."""
        others = delete(user_states).where(user_states.c.model != self.model)
        with self.database.writing() as connection:
            return connection.execute(others).rowcount
