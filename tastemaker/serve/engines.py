"""URLs → engines: how a connection to either database is set up before anybody uses it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.files import sync

PATIENCE = 30
"""Seconds that a writer waits for another one, and anybody for a connection."""
CONNECTIONS = 20
"""Most connections of one process."""
_FIX = "Give the path of a SQLite file, or a URL such as postgresql+psycopg://user@host/name."


def engine_of(url: str | Path, *, create: bool) -> tuple[Engine, str]:
    """An engine, and what messages call its database: without a password.

    Args:
        url: A path, `sqlite:///PATH`, or `postgresql+psycopg://…`.
        create: Make a SQLite file where there is none; else that is an error.

    Raises:
        BadInput: If the URL is none, or there is no file and none is to be made.
        OutOfResources: If the file cannot be made.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "").expanduser().absolute()
        return _sqlite(path, create=create), str(path)
    return _postgres(parsed), parsed.render_as_string(hide_password=True)


def _parsed(url: str | Path) -> URL:
    """The URL of a database that can hold a store."""
    if isinstance(url, Path) or "://" not in url:
        if not str(url) or "\0" in str(url):
            raise BadInput(f"{str(url)!r} is no database.", "--database", _FIX)
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise BadInput("The URL of the database cannot be read.", "--database", _FIX) from None
    driver = parsed.drivername
    if driver in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if driver == "postgresql+psycopg":
        return parsed
    if driver != "sqlite":
        raise BadInput(f"A store cannot lie in {driver!r}.", "--database", _FIX)
    if parsed.database in (None, "", ":memory:") or parsed.query:
        what = "A store in memory, or one with options, would lose what was acknowledged."
        raise BadInput(what, "--database", _FIX)
    return parsed


def no_store(where: str) -> BadInput:
    """The error of a place that holds no store."""
    return BadInput("There is no store.", where, "Check the path or the URL of the database.")


def _sqlite(path: Path, *, create: bool) -> Engine:
    """An engine of one SQLite file, which others on this machine may not read."""
    if not path.is_file():
        if not create:
            raise no_store(str(path))
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            sync(path.parent)
        except OSError as error:
            fix = "Choose a folder that is there and is yours."
            what = f"The file cannot be made: {error.strerror}."
            raise OutOfResources(what, str(path), fix) from None
    # Never made anew later: a file that went away must not come back empty.
    name = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        link = sqlite3.connect(
            name, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            (mode,) = link.execute("PRAGMA journal_mode = WAL").fetchone()
            for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
                link.execute(f"PRAGMA {pragma}")
        except BaseException:
            link.close()
            raise
        if mode != "wal":
            link.close()
            fix = "Put the file on a disk of this machine."
            raise OutOfResources("Nothing can be written ahead here.", str(path), fix)
        return link

    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        creator=connect,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=PATIENCE,
    )
    event.listen(engine, "begin", _begin)
    _watch(engine, path)
    return engine


def _begin(connection: Connection) -> None:
    """Writers wait their turn before they read anything, so that none is turned away later."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _watch(engine: Engine, path: Path) -> None:
    """Let go of connections to a file that was removed or replaced: it would take writes still."""

    def remember(link: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _file(path)

    def compare(
        link: DBAPIConnection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection
    ) -> None:
        if entry.info["file"] != _file(path):
            raise DisconnectionError

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _file(path: Path) -> tuple[int, int] | None:
    """Which file lies there; None: none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgres(url: URL) -> Engine:
    """An engine of a PostgreSQL database; what it acknowledges is on its disk."""
    waits = {"connect_timeout": "10", "tcp_user_timeout": str(PATIENCE * 1000)}
    engine = create_engine(
        url.update_query_dict(waits | dict(url.query)),
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=PATIENCE,
    )

    def settle(link: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = link.cursor()
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone() or ("",)
        cursor.close()
        link.commit()
        if encoding != "UTF8":
            what = f"The database is encoded in {encoding}, which cannot hold every id."
            where = url.render_as_string(hide_password=True)
            raise BadInput(what, where, "Make one with ENCODING 'UTF8'.")

    event.listen(engine, "connect", settle)
    return engine
