"""What users of a log do, as numbers that know no user, item or order: its marginals.

A user's concentration is the chance that two of their events, drawn by lot, are of one category:
Σ n_c (n_c − 1) / (n (n − 1)), which does not depend on how many events there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Int8s, Int64s
from tastemaker.data.declaration import POLARITIES
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES

Floats = npt.NDArray[np.float64]
NONE = "none"
"""Category of items of which none is known."""


@dataclass(frozen=True, eq=False)
class Behaviour:
    """A log whose users all have events, with what its events say and its items are."""

    log: Interactions
    """each user's events oldest first"""
    codes: Int8s
    """(N,) code of `polarity.CODES` of each event"""
    categories: tuple[tuple[str, ...], ...]
    """(I,) categories of each item, at least one; the first is the one that counts here"""

    @classmethod
    def of(cls, log: Interactions, codes: Int8s, catalog: Catalog) -> Behaviour:
        """Of a log ordered by time, and any catalogue."""
        known = catalog.align(log.item_ids).frame["categories"].to_list()
        return cls(log, codes, tuple(tuple(own) if own else (NONE,) for own in known))

    @cached_property
    def owners(self) -> Int64s:
        """(N,) user code of each event."""
        return np.repeat(np.arange(self.log.num_users), self.log.lengths)

    @cached_property
    def names(self) -> list[str]:
        """(C,) names of the first categories."""
        return sorted({own[0] for own in self.categories})

    @cached_property
    def first(self) -> Int64s:
        """(I,) place in `names` of each item's first category."""
        places = {name: place for place, name in enumerate(self.names)}
        return np.array([places[own[0]] for own in self.categories], np.int64)

    @cached_property
    def popularity(self) -> Int64s:
        """(I,) events of each item."""
        return np.bincount(self.log.items - 1, minlength=self.log.num_items).astype(np.int64)

    @cached_property
    def by_category(self) -> Int64s:
        """(U, C) events of each user, by first category."""
        return self._table(self.first[self.log.items - 1], len(self.names))

    @cached_property
    def by_polarity(self) -> Int64s:
        """(U, 4) events of each user, in the order of `POLARITIES`."""
        places = np.zeros(5, np.int64)
        for place, name in enumerate(POLARITIES):
            places[CODES[name] + 2] = place
        return self._table(places[self.codes + 2], len(POLARITIES))

    @cached_property
    def gaps(self) -> Int64s:
        """Seconds between neighbouring events of a user; empty without times."""
        times = self.log.times
        if times is None:
            return np.empty(0, np.int64)
        gaps: Int64s = np.diff(times)[np.diff(self.owners) == 0]
        return gaps

    @cached_property
    def repeats(self) -> float:
        """Share of events whose item the user has met before."""
        pairs = self.owners * np.int64(self.log.num_items + 1) + self.log.items
        return 1.0 - len(np.unique(pairs)) / self.log.num_events

    def category_shares(self) -> dict[str, float]:
        """Share of events by any category; an event of several counts in parts."""
        shares: dict[str, float] = {}
        for own, events in zip(self.categories, self.popularity.tolist(), strict=True):
            for name in own:
                shares[name] = shares.get(name, 0.0) + events / len(own) / self.log.num_events
        return shares

    def ranks(self) -> Int64s:
        """(N,) place of each event's item in the order of popularity, from 0."""
        places = np.empty(self.log.num_items, np.int64)
        places[np.argsort(-self.popularity, kind="stable")] = np.arange(self.log.num_items)
        ranks: Int64s = places[self.log.items - 1]
        return ranks

    def _table(self, columns: Int64s, many: int) -> Int64s:
        cells = np.bincount(self.owners * many + columns, minlength=self.log.num_users * many)
        return cells.reshape(-1, many).astype(np.int64)


def concentrations(counts: Int64s) -> Floats:
    """Concentration of each user with two events or more, from (U, C) counts; 0 to 1."""
    totals = counts.sum(1)
    able = counts[totals > 1]
    both = totals[totals > 1]
    return np.asarray((able * (able - 1)).sum(1) / (both * (both - 1.0)), np.float64)
