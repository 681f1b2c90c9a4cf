"""Which migration a database stands at, read without Alembic: most stores are up to date already.

Alembic is slow to import, so it is left to `migrations`, for a database that is to be migrated.
"""

from __future__ import annotations

from sqlalchemy import Connection, column, inspect, select, table

NEWEST = "0002"
"""What this version of the package needs: the last of `migrations.MIGRATIONS` (a test)."""

_VERSION = table("alembic_version", column("version_num"))
"""Where Alembic keeps it."""


def revision_of(connection: Connection) -> str | None:
    """The migration that a database stands at; None: it holds no store."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    told = connection.execute(select(_VERSION.c.version_num)).scalars()
    # A database that others keep by Alembic may stand at several, none of which is ours.
    return ", ".join(sorted(told)) or None
