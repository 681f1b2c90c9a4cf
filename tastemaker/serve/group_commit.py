"""Batches that come while another is written to the disk go there together, in one transaction.

Waiting for the disk is most of what a batch costs. Whoever has the turn writes what everybody else
who waits has brought; each is told what became of its own, once it is on the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tastemaker.serve.adding import Appended, add
from tastemaker.serve.database import Database

MOST = 10_000
"""Events that are written together, unless one batch alone has more."""


@dataclass(eq=False)
class _Batch:
    rows: Sequence[Mapping[str, Any]]
    answer: Appended | None = None
    fault: Exception | None = None


class GroupCommit:
    """Adds batches of rows to a database; threads share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Batch] = []
        self._list, self._turn = threading.Lock(), threading.Lock()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> Appended:
        """Add rows of `events.rows_of`; once this returns they are on the disk.

        Raises:
            Unavailable: If the database is away.
            OutOfResources: If the disk is full.
        """
        mine = _Batch(rows)
        with self._list:
            self._waiting.append(mine)
        try:
            with self._turn:
                while mine.answer is None and mine.fault is None:
                    self._write(self._next())
        finally:
            with self._list:
                if mine in self._waiting:
                    self._waiting.remove(mine)
        if mine.answer is None:
            assert mine.fault is not None
            raise mine.fault
        return mine.answer

    def _next(self) -> list[_Batch]:
        """The first batches that wait; they stay in the list until their owners know."""
        chosen: list[_Batch] = []
        size = 0
        with self._list:
            for batch in self._waiting:
                done = batch.answer is not None or batch.fault is not None
                if not done and (not chosen or size + len(batch.rows) <= MOST):
                    chosen.append(batch)
                    size += len(batch.rows)
        return chosen

    def _write(self, batches: Sequence[_Batch]) -> None:
        """Write batches; where that fails, all of them have failed and none is there."""
        try:
            with self._database.writing() as connection:
                answers = [add(self._database, connection, batch.rows) for batch in batches]
        except Exception as fault:
            for batch in batches:
                batch.fault = fault
            return
        for batch, answer in zip(batches, answers, strict=True):
            batch.answer = answer
