"""Replies kept in one SQLite file, so that no question is asked twice of the same model.

A reply is written when it comes: whoever is killed loses those under way alone. Several processes
may use one file. Failures are not kept, and neither is what was asked: a question is known by its
sha256, which covers the model and every option. No key of an endpoint is in it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tastemaker.config import from_json, to_json
from tastemaker.data.replies import Reply
from tastemaker.errors import ArtefactError, BadInput, OutOfResources
from tastemaker.files import make_folder
from tastemaker.models.asking import Answers, Ask
from tastemaker.models.json_grammar import JsonRows

SCHEMA = 1
_FIX = "Remove the file, or name another: its questions are asked anew."


class Cached(Answers):
    """A language model that is asked only what it has not answered before.

    Args:
        answers: The model.
        path: The file; made where there is none.

    Raises:
        ArtefactError: If the file is something else.
        OutOfResources: If it cannot be made or opened here.
    """

    def __init__(self, answers: Answers, path: str | Path) -> None:
        self._behind, self.identity, self.path = answers, answers.identity, Path(path)
        self.asked = 0
        """questions that went to the model"""
        make_folder(self.path.parent)
        try:
            self._link = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        except sqlite3.OperationalError as error:
            fix = "Choose a folder that is yours."
            raise OutOfResources(f"{error}.", str(self.path), fix) from None
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._link.close()
            what = "File cannot be read"
            raise ArtefactError(str(path), what, "kept replies", str(error), _FIX) from None

    def _prepare(self) -> None:
        self._link.execute("PRAGMA journal_mode = WAL")
        with self._link:
            self._link.execute("BEGIN IMMEDIATE")
            version = int(self._link.execute("PRAGMA user_version").fetchone()[0])
            tables = self._link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if version != SCHEMA and (version or tables):
                raise sqlite3.DatabaseError(f"schema {version}")
            self._link.execute(
                "CREATE TABLE IF NOT EXISTS replies "
                "(question BLOB PRIMARY KEY, reply TEXT NOT NULL, sha256 BLOB NOT NULL)"
            )
            self._link.execute(f"PRAGMA user_version = {SCHEMA}")

    def close(self) -> None:
        """Let go of the file."""
        self._link.close()

    def __len__(self) -> int:
        """Replies that are kept."""
        return int(self._link.execute("SELECT count(*) FROM replies").fetchone()[0])

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        """Replies that are kept first, then those that the model gives; equal questions once.

        Raises:
            OutOfResources: If a reply cannot be written.
        """
        missing: dict[bytes, list[int]] = {}
        for number, ask in enumerate(asks):
            question = ask.digest(self.identity)
            kept = None if question in missing else self._get(question)
            if kept is None:
                missing.setdefault(question, []).append(number)
            else:
                yield number, kept
        questions = list(missing)
        left = [asks[numbers[0]] for numbers in missing.values()]
        self.asked += len(left)
        for place, reply in self._behind.answers(left) if left else ():
            if not reply.error:
                self._put(questions[place], reply)
            for number in missing[questions[place]]:
                yield number, reply

    def shaped(self, rows: JsonRows) -> Cached:
        """The same file before the same model, asked for JSON; close it too."""
        return Cached(self._behind.shaped(rows), self.path)

    def _get(self, question: bytes) -> Reply | None:
        """A kept reply; None where there is none, or what is there is damaged."""
        query = "SELECT reply, sha256 FROM replies WHERE question = ?"
        with closing(self._link.execute(query, (question,))) as rows:
            row = rows.fetchone()
        if row is None or hashlib.sha256(question + row[0].encode()).digest() != row[1]:
            return None
        try:
            return from_json(Reply, json.loads(row[0]), str(self.path))
        except (ValueError, BadInput):
            return None

    def _put(self, question: bytes, reply: Reply) -> None:
        text = json.dumps(to_json(reply))
        row = (question, text, hashlib.sha256(question + text.encode()).digest())
        try:
            self._link.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            fix = "Make room, or name a file elsewhere."
            raise OutOfResources(f"{error}.", str(self.path), fix) from None
