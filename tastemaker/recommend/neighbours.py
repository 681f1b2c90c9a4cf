"""Neighbours: the items most often chosen by the same users, by cosine, without a dense matrix.

cos(a, b) = |users of both| / √(|users of a|·|users of b|). Only pairs that some user chose are ever
made, so the work grows with the pairs and not with the square of the catalogue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

_PAIRS = 4_000_000
"""Pairs made at a time: about 100 MB."""


def nearest(users: sp.csr_array, k: int, ties: bool = True) -> sp.csr_array:
    """The largest cosines of each item.

    Args:
        users: (U, I) 0/1, what each user chose.
        k: Neighbours of an item, at least 1.
        ties: Keep all that equal the last one too; else the lower items of them, so that no item
            has more than `k`.

    Returns:
        (I, I) S[a, b]: the cosine of a and b where a is a neighbour of b; the diagonal is empty.
    """
    items = sp.csr_array(users.T.astype(np.float64))
    users = users.astype(np.float64)
    norms = np.sqrt(np.maximum(np.diff(items.indptr), 1))
    blocks = []
    for rows in _blocks(items, users):
        block = items[rows] @ users
        owners = np.repeat(np.arange(rows.start, rows.stop), np.diff(block.indptr))
        # Counts are exact, so equal cosines stay equal and no neighbour is lost to rounding.
        block.data /= norms[owners]
        block.data /= norms[block.indices]
        block.data[block.indices == owners] = 0
        _cut(block, k, ties)
        block.eliminate_zeros()
        blocks.append(block)
    return sp.csr_array(sp.vstack(blocks).T)


def _blocks(items: sp.csr_array, users: sp.csr_array) -> list[slice]:
    """Runs of items that have at most `_PAIRS` pairs together, or one item each."""
    size = items.shape[0]
    pairs = np.minimum(items @ np.diff(users.indptr).astype(np.float64), size)
    before, bounds = np.cumsum(pairs) - pairs, [0]
    while bounds[-1] < size:
        start = bounds[-1]
        stop = int(np.searchsorted(before + pairs, before[start] + _PAIRS, side="right"))
        bounds.append(max(start + 1, stop))
    return [slice(start, stop) for start, stop in zip(bounds, bounds[1:], strict=False)]


def _cut(block: sp.csr_array, k: int, ties: bool) -> None:
    """Zero what is below the `k` largest of a row, in place."""
    bounds: npt.NDArray[Any] = block.indptr
    for row in np.flatnonzero(np.diff(bounds) > k):
        values = block.data[bounds[row] : bounds[row + 1]]
        least = np.partition(values, len(values) - k)[len(values) - k]
        values[values < least] = 0
        surplus = np.count_nonzero(values) - k
        if surplus > 0 and not ties:
            equals = np.flatnonzero(values == least)
            columns = block.indices[bounds[row] : bounds[row + 1]][equals]
            values[equals[np.argsort(columns)[-surplus:]]] = 0
