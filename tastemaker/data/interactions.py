"""Interactions: a whole log as a few flat arrays, users side by side, oldest event first.

A user's history is a slice, never a list of rows: `items[offsets[u]:offsets[u + 1]]`. Ids are
dictionary-coded; integer codes stay inside the package and the ids shown are the user's own.
The order is (user, time, original row) and stable, since up to a quarter of MovieLens test
targets change with an unstable sort (protocol §7).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tastemaker.counts import counted
from tastemaker.data.arrow import array_of, open_arrow, write_arrow
from tastemaker.data.columns import Columns
from tastemaker.data.contexts import EVENT, Contexts, Int8s, Int32s, Int64s, UInt8s, along
from tastemaker.data.parquet import write_parquet
from tastemaker.data.soundness import open_ids, refuse_unsound
from tastemaker.errors import BadInput

PARTS = ("train", "valid", "test")
"""Parts of a ready-made split; an event's part is an index into them."""


@dataclass(frozen=True)
class Interactions:
    """A validated log of U users, I items and N events in compressed sparse rows by user."""

    user_ids: pl.Series
    """(U,) String; user code u is the position."""
    item_ids: pl.Series
    """(I,) String; item code c is the position plus one, 0 is padding."""
    offsets: Int64s
    """(U+1,) events of user u are `offsets[u]:offsets[u+1]`."""
    items: Int32s = field(metadata=EVENT)
    """(N,) item codes 1..I."""
    times: Int64s | None = field(default=None, metadata=EVENT)
    """(N,) seconds since 1970, or None where the log carries order only."""
    events: UInt8s | None = field(default=None, metadata=EVENT)
    """(N,) index into `event_names`; None when there is a single kind of event."""
    values: npt.NDArray[np.float32] | None = field(default=None, metadata=EVENT)
    """(N,) the log's value column, such as a rating."""
    event_names: tuple[str, ...] = ("view",)
    parts: UInt8s | None = field(default=None, metadata=EVENT)
    """(N,) index into `PARTS` where the data come with a ready-made split, never falling within
    a user; then only events of one part are oldest first."""
    polarities: Int8s | None = field(default=None, metadata=EVENT)
    """(N,) code of `polarity.CODES`, set by who knows the declaration; not stored."""

    @property
    def num_users(self) -> int:
        """Number of users U."""
        return len(self.user_ids)

    @property
    def num_items(self) -> int:
        """Number of items I; codes run from 1 to I."""
        return len(self.item_ids)

    @property
    def num_events(self) -> int:
        """Number of events N."""
        return len(self.items)

    @property
    def lengths(self) -> Int64s:
        """(U,) number of events of each user."""
        return np.diff(self.offsets)

    @property
    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The flat arrays that contexts are gathered from, by name."""
        known = {column.name for column in fields(Contexts)}
        return {name: column for name, column in along(self, "event") if name in known}

    @property
    def bytes_per_event(self) -> float:
        """Resident bytes an event, offsets included, id strings apart (performance P6: ≤ 24)."""
        arrays = (self.offsets, self.items, self.times, self.events, self.values, self.parts)
        return sum(array.nbytes for array in arrays if array is not None) / max(1, self.num_events)

    def history(self, user: int) -> Int32s:
        """Item codes of user code `user`, oldest first; a view, not a copy."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def decode(self, codes: Int32s) -> list[str]:
        """Item ids of item codes 1..I."""
        ids: list[str] = self.item_ids.gather(codes.astype(np.int64) - 1).to_list()
        return ids

    @cached_property
    def user_codes(self) -> dict[str, int]:
        """User id → user code."""
        return {user: code for code, user in enumerate(self.user_ids.to_list())}

    @cached_property
    def item_codes(self) -> dict[str, int]:
        """Item id → item code (1..I)."""
        return {item: code for code, item in enumerate(self.item_ids.to_list(), start=1)}

    def item_code(self, item: str) -> int:
        """Code of an item id.

        Raises:
            BadInput: If the log never saw the item.
        """
        if item not in self.item_codes:
            raise BadInput(
                f"Item {item!r} is not in this log of {counted(self.num_items, 'item')}.",
                "item id",
                "Use an id as it is written in the interactions file.",
            )
        return self.item_codes[item]

    @cached_property
    def vocabulary_sha256(self) -> str:
        """Hash of the item ids in code order: models of one hash share an item table."""
        return _digest_strings(self.item_ids)

    @cached_property
    def sha256(self) -> str:
        """Hash of the sorted table: ids, order, times, events and values."""
        digest = hashlib.sha256()
        digest.update(_digest_strings(self.user_ids).encode())
        digest.update(self.vocabulary_sha256.encode())
        digest.update(repr(self.event_names).encode())
        for array in (self.offsets, self.items, self.times, self.events, self.values):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
        if self.parts is not None:
            digest.update(np.ascontiguousarray(self.parts).data)
        return digest.hexdigest()

    @classmethod
    def from_sequences(cls, sequences: Mapping[str, Sequence[str]]) -> Interactions:
        """A small log from `{user: [item, item, …]}`, oldest first, with order but no times."""
        users = [user for user, items in sequences.items() for _ in items]
        items = [item for sequence in sequences.values() for item in sequence]
        frame = pl.DataFrame(
            {"user_id": users, "item_id": items},
            schema={"user_id": pl.String, "item_id": pl.String},
        )
        return cls.from_frame(frame)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Interactions:
        """Sort and code a table of `user_id`, `item_id` and, where it has them, other columns.

        Nothing is checked here beyond the columns: `data.reading.read_interactions` checks.

        Args:
            frame: `timestamp` (int64 seconds), `event`, `value` and `split` (a name of `PARTS`)
                are optional; `row` (int) overrides the frame's own order as the tie-break.
        """
        columns, names = Columns.of_frame(frame, PARTS)
        return cls(**columns.sort(), event_names=names)

    def select(self, keep: npt.NDArray[np.bool_]) -> Interactions:
        """The same users and items with only the events where `keep` (N,) is true."""
        running = np.concatenate([[0], np.cumsum(keep)])
        columns = {name: column[keep] for name, column in along(self, "event")}
        return replace(self, offsets=running[self.offsets], **columns)

    def led_by(self, item_ids: pl.Series) -> Interactions:
        """The same log with some items first, in their order, and the others behind as they stand.

        So a model that was trained on `item_ids` knows every item by the code that it had. Those
        that this log does not have are items without events.
        """
        ids = pl.concat([item_ids.rename("item_id"), self.item_ids.rename("item_id")])
        ids = ids.unique(maintain_order=True)
        order = pl.DataFrame({"item_id": ids}).with_row_index("code", offset=1)
        codes = self.item_ids.rename("item_id").to_frame()
        codes = codes.join(order, on="item_id", how="left", maintain_order="left")
        return replace(
            self, item_ids=ids, items=codes["code"].to_numpy().astype(np.int32)[self.items - 1]
        )

    def by_time(self) -> Interactions:
        """The same log without its ready-made split: each user's events oldest first.

        Events of one time stand in the order train, valid, test, then as in the file; so does
        everything where there are no times.
        """
        if self.parts is None:
            return self
        if self.times is None:
            return replace(self, parts=None)
        users = np.repeat(np.arange(self.num_users), self.lengths)
        order = np.lexsort((self.times, users))
        ordered = {name: column[order] for name, column in along(self, "event")}
        return replace(self, **ordered | {"parts": None})

    def save(self, folder: Path) -> None:
        """Write the Arrow files that `open` maps into memory, and `vocab.parquet`."""
        columns: dict[str, npt.NDArray[np.generic] | None] = {
            "item": self.items,
            "time": self.times,
        }
        columns |= {"event": self.events, "value": self.values, "part": self.parts}
        events = pa.table({name: a for name, a in columns.items() if a is not None})
        names = {"event_names": "\x1f".join(self.event_names)}
        write_arrow(folder / "events.arrow", events.replace_schema_metadata(names))
        ids = pa.table({"user_id": self.user_ids.to_arrow(), "end": self.offsets[1:]})
        write_arrow(folder / "histories.arrow", ids)
        write_parquet(folder / "vocab.parquet", self.item_ids.rename("item_id").to_frame())

    @classmethod
    def open(cls, folder: Path) -> Interactions:
        """Map a saved log: arrays are read from disk as they are touched.

        Raises:
            ArtefactError: If its files are missing, damaged, or do not fit one another.
        """
        events = open_arrow(folder / "events.arrow")
        users = open_arrow(folder / "histories.arrow")
        item_ids = open_ids(folder / "vocab.parquet", "item_id")
        refuse_unsound(folder, events, users, len(item_ids))
        column = {name: array_of(events.column(name)) for name in events.column_names}
        metadata = events.schema.metadata or {}
        return cls(
            user_ids=pl.Series("user_id", users.column("user_id").combine_chunks()),
            item_ids=item_ids,
            offsets=np.concatenate([[0], array_of(users.column("end"))]).astype(np.int64),
            items=column["item"],
            times=column.get("time"),
            events=column.get("event"),
            values=column.get("value"),
            parts=column.get("part"),
            event_names=tuple(metadata.get(b"event_names", b"view").decode().split("\x1f")),
        )


def _digest_strings(strings: pl.Series) -> str:
    digest = hashlib.sha256()
    for part in strings.to_frame().iter_slices(100_000):
        for text in part.to_series().to_list():
            raw = text.encode()
            digest.update(len(raw).to_bytes(4, "little") + raw)
    return digest.hexdigest()
