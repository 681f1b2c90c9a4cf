"""Contexts: the raw past of some users, in compressed sparse rows; what every model scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contexts:
    """The past of B users: row b is `items[offsets[b]:offsets[b + 1]]`, oldest event first."""

    users: Int64s
    """(B,) user codes; -1 for somebody the log does not know."""
    offsets: Int64s
    """(B+1,) row bounds, starting at 0."""
    items: Int32s
    """flat item codes 1..I."""
    times: Int64s | None = None
    """flat seconds, aligned with `items`."""
    request_times: Int64s | None = None
    """(B,) seconds at which each row's next event is asked for; None: not known."""

    def __len__(self) -> int:
        """Number of rows B."""
        return len(self.users)

    @property
    def lengths(self) -> Int64s:
        """(B,) events in each row."""
        return np.diff(self.offsets)

    def slice(self, start: int, stop: int) -> Contexts:
        """Rows start..stop-1; a view of the flat arrays with offsets that start at 0."""
        bounds = self.offsets[start : min(stop, len(self)) + 1]
        lo, hi = int(bounds[0]), int(bounds[-1])
        return Contexts(
            self.users[start:stop],
            bounds - lo,
            self.items[lo:hi],
            None if self.times is None else self.times[lo:hi],
            None if self.request_times is None else self.request_times[start:stop],
        )

    @classmethod
    def gather(
        cls,
        users: Int64s,
        starts: Int64s,
        ends: Int64s,
        items: Int32s,
        times: Int64s | None = None,
    ) -> Contexts:
        """Rows `items[starts[b]:ends[b]]` copied side by side."""
        offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        at = ranges(starts, ends)
        return cls(users, offsets, items[at], None if times is None else times[at])

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
    at: Int64s = np.arange(int(lengths.sum()), dtype=np.int64) + shift
    return at
