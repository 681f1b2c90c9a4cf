"""What a model keeps of each user, in one SQLite file: read by mapping, durable, and erasable.

A state is of one model, layout and precision, which the file names; a file of others is refused. It
is of the first `end` events of a history, whose hash stands beside it: it is used only where those
events are still the ones, and are all but the newest that are read as they are. Anything else is
computed anew. Keys and values of the first layer are the same for everybody and are not kept.

States are personal data: `erase` overwrites what it deletes.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.errors import ArtefactError, OutOfResources

Precision = Literal["float32", "bfloat16"]
KINDS: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
SCHEMA = 1
_MAPPED = 2**40
_FIX = "Remove the file: states are made anew as they are asked for."
_TABLES = """
    CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE states (
        user TEXT PRIMARY KEY, end INTEGER NOT NULL, end_time INTEGER, times BLOB,
        prefix BLOB NOT NULL, numbers BLOB NOT NULL, sha256 BLOB NOT NULL);
"""


@dataclass(frozen=True, eq=False)
class UserState:
    """What is kept of one user."""

    end: int
    """events of the history that it is of: the first ones"""
    end_time: int | None
    """seconds of the last of them; None: not known, or there is none"""
    times: Tensor | None
    """(k,) int64 seconds that each token stands for; None: not known"""
    prefix: bytes
    """sha256 of those events, as `prefix_of` gives it"""
    numbers: Tensor
    """(n,) on the CPU"""


class States(Protocol):
    """Where states are kept, by user id."""

    def get(self, user: str) -> UserState | None:
        """What is kept of a user; None where nothing is, or what is there is damaged."""

    def put(self, states: Mapping[str, UserState]) -> None:
        """Keep states, in place of those before; all of them or none."""

    def erase(self, users: Sequence[str]) -> int:
        """Delete what is kept of users, and say of how many there was something."""


class UserStates:
    """States by user id, in a file of their own."""

    def __init__(self, path: Path, link: sqlite3.Connection, precision: Precision) -> None:
        self.path, self._link, self.precision = path, link, precision

    @classmethod
    def open(cls, path: Path, identity: Mapping[str, object], precision: Precision) -> Self:
        """The file at `path`, made where there is none.

        Args:
            path: The file.
            identity: What decides states, such as `model` (sha256) and `layout`: JSON values.
            precision: Of the numbers kept.

        Raises:
            ArtefactError: If it is no such file, or of another model, layout or precision.
            OutOfResources: If it cannot be made or opened here.
        """
        wanted = {"schema": SCHEMA, "precision": precision, **identity}
        texts = {name: json.dumps(value, sort_keys=True) for name, value in wanted.items()}
        try:
            link = sqlite3.connect(path, timeout=30, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise OutOfResources(f"{error}.", str(path), "Choose a folder that is yours.") from None
        try:
            link.execute("PRAGMA journal_mode = WAL")
            link.execute("PRAGMA secure_delete = ON")
            link.execute(f"PRAGMA mmap_size = {_MAPPED}")
            with link:
                link.execute("BEGIN IMMEDIATE")
                if not link.execute("SELECT 1 FROM sqlite_master").fetchone():
                    for table in filter(str.strip, _TABLES.split(";")):
                        link.execute(table)
                    link.executemany("INSERT INTO identity VALUES (?, ?)", texts.items())
            held = dict(link.execute("SELECT name, value FROM identity").fetchall())
        except sqlite3.DatabaseError as error:
            link.close()
            what = "File cannot be read"
            raise ArtefactError(str(path), what, "states of users", str(error), _FIX) from None
        for name in sorted(texts.keys() | held.keys()):
            if texts.get(name) != held.get(name):
                link.close()
                want, got = texts.get(name, "nothing"), held.get(name, "nothing")
                what = f"States are of another {name}"
                raise ArtefactError(str(path), what, want[:80], got[:80], _FIX)
        return cls(path, link, precision)

    def close(self) -> None:
        """Let go of the file."""
        self._link.close()

    def __len__(self) -> int:
        """Users of whom something is kept."""
        return int(self._link.execute("SELECT count(*) FROM states").fetchone()[0])

    def get(self, user: str) -> UserState | None:
        """What is kept of a user; None where nothing is, or what is there is damaged."""
        with closing(self._link.execute("SELECT * FROM states WHERE user = ?", (user,))) as rows:
            row = rows.fetchone()
        return None if row is None else unpacked(row[1:], self.precision)

    def put(self, states: Mapping[str, UserState]) -> None:
        """Keep states, in place of those before; all of them or none.

        Raises:
            OutOfResources: If the disk is full or may not be written.
        """
        rows = [(user, *packed(state, self.precision)) for user, state in states.items()]
        try:
            with self._link:
                self._link.execute("BEGIN IMMEDIATE")
                self._link.executemany(
                    "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?, ?)", rows
                )
        except sqlite3.OperationalError as error:
            fix = "Make room, or give states another place."
            raise OutOfResources(f"{error}.", str(self.path), fix) from None

    def erase(self, users: Sequence[str]) -> int:
        """Delete what is kept of users, overwrite it, and say of how many there was something."""
        with self._link:
            self._link.execute("BEGIN IMMEDIATE")
            gone = self._link.executemany(
                "DELETE FROM states WHERE user = ?", [(user,) for user in users]
            ).rowcount
        self._link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)


Packed = tuple[int, int | None, bytes | None, bytes, bytes, bytes]
"""End, its time, times of the tokens, hash of the prefix, numbers, and sha256 of what they are."""


def packed(state: UserState, precision: Precision) -> Packed:
    """A state as a row keeps it."""
    raw = _bytes(state.numbers.detach().cpu().to(KINDS[precision]))
    times = None if state.times is None else _bytes(state.times.cpu())
    return state.end, state.end_time, times, state.prefix, raw, _digest(times, raw)


def unpacked(row: Packed, precision: Precision) -> UserState | None:
    """The state of a row; None if it is damaged."""
    end, end_time, raw_times, prefix, raw, digest = row
    if _digest(raw_times, raw) != digest:
        return None
    numbers = torch.frombuffer(bytearray(raw), dtype=KINDS[precision])
    times = None
    if raw_times is not None:
        times = torch.frombuffer(bytearray(raw_times), dtype=torch.int64)
    return UserState(end, end_time, times, prefix, numbers)


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().view(torch.uint8).numpy().tobytes()


def _digest(times: bytes | None, numbers: bytes) -> bytes:
    return hashlib.sha256((times or b"") + numbers).digest()


def prefix_of(
    items: np.ndarray[tuple[int], np.dtype[np.int32]],
    end: int,
    times: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
) -> bytes:
    """Hash of the first `end` events of a history: their item codes, and times where known."""
    digest = hashlib.sha256(np.ascontiguousarray(items[:end], np.int32).tobytes())
    if times is not None:
        digest.update(np.ascontiguousarray(times[:end], np.int64).tobytes())
    return digest.digest()


def weights_sha256(model: nn.Module) -> str:
    """Hex sha256 of a model's tensors and their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(_bytes(tensor.detach().cpu().flatten()))
    return digest.hexdigest()
