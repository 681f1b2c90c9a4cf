"""Vectors by number: what is there, taken in at the end and let go of in place.

Rows are only ever appended, so that what is built on row numbers stays right and vectors may lie in
a file that is mapped into memory; a row that is let go of stays behind until `compacted`.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.index.exact import Floats, Ids, Read, Rows, lengths

S = TypeVar("S", bound=np.generic)

LONGEST = 1e18
"""Length of a vector up to which no inner product of two overflows float32."""
_SHOWN = 5


class Store:
    """Ids and vectors in rows.

    Args:
        ids: (n,) int64.
        vectors: (n, D) float32, finite, none longer than `LONGEST`.
        alive: (n,) rows whose id is there; among them each id is there once.
    """

    def __init__(self, ids: Ids, vectors: Floats, alive: npt.NDArray[np.bool_]) -> None:
        self._ids, self._vectors, self._alive = ids, vectors, alive
        self._rows = len(ids)
        self.longest = float(lengths(vectors).max(initial=0))
        living = np.flatnonzero(alive)
        order = np.argsort(ids[living], kind="stable")
        self._sorted_rows = living[order]
        self._sorted_ids = ids[self._sorted_rows]

    @classmethod
    def empty(cls, dim: int) -> Store:
        """Without a row."""
        return cls(np.empty(0, np.int64), np.empty((0, dim), np.float32), np.empty(0, bool))

    def __len__(self) -> int:
        """Vectors that are there."""
        return len(self._sorted_ids)

    @property
    def rows(self) -> int:
        """Rows, those that were let go of included."""
        return self._rows

    @property
    def dim(self) -> int:
        """D, the length of a vector."""
        return int(self._vectors.shape[1])

    @property
    def ids(self) -> Ids:
        """(n,) id of every row."""
        return self._ids[: self._rows]

    @property
    def vectors(self) -> Floats:
        """(n, D) vector of every row."""
        return self._vectors[: self._rows]

    @property
    def alive(self) -> npt.NDArray[np.bool_]:
        """(n,) whether a row is there."""
        return self._alive[: self._rows]

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        per_row = self._ids.nbytes + self._vectors.nbytes + self._alive.nbytes
        return per_row + self._sorted_ids.nbytes + self._sorted_rows.nbytes

    def all(self) -> Rows:
        """What is there, to be searched."""
        may = None if len(self) == self._rows else self.alive
        return Rows(self.ids, self.vectors, self.longest, may)

    def some(self, rows: Ids) -> Rows:
        """Some rows that are there, to be searched."""
        return Rows(self.ids, self.vectors, self.longest, None, rows)

    def find(self, ids: Ids) -> Ids:
        """(m,) rows of ids; −1 where an id is not there."""
        if not len(self):
            return np.full(len(ids), -1, np.int64)
        place = np.minimum(np.searchsorted(self._sorted_ids, ids), len(self) - 1)
        return np.where(self._sorted_ids[place] == ids, self._sorted_rows[place], -1)

    def add(self, ids: Ids, vectors: Floats) -> None:
        """Append rows.

        Raises:
            BadInput: If an id is there already or given twice.
        """
        order = np.argsort(ids, kind="stable")
        ordered = ids[order]
        _refuse_twice(ordered)
        _refuse(ids[self.find(ids) >= 0], "there already", "Remove them first, or leave them out.")
        self._reserve(len(ids))
        new = slice(self._rows, self._rows + len(ids))
        self._ids[new], self._vectors[new], self._alive[new] = ids, vectors, True
        self._rows = new.stop
        self.longest = max(self.longest, float(lengths(vectors).max(initial=0)))
        places = np.searchsorted(self._sorted_ids, ordered)
        self._sorted_ids = np.insert(self._sorted_ids, places, ordered)
        self._sorted_rows = np.insert(self._sorted_rows, places, new.start + order)

    def _reserve(self, more: int) -> None:
        """Have room for more rows; a store that grows doubles, so that adding stays cheap."""
        needed = self._rows + more
        if needed <= len(self._ids):
            return
        room = max(needed, 2 * self._rows)
        self._ids = _wider(self.ids, room)
        self._vectors = _wider(self.vectors, room)
        self._alive = _wider(self.alive, room)

    def remove(self, ids: Ids) -> None:
        """Let go of rows.

        Raises:
            BadInput: If an id is not there, or given twice.
        """
        _refuse_twice(np.sort(ids))
        rows = self.find(ids)
        _refuse(ids[rows < 0], "not there", "Give ids that were added and not removed since.")
        self._alive[rows] = False
        kept = self.alive[self._sorted_rows]
        self._sorted_ids, self._sorted_rows = self._sorted_ids[kept], self._sorted_rows[kept]

    def compacted(self) -> Store:
        """The same without what was let go of; rows have other numbers."""
        alive = self.alive
        return Store(self.ids[alive], self.vectors[alive], alive[alive])


def checked_ids(ids: npt.ArrayLike, option: str = "ids") -> Ids:
    """Ids as int64.

    Raises:
        BadInput: If they are not a row of whole numbers, each 0 or above.
    """
    given = _array(ids, option)
    if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
        what = f"The ids are {given.dtype} of shape {given.shape}."
        raise BadInput(what, option, "Give a one-dimensional array of whole numbers.")
    bad = given[(given < 0) | (given > np.iinfo(np.int64).max)] if given.size else given
    _refuse(bad, "not 0 to 2^63 − 1", "Number what is indexed from 0 on.", option)
    return given.astype(np.int64)


def checked_vectors(vectors: npt.ArrayLike, dim: int | None, option: str = "vectors") -> Floats:
    """Vectors as contiguous float32; not copied where they are that already.

    Args:
        vectors: (n, D) of any floating type.
        dim: D; None: any of at least 1.
        option: What they are called, for messages.

    Raises:
        BadInput: If they have another shape or type, a value is not finite, or one is too long.
    """
    given = _array(vectors, option)
    fits = given.ndim == 2 and (given.shape[1] == dim if dim else given.shape[1] > 0)
    if not fits or given.dtype.kind != "f":
        want = f"(n, {dim})" if dim else "(n, D), D at least 1"
        what = f"The {option} are {given.dtype} of shape {given.shape}."
        raise BadInput(what, option, f"Give floating-point numbers of shape {want}.")
    with np.errstate(over="ignore", invalid="ignore"):
        ready = np.ascontiguousarray(given, dtype=np.float32)
        long = lengths(ready)
    for wrong, why in (
        (~np.isfinite(long), "NaN or infinity among their values"),
        (long > LONGEST, f"a length above {LONGEST:.0e}"),
    ):
        rows = np.flatnonzero(wrong)
        if len(rows):
            what = f"{len(rows):,} of the {option} have {why}."
            where = f"{option}, rows {', '.join(map(str, rows[:_SHOWN]))}, counted from 0"
            raise BadInput(what, where, "Mend what makes them, or leave those rows out.")
    return ready


def _array(values: npt.ArrayLike, option: str) -> Read:
    try:
        return np.asarray(values)
    except (ValueError, OverflowError):  # rows of different lengths
        what = f"The {option} are no array."
        raise BadInput(what, option, "Give numbers, in rows of one length.") from None


def _wider(whole: npt.NDArray[S], rows: int) -> npt.NDArray[S]:
    """The same with room for more rows."""
    wider = np.empty((rows, *whole.shape[1:]), whole.dtype)
    wider[: len(whole)] = whole
    return wider


def _refuse_twice(ordered: Ids) -> None:
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    _refuse(twice, "given twice", "Give every id once.")


def _refuse(ids: npt.NDArray[np.generic], why: str, fix: str, option: str = "ids") -> None:
    if len(ids):
        shown = ", ".join(map(str, ids[:_SHOWN]))
        more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else ""
        raise BadInput(f"Ids are {why}: {shown}{more}.", option, fix)
