"""Search from an item: every other item weighed by both heads, to the last bit.

Where there are too many items to look at one and all, an index finds candidates, and what is said
of them stays exact.

A score depends on its two items alone, never on what else is computed beside it or in which order:
vectors are rounded to multiples of 2⁻²⁵, so that every product is a multiple of 2⁻⁵⁰ and every sum
of them, at most 1 in size, is exact in double precision. Hence tables built in blocks, refreshed in
part, or searched row by row agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tastemaker.errors import NumericFault
from tastemaker.recommend.merge import ItemHeads, Neighbours, Vectors, best_first, weighed
from tastemaker.seams import Index

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_GRID = 2.0**25
_LONGEST = 1 + 1e-4
"""Length of a vector of one, with the rounding of single precision."""
_BLOCK = 2**16
"""Rows whose vectors are made double at a time."""
_SPARE = 16
"""Candidates beyond those wanted, since some that an index finds may not be listed."""
_KEPT = 25_000_000
"""Numbers kept in double precision between calls: 200 MB."""


@dataclass(frozen=True, eq=False)
class Voices:
    """Which head knows which of n items."""

    asks: Flags
    """(n,) an item that can be asked from by engagement"""
    engages: Flags
    """(n,) an item that can follow by engagement"""
    means: Flags
    """(n,) an item with a meaning"""

    @cached_property
    def listed(self) -> Flags:
        """(n,) items that can be in a list."""
        return self.engages | self.means

    def dial(self, row: int, wanted: float) -> float | None:
        """The weight on relevance that an item is asked with: one head answers for a silent one."""
        if not self.asks[row]:
            return 1.0 if self.means[row] else None
        return wanted if self.means[row] else 0.0

    def dials(self, wanted: float) -> Doubles:
        """(n,) as `dial`, of all items; NaN where neither head knows one."""
        alone = np.where(self.means, 1.0, np.nan)
        return np.where(self.asks, np.where(self.means, wanted, 0.0), alone)

    @cached_property
    def floors(self) -> tuple[float, float]:
        """What each head says of items that only the other knows: 0, or −inf without such items."""
        known = self.engages, self.means
        low, high = (0.0 if (self.listed & ~one).any() else -np.inf for one in known)
        return low, high

    def answers(self, dial: float) -> Flags:
        """(n,) items that can be in a list: at either end of the dial those its head knows."""
        return self.engages if dial == 0 else self.means if dial == 1 else self.listed


@dataclass(frozen=True, eq=False)
class ItemSearch:
    """n items that can be searched from each other.

    Raises:
        NumericFault: If a vector is not finite, or longer than one.
    """

    heads: ItemHeads
    index: Index | None = None
    """what finds candidates by `heads.stored()`, under the numbers of the rows; None: all are"""

    def __post_init__(self) -> None:
        """Check every vector."""
        parts = self.heads.trigger, self.heads.target, self.heads.relevance
        for name, vectors in zip(("trigger", "target", "relevance"), parts, strict=True):
            lengths = np.linalg.norm(vectors, axis=1)
            bad = np.flatnonzero(~(lengths <= _LONGEST))  # NaN compares false
            if len(bad):
                raise NumericFault(
                    f"{len(bad):,} {name} vectors of items are not finite, or longer than one.",
                    f"items at positions {bad[:8].tolist()}, counted from 0",
                    "The model is broken: train it again, with a lower learning rate.",
                )

    def __len__(self) -> int:
        """Items, n."""
        return len(self.heads.target)

    @cached_property
    def voices(self) -> Voices:
        """Which head knows which item."""
        heads = self.heads
        return Voices(_spoken(heads.trigger), _spoken(heads.target), _spoken(heads.relevance))

    def parts(self, rows: Rows, columns: Rows | None = None) -> tuple[Vectors, Vectors]:
        """What both heads say of items in `columns` beside those in `rows`: (R, n) each.

        Args:
            rows: (R,) items asked from.
            columns: Items asked for; None: all n of them.
        """
        heads = self.heads
        asked = _exact(heads.trigger[rows]), _exact(heads.relevance[rows])
        count = len(self) if columns is None else len(columns)
        both = np.empty((2, len(rows), count), np.float32)
        for start in range(0, count, _BLOCK):
            some = slice(start, start + _BLOCK)
            for one, wide in zip((0, 1), self._wide(some, columns), strict=True):
                both[one, :, some] = asked[one] @ wide.T
        return both[0], both[1]

    def pairs(self, rows: Rows, columns: Rows) -> tuple[Vectors, Vectors]:
        """What both heads say of a few items beside each row: (R, m) each, as `parts` says it.

        Args:
            rows: (R,) items asked from.
            columns: (R, m) items asked for.
        """
        heads = self.heads
        both = ((heads.trigger, heads.target), (heads.relevance, heads.relevance))
        engaging, meaning = (
            np.einsum("rd,rmd->rm", _exact(asked[rows]), _exact(stored[columns]))
            for asked, stored in both
        )
        return engaging.astype(np.float32), meaning.astype(np.float32)

    def candidates(self, rows: Rows, k: int, dials: Doubles) -> Rows:
        """(R, m) items that an index finds beside each row by its dial; −1 where there is none."""
        assert self.index is not None
        items, _ = self.index.search(self.heads.queries(rows, dials), k + _SPARE)
        return np.where(items == rows[:, None], -1, items)

    def _wide(self, some: slice, columns: Rows | None) -> tuple[Doubles, Doubles]:
        """Targets and meanings of a block of columns, ready for exact sums."""
        if columns is None and self._kept is not None:
            return self._kept[0][some], self._kept[1][some]
        chosen = some if columns is None else columns[some]
        return _exact(self.heads.target[chosen]), _exact(self.heads.relevance[chosen])

    @cached_property
    def _kept(self) -> tuple[Doubles, Doubles] | None:
        """Targets and meanings of all items, where they are few."""
        heads = self.heads
        if heads.target.size + heads.relevance.size > _KEPT:
            return None
        return _exact(heads.target), _exact(heads.relevance)

    def nearest(
        self,
        row: int,
        k: int,
        dial: float,
        allow: Flags | None = None,
        boosts: Doubles | None = None,
    ) -> Neighbours:
        """The k best items beside one, never itself, equal scores by the lower row.

        Args:
            row: The item asked from.
            k: Number of items, at least 1; fewer where there are no more.
            dial: Weight on relevance, in [0, 1].
            allow: (n,) items that may come; None: all.
            boosts: (n,) added to the scores; None: nothing.
        """
        weight = self.voices.dial(row, dial)
        if weight is None:
            return NOTHING
        may = self.voices.answers(weight) & (True if allow is None else allow)
        may[row] = False
        if self.index is not None and boosts is None:
            return self._found(row, k, weight, may)
        if boosts is None and self._stored is not None:
            return self._exactly(row, k, weight, self._near(row, k, weight, may))
        engagement, relevance = (part[0] for part in self.parts(np.array([row])))
        scores = weighed(engagement, relevance, weight)
        if boosts is not None:
            scores = (scores + boosts).astype(np.float32)
        items = np.flatnonzero(may).astype(np.int32)
        items = items[best_first(scores[items], items, k)]
        return Neighbours(items, engagement[items], relevance[items], weight)

    @cached_property
    def _stored(self) -> Vectors | None:
        """Both heads side by side, where they are few enough to be kept."""
        return self.heads.stored() if len(self) * self.heads.width <= _KEPT else None

    def _near(self, row: int, k: int, weight: float, may: Flags) -> npt.NDArray[np.int64]:
        """Items among which the k best are: one product in single precision says which.

        It is wrong by at most half a unit in the last place for each of its terms, so whatever lies
        closer to the k-th best than twice that is looked at again.
        """
        assert self._stored is not None
        about = self._stored @ self.heads.queries(np.array([row]), weight)[0]
        about[~may] = -np.inf
        if k >= len(about):
            return np.flatnonzero(may)
        last = np.partition(about, len(about) - k)[len(about) - k]
        unsure = 2 * (self.heads.width + 8) * np.float32(2.0**-23)
        return np.flatnonzero((about >= last - unsure) & may)

    def _found(self, row: int, k: int, weight: float, may: Flags) -> Neighbours:
        """The best of what the index finds; where it finds too little, of what it is asked for."""
        rows, wanted = np.array([row]), min(k, int(may.sum()))
        items = self.candidates(rows, k, np.array([weight]))[0]
        items = items[(items >= 0) & may[items]]
        if len(items) < wanted:
            assert self.index is not None
            query = self.heads.queries(rows, weight)
            items = self.index.search(query, k, np.flatnonzero(may))[0][0]
            items = items[items >= 0]
        return self._exactly(row, k, weight, items)

    def _exactly(self, row: int, k: int, weight: float, items: npt.NDArray[np.int64]) -> Neighbours:
        """The k best of some items, to the last bit."""
        engagement, relevance = (part[0] for part in self.pairs(np.array([row]), items[None]))
        scores = weighed(engagement, relevance, weight)
        places = best_first(scores, items.astype(np.int32), k)
        chosen = items[places].astype(np.int32)
        return Neighbours(chosen, engagement[places], relevance[places], weight)


NOTHING = Neighbours(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32), None)
"""What is beside an item that neither head knows."""


def _spoken(vectors: Vectors) -> Flags:
    known: Flags = (vectors != 0).any(axis=1)
    return known


def _exact(vectors: Vectors) -> Doubles:
    rounded: Doubles = np.round(vectors.astype(np.float64) * _GRID) / _GRID
    return rounded
