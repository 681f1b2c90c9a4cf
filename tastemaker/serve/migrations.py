"""Migrations: bring a database to the tables that this version knows, in one transaction.

Alembic runs them and keeps in the database which one it has. Each is a module `migration_NNNN` of
this room with `revision`, `down_revision` and `upgrade`; they are never changed once released.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from sqlalchemy import Connection

from tastemaker.errors import ArtefactError
from tastemaker.serve import migration_0001, migration_0002
from tastemaker.serve.revisions import revision_of

MIGRATIONS = (migration_0001, migration_0002)
"""Oldest first; `revisions.NEWEST` names the last."""


def migrate(connection: Connection, where: str) -> None:
    """Run the migrations that are missing; the caller commits.

    Args:
        connection: In a transaction that no other process can have at the same time.
        where: What messages call the database.

    Raises:
        ArtefactError: If a newer version of the package has migrated it.
    """
    current = revision_of(connection)
    known = [migration.revision for migration in MIGRATIONS]
    if current is not None and current not in known:
        fix = "Use the version of tastemaker that wrote it, or a newer one."
        what = "The tables are of another version"
        raise ArtefactError(where, what, f"migration {known[-1]} or older", current, fix)
    missing = known[known.index(current) + 1 if current else 0 :]
    graph = RevisionMap(
        lambda: [Script(one, one.revision, str(one.__file__)) for one in MIGRATIONS]
    )

    def steps(_: object, __: MigrationContext) -> Iterator[RevisionStep]:
        for revision in missing:
            script = graph.get_revision(revision)
            assert isinstance(script, Script)
            yield RevisionStep(graph, script, is_upgrade=True)

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()
