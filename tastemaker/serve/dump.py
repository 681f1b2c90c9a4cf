"""Writing a dump: one snapshot of the store, streamed into a file that is whole or not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import RowMapping, Table

from tastemaker.files import replaced
from tastemaker.serve.database import Database
from tastemaker.serve.events import seconds
from tastemaker.serve.lines import FORMAT, line_of
from tastemaker.serve.tables import erased, events, experiments, exposures, hidden, shown

_HELD = 1_000
"""Rows held at a time."""


def dump(database: Database, path: Path) -> dict[str, int]:
    """Write everything but caches to a file, as it stands at one moment; others go on writing.

    Returns:
        How many lines of each kind were written.

    Raises:
        Unavailable: If the database is away.
        OutOfResources: If the file cannot be written.
    """
    counts = dict.fromkeys(_TABLES, 0)
    with (
        database.reading() as connection,
        replaced(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        partial.chmod(0o600)
        file.write(line_of("store", {"format": FORMAT}))
        for kind, (table, values_of) in _TABLES.items():
            asked = table.select().order_by(*table.primary_key)
            with connection.execution_options(yield_per=_HELD).execute(asked) as rows:
                for row in rows.mappings():
                    file.write(line_of(kind, values_of(row)))
                    counts[kind] += 1
        file.write(line_of("end", dict(counts)))
    return counts


def _event(row: RowMapping) -> dict[str, object]:
    kept = {name: value for name, value in row.items() if name != "number"}
    return kept | {"time": seconds(row["time"]), "received": seconds(row["received"])}


def _erased(row: RowMapping) -> dict[str, object]:
    return {"user_sha256": row["user_hash"].hex(), "until": seconds(row["time"])}


def _hidden(row: RowMapping) -> dict[str, object]:
    until = row["until"]
    return {"item_id": row["item_id"], "until": None if until is None else seconds(until)}


def _experiment(row: RowMapping) -> dict[str, object]:
    return {**row, "declared": seconds(row["declared"])}


def _exposure(row: RowMapping) -> dict[str, object]:
    times = {name: seconds(row[name]) for name in ("first_time", "last_time")}
    return {**row, **times}


def _shown(row: RowMapping) -> dict[str, object]:
    return {**row, "first_time": seconds(row["first_time"])}


_TABLES: dict[str, tuple[Table, Callable[[RowMapping], dict[str, object]]]] = {
    "erased": (erased, _erased),
    "hidden": (hidden, _hidden),
    "event": (events, _event),
    "experiment": (experiments, _experiment),
    "exposure": (exposures, _exposure),
    "shown": (shown, _shown),
}
"""Kind of line → table, and what of a row stands there; in the order of `lines.KINDS`."""
