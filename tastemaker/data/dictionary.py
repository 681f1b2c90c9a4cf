"""Ids → codes 0, 1, 2 … in order of appearance, for a column that is read in parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

_NUMBERS = 1 << 24
"""Whole numbers below this are looked up by position; at most 64 MB."""
_TENS = 10 ** np.arange(1, 8)


class Dictionary:
    """The distinct ids of a column so far.

    Texts are coded by the engine's hash table, whose look-ups leave the cache once there are many
    ids. Whole numbers, also those of a CSV file, only meet it the first time: then their code
    stands in an array. 7 and "7" are the same id, "07" is another.
    """

    def __init__(self) -> None:
        """Without ids."""
        self._kind = pl.Categorical(pl.Categories.random())
        # The engine forgets its table once no column uses it.
        self._alive = pl.Series([], dtype=self._kind)
        self._size = 0
        self._by_number = np.empty(0, np.uint32)  # one above the code; 0: not met yet

    def code(self, ids: pl.Series) -> npt.NDArray[np.uint32]:
        """(n,) codes of n texts or whole numbers, none of them missing."""
        numbers = _numbers(ids)
        if numbers is None:
            return self._coded(ids)
        high = int(numbers.max())
        if high >= len(self._by_number):
            more = np.zeros(max(high + 1, 2 * len(self._by_number)), np.uint32)
            more[: len(self._by_number)] = self._by_number
            self._by_number = more
        entries = self._by_number[numbers]
        new = numbers[entries == 0]
        if len(new):
            once = pl.Series(new).unique(maintain_order=True)
            self._by_number[once.to_numpy()] = self._coded(once) + 1
            entries = self._by_number[numbers]
        codes: npt.NDArray[np.uint32] = entries - 1
        return codes

    def ids(self) -> pl.Series:
        """(codes,) String: the id behind each code."""
        every = pl.Series(np.arange(self._size, dtype=np.uint32))
        return every.cat.to(self._kind).cast(pl.String)

    def _coded(self, ids: pl.Series) -> npt.NDArray[np.uint32]:
        coded = ids.cast(pl.String).cast(self._kind).to_physical()
        codes: npt.NDArray[np.uint32] = coded.cast(pl.UInt32).to_numpy()
        if len(codes):
            self._size = max(self._size, int(codes.max()) + 1)
        return codes


def _numbers(ids: pl.Series) -> npt.NDArray[np.integer] | None:
    """The ids as small whole numbers, where all of them are some and each is its only spelling."""
    if not len(ids):
        return None
    read = ids.cast(pl.Int64, strict=False) if ids.dtype == pl.String else ids
    if not read.dtype.is_integer() or read.has_nulls():
        return None
    numbers: npt.NDArray[np.integer] = read.to_numpy()
    if int(numbers.min()) < 0 or int(numbers.max()) >= _NUMBERS:
        return None
    if ids.dtype == pl.String:
        # "07", "+7" and " 7" are other ids than "7", and longer than their number needs.
        digits = 1 + np.searchsorted(_TENS, numbers, side="right")
        if not np.array_equal(digits, ids.str.len_bytes().to_numpy()):
            return None
    return numbers
