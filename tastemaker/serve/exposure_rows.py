"""Exposures in the store: how often and since when each user was answered, and what was shown.

What stands there is joined, never listed answer by answer: it grows with users and the items that
they were shown, not with requests. Joining what a dump has is the same twice as once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, case
from sqlalchemy.dialects import postgresql, sqlite

from tastemaker.serve.database import Database
from tastemaker.serve.erasure import erased_until
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.tables import experiments, exposures, shown

Row = dict[str, Any]


class Exposure(NamedTuple):
    """One answer to one user in an experiment."""

    user: str
    arm: str
    known: bool
    """whether anything was known of the user, so that the arm's model answered"""
    model: str
    """that answered"""
    version: str
    """of the run"""
    time: int
    """microseconds since 1970: when it was asked for"""
    items: Sequence[str]
    """ids of what was shown"""


def write_exposures(
    database: Database, experiment: Experiment, answers: Sequence[Exposure]
) -> tuple[int, int]:
    """Add answers, all of them or none.

    Returns:
        How many were kept, and how many were of before their user was erased.

    Raises:
        Unavailable: If the database is away.
        OutOfResources: If the disk is full.
    """
    with database.writing() as connection:
        until = erased_until(connection, {one.user for one in answers})
        kept = [one for one in answers if one.time > until.get(one.user, -1)]
        if kept:
            newest = max(one.time for one in kept)
            split = {"name": experiment.name, "arms": experiment.text, "declared": newest}
            join_splits(database, connection, [split])
            _join(database, connection, _exposure_rows(experiment.name, kept), adding=True)
            _join_shown(database, connection, _shown_rows(experiment.name, kept))
    return len(kept), len(answers) - len(kept)


def _exposure_rows(experiment: str, answers: Sequence[Exposure]) -> list[Row]:
    """A row for each user, arm, and whether they were known."""
    rows: dict[tuple[str, str, bool], Row] = {}
    for one in answers:
        row = rows.get((one.user, one.arm, one.known))
        if row is None:
            rows[one.user, one.arm, one.known] = {
                "experiment": experiment,
                "user_id": one.user,
                "arm": one.arm,
                "known": one.known,
                "model": one.model,
                "version": one.version,
                "first_time": one.time,
                "last_time": one.time,
                "answers": 1,
            }
        else:
            row["first_time"] = min(row["first_time"], one.time)
            row["last_time"] = max(row["last_time"], one.time)
            row["answers"] += 1
    return list(rows.values())


def _shown_rows(experiment: str, answers: Sequence[Exposure]) -> list[Row]:
    """A row for each user and item: what was shown to somebody not known says nothing of an arm."""
    first: dict[tuple[str, str], int] = {}
    for one in answers:
        for item in one.items if one.known else ():
            first[one.user, item] = min(one.time, first.get((one.user, item), one.time))
    return [
        {"user_id": user, "experiment": experiment, "item_id": item, "first_time": time}
        for (user, item), time in first.items()
    ]


def join_exposures(database: Database, connection: Connection, rows: Sequence[Row]) -> None:
    """Join rows of another store; what is of before an erasure here is left out."""
    _join(database, connection, _allowed(connection, rows), adding=False)


def join_shown(database: Database, connection: Connection, rows: Sequence[Row]) -> None:
    """Join rows of what another store has shown."""
    _join_shown(database, connection, _allowed(connection, rows))


def join_splits(database: Database, connection: Connection, rows: Sequence[Row]) -> None:
    """Join splits of experiments; of two times at which one was declared the later counts."""
    statement = _insert(database, experiments)
    old, new = experiments.c.declared, statement.excluded.declared
    statement = statement.on_conflict_do_update(
        index_elements=_key(experiments), set_={"declared": new}, where=new > old
    )
    _run(connection, statement, rows)


def _join(database: Database, connection: Connection, rows: Sequence[Row], *, adding: bool) -> None:
    """Insert rows, joined with those of the same user and arm.

    Args:
        database: Of the connection.
        connection: That writes.
        rows: Of `exposures`.
        adding: Whether the answers come on top of those there, or may be the same.
    """
    statement = _insert(database, exposures)
    old, new = exposures.c, statement.excluded
    more = case((new.answers > old.answers, new.answers), else_=old.answers)
    changed = {
        "first_time": case((new.first_time < old.first_time, new.first_time), else_=old.first_time),
        "last_time": case((new.last_time > old.last_time, new.last_time), else_=old.last_time),
        "answers": old.answers + new.answers if adding else more,
    }
    statement = statement.on_conflict_do_update(index_elements=_key(exposures), set_=changed)
    _run(connection, statement, rows)


def _join_shown(database: Database, connection: Connection, rows: Sequence[Row]) -> None:
    statement = _insert(database, shown)
    old, new = shown.c.first_time, statement.excluded.first_time
    statement = statement.on_conflict_do_update(
        index_elements=_key(shown), set_={"first_time": new}, where=new < old
    )
    _run(connection, statement, rows)


def _insert(database: Database, table: Table) -> Any:
    return (sqlite.insert if database.embedded else postgresql.insert)(table)


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _run(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(statement, list(rows))


def _allowed(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    until = erased_until(connection, {row["user_id"] for row in rows})
    return [row for row in rows if row["first_time"] > until.get(row["user_id"], -1)]
