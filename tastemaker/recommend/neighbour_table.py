"""The neighbours of every item, worked out before anybody asks: one file, mapped into memory.

A row holds the K best items by engagement, by relevance and by the usual dial d, with both scores,
in the order of the usual dial: such a list is one slice. Another dial g weighs the row anew. What
stands outside the row scores at most s_K at each of the three dials, and scores run straight
between them, so a list is certain to be that of exact search if its last item scores more than

    (1 − g/d)·s_K(0) + g/d·s_K(d)                        for g < d, likewise between d and 1

(the bound of the threshold algorithm of Fagin, Lotem and Naor, with a third list); else the asker
must search.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.errors import ArtefactError
from tastemaker.recommend.item_search import NOTHING, Flags, Rows, Voices
from tastemaker.recommend.merge import Neighbours, Vectors, best_first, weighed

_ROUNDING = 1e-6
"""What single precision may add to a score."""
_FIX = "Restore the folder from a copy, or make it again."
_ENTRIES = ("items", "engagement", "relevance")
_LEAST = ("least_engagement", "least_relevance", "least_usual")
_VOICES = ("asks", "engages", "means")


@dataclass(frozen=True, eq=False)
class Entries:
    """Rows of neighbours, of M entries together."""

    offsets: Rows
    """(n + 1,) row i holds the entries from offsets[i] to offsets[i + 1]"""
    items: npt.NDArray[np.int32]
    """(M,) rows of the items beside"""
    engagement: Vectors
    """(M,) s^e; 0 where the head is silent"""
    relevance: Vectors
    """(M,) s^r; 0 where the head is silent"""
    least_engagement: Vectors
    """(n,) the K-th score by engagement; −inf where the row holds all that engagement knows"""
    least_relevance: Vectors
    """(n,) likewise by relevance"""
    least_usual: Vectors
    """(n,) likewise by the usual dial; −inf also where one head alone answers"""

    def __len__(self) -> int:
        """Rows, n."""
        return len(self.offsets) - 1


@dataclass(frozen=True, eq=False)
class NeighbourTable:
    """What n items are beside, each row in the order of the usual dial."""

    entries: Entries
    voices: Voices
    """which head knows which item"""
    sure: npt.NDArray[np.int32]
    """(n,) how many first entries of each row are those of exact search at the usual dial"""
    dial: float
    """the usual weight on relevance"""
    kept: int
    """items kept by each head, K"""

    def __len__(self) -> int:
        """Rows, n."""
        return len(self.entries)

    def nearest(
        self, row: int, k: int, dial: float | None = None, allow: Flags | None = None
    ) -> Neighbours | None:
        """The k best items beside one, as exact search gives them; None: the row does not say.

        Args:
            row: The item asked from.
            k: Number of items, at least 1; fewer where there are no more.
            dial: Weight on relevance; None: the usual one.
            allow: (n,) items that may come; None: all.
        """
        if (dial is None or dial == self.dial) and allow is None and k <= self.sure[row]:
            held = self.entries
            start = held.offsets[row]
            some = slice(start, start + k)
            used = self.voices.dial(row, self.dial)
            return Neighbours(held.items[some], held.engagement[some], held.relevance[some], used)
        return self._weighed(row, k, self.dial if dial is None else dial, allow)

    def _weighed(self, row: int, k: int, dial: float, allow: Flags | None) -> Neighbours | None:
        """As `nearest`, from the whole row weighed anew."""
        weight = self.voices.dial(row, dial)
        if weight is None:
            return NOTHING
        held = self.entries
        some = slice(held.offsets[row], held.offsets[row + 1])
        items, engagement, relevance = held.items[some], held.engagement[some], held.relevance[some]
        if weight in (0, 1) or allow is not None:
            may = self.voices.answers(weight)[items]
            may = may if allow is None else may & allow[items]
            items, engagement, relevance = items[may], engagement[may], relevance[may]
        scores = weighed(engagement, relevance, weight)
        places = best_first(scores, items, k)
        # The list of each of the three dials is stored whole: nothing outside comes before it.
        own = weight in (0, self.dial, 1) and allow is None and k <= self.kept
        bound = self._bound(row, weight)
        beaten = len(places) == k and scores[places[-1]] > bound
        if not (own or beaten or bound == -np.inf):
            return None
        return Neighbours(items[places], engagement[places], relevance[places], weight)

    def _bound(self, row: int, weight: float) -> float:
        """The most that an item outside a row can score."""
        held, floors, usual = self.entries, self.voices.floors, self.dial
        ends = float(held.least_engagement[row]), float(held.least_relevance[row])
        if weight in (0, 1):
            return ends[int(weight)]
        if max(ends) == -np.inf:
            return -np.inf  # the row holds all that either head knows
        low, high = max(ends[0], floors[0]), max(ends[1], floors[1])
        if not 0 < usual < 1:
            return (1 - weight) * low + weight * high + _ROUNDING
        middle = float(held.least_usual[row])
        if weight == usual:
            return middle
        if weight < usual:
            return (1 - weight / usual) * low + weight / usual * middle + _ROUNDING
        share = (weight - usual) / (1 - usual)
        return (1 - share) * middle + share * high + _ROUNDING

    def save(self, path: Path) -> None:
        """Write one Arrow file that `open` maps into memory."""
        held, rows = vars(self.entries), {**vars(self.entries), **vars(self.voices)}
        offsets = pa.array(self.entries.offsets)
        table = {
            **{n: pa.LargeListArray.from_arrays(offsets, pa.array(held[n])) for n in _ENTRIES},
            **{n: pa.array(rows[n]) for n in _LEAST},
            **{n: pa.array(rows[n].astype(np.uint8)) for n in _VOICES},
            "sure": pa.array(self.sure),
        }
        known = {"dial": repr(self.dial), "kept": str(self.kept)}
        write_arrow(path, pa.table(table).replace_schema_metadata(known))

    @classmethod
    def open(cls, path: Path, size: int) -> NeighbourTable:
        """Map what `save` wrote for n items; nothing of it is copied.

        Raises:
            ArtefactError: If it is damaged, or of another number of items.
        """
        table = open_arrow(path)
        if table.schema.remove_metadata() != _SCHEMA or table.num_rows != size or not size:
            want, got = f"{size:,} rows of {_SCHEMA.names}", f"{table.num_rows:,} of others"
            raise ArtefactError(str(path), "The table of neighbours does not fit", want, got, _FIX)
        column = {name: table.column(name).chunk(0) for name in table.column_names}
        offsets = column["items"].offsets.to_numpy()
        whole = {name: column[name].values.to_numpy() for name in _ENTRIES}
        plain = {name: column[name].to_numpy() for name in (*_LEAST, "sure", *_VOICES)}
        entries = Entries(offsets, **whole, **{name: plain[name] for name in _LEAST})
        voices = Voices(*(plain[name].view(np.bool_) for name in _VOICES))
        known = table.schema.metadata
        try:
            dial, kept = float(known[b"dial"]), int(known[b"kept"])
        except (KeyError, TypeError, ValueError) as error:
            want, got = "its dial and its length", repr(error)
            raise ArtefactError(str(path), "The table is not described", want, got, _FIX) from None
        _refuse_unsound(path, entries, plain["sure"])
        return cls(entries, voices, plain["sure"], dial, kept)


_SCHEMA = pa.schema(
    [
        ("items", pa.large_list(pa.int32())),
        ("engagement", pa.large_list(pa.float32())),
        ("relevance", pa.large_list(pa.float32())),
        *((name, pa.float32()) for name in _LEAST),
        *((name, pa.uint8()) for name in _VOICES),
        ("sure", pa.int32()),
    ]
)


def _refuse_unsound(path: Path, entries: Entries, sure: npt.NDArray[np.int32]) -> None:
    """Refuse rows that point outside the table."""
    counts, size = np.diff(entries.offsets), len(entries)
    sizes = {len(vars(entries)[name]) for name in _ENTRIES}
    inside = not len(entries.items) or 0 <= entries.items.min() <= entries.items.max() < size
    sound = entries.offsets[0] == 0 and (counts >= 0).all() and sizes == {entries.offsets[-1]}
    if not (sound and inside and (sure >= 0).all() and (sure <= counts).all()):
        what, want = "The table of neighbours is damaged", f"rows of items 0 to {size - 1:,}"
        raise ArtefactError(str(path), what, want, "others", _FIX)
