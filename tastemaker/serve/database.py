"""A database: one SQLite file, or PostgreSQL by its URL; who reads, who writes, what is durable.

SQLite keeps a log of what is written ahead (WAL) and syncs it at every commit, so that what was
acknowledged outlives the process and the power; readers go on while one writes. PostgreSQL does the
same by itself. In both, writers come one after the other: so numbers of events grow in the order in
which they can be seen, and who reads on from a number misses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from tastemaker.serve.engines import engine_of, no_store
from tastemaker.serve.faults import told
from tastemaker.serve.revisions import NEWEST, revision_of

Row = Mapping[str, object]

_LOCK = 0x7461737465
"""What writers of a PostgreSQL database lock, so that one comes after the other."""


class Database:
    """Connections to one database; to be shared by the threads of a process.

    Args:
        engine: Of `engines.engine_of`.
        where: What messages call it, without a password.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine, self.where = engine, where
        self.embedded = engine.dialect.name == "sqlite"
        self._one_writer = threading.Lock() if self.embedded else nullcontext()

    @classmethod
    def open(cls, url: str | Path, *, create: bool = True) -> Database:
        """Connect, and bring the tables to the newest migration.

        Args:
            url: A path, `sqlite:///PATH`, or `postgresql+psycopg://…`.
            create: Make the store where there is none; else that is an error.

        Raises:
            BadInput: If the URL is none, or there is no store and none is to be made.
            Unavailable: If the database does not answer.
            OutOfResources: If it cannot be written.
            ArtefactError: If the file is damaged, no database, or of a newer version.
        """
        database = cls(*engine_of(url, create=create))
        try:
            database._ready(create=create)
        except BaseException:
            database.close()
            raise
        return database

    def _ready(self, *, create: bool) -> None:
        with self.reading() as connection:
            current = revision_of(connection)
        if current is None and not create:
            raise no_store(self.where)
        if current != NEWEST:
            from tastemaker.serve.migrations import migrate  # imports Alembic, which is slow

            with self.writing() as connection:
                migrate(connection, self.where)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the database as it stands now, until it is let go of.

        Raises:
            Unavailable: If the database is not there, and as `faults.told` says.
        """
        level = {} if self.embedded else {"isolation_level": "REPEATABLE READ"}
        with told(self.where), self.engine.connect() as plain:
            connection = plain.execution_options(**level) if level else plain
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that writes alone; what was written is durable once this is left.

        Raises:
            Unavailable: If the database is not there or another writer takes too long.
            OutOfResources: If the disk is full or may not be written.
        """
        with told(self.where), self._one_writer, self.engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            with connection.begin():
                if not self.embedded:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                yield connection

    def add_new(self, connection: Connection, table: Table, rows: Sequence[Row]) -> int:
        """Insert the rows whose key is not there yet, and say how many those were."""
        if not rows:
            return 0
        insert = sqlite.insert if self.embedded else postgresql.insert
        statement = insert(table).on_conflict_do_nothing()
        connection = connection.execution_options(preserve_rowcount=True)
        return connection.execute(statement, list(rows)).rowcount

    def put(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, in place of those of the same primary key."""
        if not rows:
            return
        insert = sqlite.insert if self.embedded else postgresql.insert
        statement = insert(table)
        own = {column.name for column in table.primary_key}
        changed = {name: statement.excluded[name] for name in rows[0] if name not in own}
        statement = statement.on_conflict_do_update(index_elements=sorted(own), set_=changed)
        connection.execute(statement, list(rows))

    def forget_deleted(self) -> None:
        """Have nothing of deleted rows stay behind in the log of a SQLite file."""
        if self.embedded:
            with told(self.where), self._one_writer, self.engine.connect() as connection:
                plain = connection.connection.driver_connection
                assert plain is not None
                plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
