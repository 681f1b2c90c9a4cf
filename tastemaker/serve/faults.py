"""What a database says went wrong → the typed errors of the package.

An error says whether waiting helps (`Unavailable`), room or permission is needed
(`OutOfResources`), the file is damaged (`ArtefactError`), or what was asked for is not there or
not allowed (`BadInput`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tastemaker.errors import (
    ArtefactError,
    BadInput,
    OutOfResources,
    TastemakerError,
    Unavailable,
)

_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_AWAY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN)
_ROOM = "Make room or give the permission to write; what was acknowledged is kept."
_WAIT = "Start the database, or wait for it; the same call works again then."


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what the database says while inside into a typed error.

    Args:
        where: What messages call the database, without a password.

    Raises:
        Unavailable: If it is not there, busy, or shutting down.
        OutOfResources: If the disk is full or may not be written.
        ArtefactError: If its file is damaged or no database.
        BadInput: If there is no such database, or the user may not enter.
    """
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("All connections are taken.", where, _WAIT) from error
    except DBAPIError as error:
        cause = error.orig
        fault = (
            _of_sqlite(cause, where)
            if isinstance(cause, sqlite3.Error)
            else _of_postgres(error, where)
        )
        if fault is None:
            raise
        raise fault from error


def _of_sqlite(error: sqlite3.Error, where: str) -> TastemakerError | None:
    # Errors that Python's module finds itself have no code.
    code = int(vars(error).get("sqlite_errorcode", 0)) & 0xFF
    if code in _FULL:
        return OutOfResources(f"The database cannot be written: {error}.", where, _ROOM)
    if code in _DAMAGED:
        fix = "Restore the file from a copy or a dump."
        return ArtefactError(where, "File cannot be read", "a store", str(error), fix)
    if code in _AWAY:
        return Unavailable(f"The database cannot be used now: {error}.", where, _WAIT)
    return None


_PERMISSION = "Give the user of the URL the permission, or use another."
_STATES: dict[str, tuple[type[TastemakerError], str]] = {
    "53300": (Unavailable, _WAIT),
    "53": (OutOfResources, _ROOM),
    "25006": (OutOfResources, _ROOM),
    "08": (Unavailable, _WAIT),
    "57": (Unavailable, _WAIT),
    "55": (Unavailable, _WAIT),
    "40": (Unavailable, _WAIT),
    "28": (BadInput, _PERMISSION),
    "42501": (BadInput, _PERMISSION),
    "3D": (BadInput, "Make the database first, or name another."),
}
"""SQLSTATE or its class → what it is, and what to do; whole codes count before classes."""


def _of_postgres(error: DBAPIError, where: str) -> TastemakerError | None:
    cause = error.orig
    if not isinstance(cause, psycopg.Error):
        return None
    lines = str(cause).strip().splitlines()
    what = f"The database refuses: {lines[0] if lines else type(cause).__name__}."
    for code in (cause.sqlstate or "", (cause.sqlstate or "")[:2]):
        if code in _STATES:
            kind, fix = _STATES[code]
            return kind(what, where, fix)
    # Without a code no server has answered.
    away = cause.sqlstate is None and isinstance(cause, psycopg.OperationalError)
    return Unavailable(what, where, _WAIT) if away or error.connection_invalidated else None
