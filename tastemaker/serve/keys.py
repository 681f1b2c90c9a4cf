"""API keys: shown once when they are made, kept as a hash only, revoked by name.

A key is 256 random bits, so its sha256 cannot be turned back, and looking it up tells nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from tastemaker.errors import BadInput
from tastemaker.serve.database import Database
from tastemaker.serve.events import checked_id, microseconds
from tastemaker.serve.tables import keys

_PREFIX = "tm_"
"""So that a key that leaked is known for one."""


@dataclass(frozen=True)
class Keys:
    """The keys of a store."""

    database: Database

    def make(self, name: str) -> str:
        """A new key, which is told this once.

        Args:
            name: Who uses it; what it is revoked by.

        Raises:
            BadInput: If the name is none, or is that of a key that is not revoked.
        """
        checked_id(name, "name")
        key = _PREFIX + secrets.token_urlsafe(32)
        row = {"hash": _hash(key), "name": name, "made": microseconds(time.time())}
        with self.database.writing() as connection:
            valid = (keys.c.name == name) & keys.c.revoked.is_(None)
            if connection.execute(select(keys.c.name).where(valid)).first():
                fix = "Revoke it first, or choose another name."
                raise BadInput(f"There is a key called {name!r}.", "name", fix)
            connection.execute(insert(keys).values(row))
        return key

    def name_of(self, key: str) -> str | None:
        """Who a key is of; None: it is none, or was revoked."""
        asked = select(keys.c.name).where(keys.c.hash == _hash(key), keys.c.revoked.is_(None))
        with self.database.reading() as connection:
            return connection.execute(asked).scalar_one_or_none()

    def names(self) -> list[str]:
        """Names of the keys that are not revoked, in order."""
        asked = select(keys.c.name).where(keys.c.revoked.is_(None)).order_by(keys.c.name)
        with self.database.reading() as connection:
            return list(connection.execute(asked).scalars())

    def revoke(self, name: str) -> bool:
        """Let a key open nothing from now on; says whether there was one."""
        gone = update(keys).where(keys.c.name == name, keys.c.revoked.is_(None))
        with self.database.writing() as connection:
            done = connection.execute(gone.values(revoked=microseconds(time.time())))
            return done.rowcount > 0


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
