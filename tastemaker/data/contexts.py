"""Contexts: the raw past of some users, in compressed sparse rows; what every model scores.

Every field says which axis it runs along, and slicing and gathering loop over fields, so that a new
column is one line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Int8s = npt.NDArray[np.int8]
UInt8s = npt.NDArray[np.uint8]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Axis = Literal["row", "event"]

ROW = {"axis": "row"}
"""Marks a field with one entry a row."""
EVENT = {"axis": "event"}
"""Marks a field with one entry an event."""


def along(holder: Any, axis: Axis) -> Iterator[tuple[str, Any]]:
    """Name and value of each field of a dataclass that runs along `axis` and is there."""
    for known in fields(holder):
        value = vars(holder)[known.name]
        if known.metadata.get("axis") == axis and value is not None:
            yield known.name, value


@dataclass(frozen=True)
class Contexts:
    """The past of B users: row b is `items[offsets[b]:offsets[b + 1]]`, oldest event first."""

    users: Int64s = field(metadata=ROW)
    """(B,) user codes; -1 for somebody the log does not know."""
    offsets: Int64s
    """(B+1,) row bounds, starting at 0."""
    items: Int32s = field(metadata=EVENT)
    """flat item codes 1..I."""
    times: Int64s | None = field(default=None, metadata=EVENT)
    """flat seconds, aligned with `items`."""
    request_times: Int64s | None = field(default=None, metadata=ROW)
    """(B,) seconds at which each row's next event is asked for; None: not known."""
    events: UInt8s | None = field(default=None, metadata=EVENT)
    """flat kind of event, an index into the log's `event_names`; None: all of one kind."""
    polarities: Int8s | None = field(default=None, metadata=EVENT)
    """flat code of `polarity.CODES`; None: as the kinds are declared."""

    def __len__(self) -> int:
        """Number of rows B."""
        return len(self.users)

    @property
    def lengths(self) -> Int64s:
        """(B,) events in each row."""
        return np.diff(self.offsets)

    @property
    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The flat arrays by name, as `gather` takes them."""
        return dict(along(self, "event"))

    def slice(self, start: int, stop: int) -> Contexts:
        """Rows start..stop-1; a view of the flat arrays with offsets that start at 0."""
        bounds = self.offsets[start : min(stop, len(self)) + 1]
        low, high = int(bounds[0]), int(bounds[-1])
        rows = {name: value[start:stop] for name, value in along(self, "row")}
        flat = {name: value[low:high] for name, value in along(self, "event")}
        return replace(self, offsets=bounds - low, **rows, **flat)

    def take(self, rows: Int64s) -> Contexts:
        """Some rows, in the order given."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        taken = {name: value[rows] for name, value in along(self, "row")}
        return replace(Contexts.gather(taken["users"], starts, ends, self.columns), **taken)

    @classmethod
    def gather(
        cls, users: Int64s, starts: Int64s, ends: Int64s, columns: Mapping[str, npt.NDArray[Any]]
    ) -> Contexts:
        """Rows starts[b]..ends[b]-1 of flat columns, copied side by side.

        Args:
            users: (B,) user codes.
            starts: (B,) first event of each row.
            ends: (B,) event after the last of each row.
            columns: Flat arrays by name; `items` and what else contexts have.
        """
        offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        taken = ranges(starts, ends)
        return cls(users, offsets, **{name: array[taken] for name, array in columns.items()})

    @classmethod
    def joined(cls, parts: Sequence[Contexts]) -> Contexts:
        """The rows of one or several contexts under each other; all have the same columns."""
        if len(parts) == 1:
            return parts[0]
        offsets = np.zeros(1 + sum(map(len, parts)), np.int64)
        np.cumsum(np.concatenate([part.lengths for part in parts]), out=offsets[1:])
        names = [name for name, _ in (*along(parts[0], "row"), *along(parts[0], "event"))]
        columns = {n: np.concatenate([vars(part)[n] for part in parts]) for n in names}
        return cls(offsets=offsets, **columns)

    @classmethod
    def single(cls, items: list[int], times: list[int] | None = None, user: int = -1) -> Contexts:
        """One row, as a request brings it."""
        return cls(
            np.array([user], np.int64),
            np.array([0, len(items)], np.int64),
            np.array(items, np.int32),
            None if times is None else np.array(times, np.int64),
        )


def ranges(starts: Int64s, ends: Int64s) -> Int64s:
    """All of `arange(starts[b], ends[b])` one after another, without a Python loop."""
    lengths = ends - starts
    shift = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    positions: Int64s = np.arange(int(lengths.sum()), dtype=np.int64) + shift
    return positions
