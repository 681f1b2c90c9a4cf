"""One row times a sparse matrix: what a single request asks, a few dozen numbers in all.

A sparse library spends more on checking its arguments than on such a product. The sums are taken in
the order in which it takes them, by ascending column, so both give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import ranges


def row_times(
    columns: npt.NDArray[np.integer], values: npt.NDArray[np.floating], matrix: sp.csr_array
) -> npt.NDArray[np.float64]:
    """(J,) product of a sparse row and an (I, J) matrix in compressed rows.

    Args:
        columns: Places of the row's n numbers, ascending, each once.
        values: (n,) the numbers.
        matrix: Its rows are the columns of the row.
    """
    bounds: npt.NDArray[Any] = matrix.indptr
    starts, ends = bounds[columns], bounds[columns + 1]
    entries = ranges(starts, ends)
    parts = np.repeat(values, ends - starts) * matrix.data[entries]
    sums = np.bincount(matrix.indices[entries], parts, matrix.shape[1])
    return sums.astype(np.float64, copy=False)  # counts of nothing are whole numbers
