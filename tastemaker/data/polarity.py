"""Polarity: what each event says about its item, from the declaration and the whole log.

An event has the polarity of the band that its value lies in, else that of its kind. Events of
positive polarity are learnt; the items that a user explicitly refused are never offered again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted
from tastemaker.data.declaration import Declaration, Polarity
from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput

Int8s = npt.NDArray[np.int8]

CODES: dict[Polarity, int] = {
    "explicit_negative": -2,
    "implicit_negative": -1,
    "implicit_positive": 1,
    "explicit_positive": 2,
}
"""The sign says yes or no, the size how clearly; 0 is no polarity."""


def by_kind(log: Interactions, declared: Declaration) -> Int8s:
    """(kinds,) code of each of the log's `event_names`.

    Raises:
        BadInput: If one of them is not declared.
    """
    for name in log.event_names:
        if name not in declared.events:
            known = ", ".join(declared.events)
            fix = f"Declare it in dataset.json (declared: {known})."
            raise BadInput(f"Event {name!r} is not declared.", "events of the log", fix)
    return np.array([CODES[declared.events[name]] for name in log.event_names], np.int8)


def by_band(log: Interactions, declared: Declaration) -> Int8s:
    """(N,) code of the band that each event's value lies in; 0 where it lies in none.

    Where an implicit and an explicit band overlap, the explicit one counts.
    """
    if log.values is None:
        return np.zeros(log.num_events, np.int8)
    return of_values(log.values, declared)


def of_values(values: npt.NDArray[np.float32], declared: Declaration) -> Int8s:
    """(N,) code of the band that each value lies in, as `by_band`; 0 for NaN."""
    codes = np.zeros(len(values), np.int8)
    for polarity in sorted(declared.bands, key=lambda name: abs(CODES[name])):
        # Values are stored in single precision, and 3.3 is a little less there.
        with np.errstate(over="ignore"):
            low, high = np.array(declared.bands[polarity]).astype(np.float32)
        codes[(values >= low) & (values <= high)] = CODES[polarity]
    return codes


def polarities(log: Interactions, declared: Declaration) -> Int8s:
    """(N,) code of each event, one of `CODES`."""
    kinds, bands = by_kind(log, declared), by_band(log, declared)
    if log.events is None:
        return np.where(bands != 0, bands, kinds[0])
    return np.where(bands != 0, bands, kinds[log.events])


def positives(log: Interactions, declared: Declaration) -> Interactions:
    """The log without events of negative polarity: what models learn from.

    Raises:
        BadInput: If no event is positive.
    """
    if not declared.bands and np.all(by_kind(log, declared) > 0):
        return log
    codes = polarities(log, declared)
    chosen, said = codes > 0, replace(log, polarities=codes)
    if chosen.all():
        return said
    if not chosen.any():
        raise BadInput(
            f"None of the {counted(log.num_events, 'event')} is positive, so there is nothing to "
            "learn.",
            "dataset.json: events and value.bands",
            "Declare which events, or which values, say that somebody chose the item.",
        )
    return said.select(chosen)


def refused(log: Interactions, declared: Declaration) -> Interactions:
    """What each user explicitly refused: `refused(log, declared).history(user)` are item codes.

    Of what a user explicitly said of an item the newest word counts, so an item disliked and later
    liked is not refused. Implicit events, such as skips, neither refuse nor forgive.

    Returns:
        The same users and items with one event a refused item: the newest that refuses it.
    """
    codes = polarities(log, declared)
    explicit = np.flatnonzero(np.abs(codes) == CODES["explicit_positive"])
    if not (codes[explicit] < 0).any():
        return log.select(np.zeros(log.num_events, bool))
    users = np.searchsorted(log.offsets, explicit, side="right") - 1
    pairs = users * np.int64(log.num_items + 1) + log.items[explicit]
    # Histories run from old to new: the first of a pair from behind is its newest word.
    _, from_behind = np.unique(pairs[::-1], return_index=True)
    newest = explicit[len(explicit) - 1 - from_behind]
    keep = np.zeros(log.num_events, bool)
    keep[newest[codes[newest] < 0]] = True
    return log.select(keep)
