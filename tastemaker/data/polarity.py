"""Polarity: what each event says about its item, from the declaration and the whole log.

Events of positive polarity are learnt; the items that a user explicitly refused are never offered
again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.data.declaration import Declaration, Polarity
from tastemaker.data.interactions import Interactions

Int8s = npt.NDArray[np.int8]

CODES: dict[Polarity, int] = {
    "explicit_negative": -2,
    "implicit_negative": -1,
    "implicit_positive": 1,
    "explicit_positive": 2,
}
"""The sign says yes or no, the size how clearly."""


def polarities(log: Interactions, declared: Declaration) -> Int8s:
    """(N,) code of each event, one of `CODES`."""
    kinds = np.array([CODES[declared.events[name]] for name in log.event_names], np.int8)
    return np.full(log.num_events, kinds[0]) if log.events is None else kinds[log.events]


def positives(log: Interactions, declared: Declaration) -> Interactions:
    """The log without events of negative polarity: what models learn from."""
    chosen = polarities(log, declared) > 0
    return log if chosen.all() else log.select(chosen)


def refused(log: Interactions, declared: Declaration) -> Interactions:
    """What each user explicitly refused: `refused(log, declared).history(user)` are item codes.

    Of what a user explicitly said of an item the newest word counts, so an item disliked and later
    liked is not refused. Implicit events, such as skips, neither refuse nor forgive.

    Returns:
        The same users and items with one event a refused item: the newest that refuses it.
    """
    codes = polarities(log, declared)
    explicit = np.flatnonzero(np.abs(codes) == CODES["explicit_positive"])
    keep = np.zeros(log.num_events, bool)
    if (codes[explicit] < 0).any():
        users = np.searchsorted(log.offsets, explicit, side="right") - 1
        pairs = users * np.int64(log.num_items + 1) + log.items[explicit]
        # Histories run from old to new: the first of a pair from behind is its newest word.
        _, from_behind = np.unique(pairs[::-1], return_index=True)
        newest = explicit[len(explicit) - 1 - from_behind]
        keep[newest[codes[newest] < 0]] = True
    return log.select(keep)
