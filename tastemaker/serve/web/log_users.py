"""Users of a run's log, to be looked through: the busiest first, or by how their ids begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tastemaker.data.interactions import Interactions


@dataclass(frozen=True)
class LogUser:
    """A user of the log."""

    user: str
    events: int
    newest: float | None
    """seconds since 1970 of their newest event; None: the log has no times"""


@dataclass(frozen=True, eq=False)
class LogUsers:
    """All users of a log."""

    log: Interactions
    """the whole log"""

    def __len__(self) -> int:
        return self.log.num_users

    def busiest(self, k: int, offset: int = 0) -> list[LogUser]:
        """So many users by number of events, after so many before them."""
        return [self._of(int(code)) for code in self._order[offset : offset + k]]

    def beginning(self, text: str, k: int) -> list[LogUser]:
        """At most k users whose id begins with a text, those with most events first."""
        rows = self.log.user_ids.str.starts_with(text).arg_true().to_numpy()
        best = rows[np.argsort(-self.log.lengths[rows], kind="stable")][:k]
        return [self._of(int(code)) for code in best]

    def find(self, user: str) -> LogUser | None:
        """The user of an id; None: the log does not have them."""
        code = self.log.user_codes.get(user)
        return None if code is None else self._of(code)

    def _of(self, code: int) -> LogUser:
        log, end = self.log, int(self.log.offsets[code + 1])
        events = end - int(log.offsets[code])
        newest = None if log.times is None or not events else int(log.times[end - 1])
        return LogUser(str(log.user_ids[code]), events, newest)

    @cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(-self.log.lengths, kind="stable")
