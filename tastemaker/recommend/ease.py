"""EASE: the linear item-to-item model with a closed form.

Paper: Embarrassingly Shallow Autoencoders for Sparse Data, arXiv 1905.03375. With X the (U, I) 0/1
matrix of who chose what, P = (XᵀX + λI)⁻¹ and B = I − P·diag(1/diag P), a user with row x is scored
x·B. With fewer users than items the Woodbury identity gives P = (I − XᵀCX)/λ, C = (XXᵀ + λI)⁻¹, so
that nothing of size I² is made.

Left out: nothing. Checked: tests/recommend/test_ease.py (both routes against a float64 inverse).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from scipy.linalg import lapack
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.recommend.one_row import row_times
from tastemaker.recommend.saved_tensors import GREATEST, Saved

Array = npt.NDArray[Any]

LARGEST = 20_000
"""Rows of the matrix to invert beyond which the model is not fitted."""
_CELLS = 2**22
"""Numbers of a block: 16 MB beside the matrix."""


@dataclass(frozen=True)
class Ease:
    """Fitted by one inverse of size min(U, I)."""

    inverse: Array
    """(I, I) −P/diag P with a zero diagonal, or (U, U) C; float32"""
    users: sp.csr_array | None = None
    """(U, I) X; only with fewer users than items"""
    diagonal: Array | None = None
    """(I,) diag P; only with fewer users than items"""
    regulariser: float = 500.0
    """λ (protocol §4)"""

    KNOBS: ClassVar[dict[str, tuple[float, ...]]] = {
        "regulariser": (500.0, 20.0, 50.0, 100.0, 200.0, 1000.0, 2000.0)
    }
    """values worth trying, the default first"""

    @classmethod
    def fit(cls, contexts: Contexts, num_items: int, regulariser: float = 500.0) -> Self:
        """Solve in closed form.

        Raises:
            BadInput: If both users and items are too many for a dense inverse.
        """
        size = min(len(contexts), num_items)
        if size > LARGEST:
            what = f"EASE inverts a dense matrix of {size:,} rows; the limit is {LARGEST:,}."
            raise BadInput(what, "ease", "The other counting models stand in for it.")
        matrix = binary(contexts, num_items)
        if len(contexts) < num_items:
            return cls._by_users(matrix, regulariser)
        inverse = _inverse(_gram(sp.csr_array(matrix.T)), regulariser)
        inverse /= -np.diag(inverse).copy()[None, :]
        np.fill_diagonal(inverse, 0.0)
        return cls(inverse, regulariser=regulariser)

    @classmethod
    def _by_users(cls, matrix: sp.csr_array, regulariser: float) -> Self:
        inverse = _inverse(_gram(matrix), regulariser)
        spread = np.empty(matrix.shape[1])
        rows = sp.csr_array(matrix.T)
        for start in range(0, len(spread), step := _step(len(inverse))):
            block = rows[start : start + step]
            spread[start : start + step] = block.multiply(block @ inverse).sum(1)
        # It is never below 1/(n + λ), n the users of an item; rounding could take it to 0.
        least = 1 / (np.diff(rows.indptr) + regulariser)
        diagonal = np.maximum((1 - spread) / regulariser, least)
        return cls(inverse, matrix, diagonal.astype(np.float32), regulariser)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) x·B."""
        if self.users is None or self.diagonal is None:
            chosen = binary(contexts, len(self.inverse))
            return torch.from_numpy(np.asarray(chosen @ self.inverse, np.float32))
        if len(contexts) == 1:
            return self._score_row(np.unique(contexts.items - 1), self.diagonal)
        chosen = binary(contexts, len(self.diagonal))
        x = chosen.toarray()
        through = np.asarray((chosen @ self._by_items).toarray(), np.float32) @ self.inverse
        projected = (x - np.asarray(self._by_items @ through.T).T) / self.regulariser
        scores = np.asarray(x - projected / self.diagonal, np.float32)
        return torch.from_numpy(scores)

    def _score_row(self, columns: Array, diagonal: Array) -> Tensor:
        """(1, I) as `score`, of one user who chose the items in `columns`."""
        x = np.zeros(len(diagonal), np.float32)
        x[columns] = 1
        met = row_times(columns, np.ones(len(columns), np.float32), self._by_items)
        projected = (
            x - self._by_items @ (met.astype(np.float32) @ self.inverse)
        ) / self.regulariser
        return torch.from_numpy(np.asarray(x - projected / diagonal, np.float32)[None])

    @cached_property
    def _by_items(self) -> sp.csr_array:
        """(I, U) who chose each item, in rows: to turn X round takes longer than to score a row."""
        assert self.users is not None
        return sp.csr_array(self.users.T)

    def tensors(self) -> dict[str, Array]:
        """The inverse and, with fewer users than items, X in compressed rows and diag P."""
        arrays = {"inverse": self.inverse, "regulariser": np.array([self.regulariser])}
        if self.users is not None and self.diagonal is not None:
            arrays |= {"indices": self.users.indices, "indptr": self.users.indptr}
            arrays |= {"diagonal": self.diagonal}
        return arrays

    @classmethod
    def from_tensors(cls, saved: Saved) -> Self:
        """The model as it was saved, its parts checked."""
        regulariser, size = saved.number("regulariser", "regulariser"), saved.num_items
        if not {"diagonal", "indices", "indptr"} & saved.parts.keys():
            within = (-GREATEST, GREATEST)
            inverse = saved.floats("inverse", (size, size), np.float32, within)
            return cls(inverse, regulariser=regulariser)
        indices, bounds = saved.rows(size)
        shape = (len(bounds) - 1, size)
        users = sp.csr_array((np.ones(len(indices), np.float32), indices, bounds), shape)
        # No entry of C or P is above 1/λ; twice that leaves room for rounding.
        most = 2 / regulariser
        inverse = saved.floats("inverse", (shape[0], shape[0]), np.float32, (-most, most))
        diagonal = saved.floats("diagonal", (size,), np.float32, (1 / GREATEST, most))
        return cls(inverse, users, diagonal, regulariser)


def binary(contexts: Contexts, num_items: int) -> sp.csr_array:
    """(B, I) 0/1 float32 matrix of what each row holds."""
    ones = np.ones(len(contexts.items), np.float32)
    shape = (len(contexts), num_items)
    kind = sp.get_index_dtype(maxval=max(len(ones), num_items))
    # Copied, since merging duplicates would move the row bounds under the caller.
    parts = (ones, (contexts.items - 1).astype(kind), contexts.offsets.astype(kind, copy=True))
    matrix = sp.csr_array(parts, shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _gram(rows: sp.csr_array) -> Array:
    """(N, N) float32 rows·rowsᵀ: counts, exact below 2^24; no sparse product of all is held."""
    columns, size = sp.csr_array(rows.T), rows.shape[0]
    gram = np.empty((size, size), np.float32)
    for start in range(0, size, step := _step(size)):
        gram[start : start + step] = (rows[start : start + step] @ columns).toarray()
    return gram


def _inverse(gram: Array, regulariser: float) -> Array:
    """Inverse of the symmetric (gram + λI), in the memory of `gram`; (N, N) in rows."""
    gram[np.diag_indices(len(gram))] += regulariser
    # The transpose is the same matrix in the order of columns, which LAPACK overwrites.
    factor, info = lapack.spotrf(gram.T, lower=1, overwrite_a=1)
    if info == 0:
        factor, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        raise np.linalg.LinAlgError(f"the Gram matrix could not be inverted (info {info})")
    _mirror(factor)
    return np.ascontiguousarray(factor.T)


def _mirror(lower: Array) -> None:
    """Copy what stands below the diagonal to above it, in place, some columns at a time."""
    for start in range(0, len(lower), step := _step(len(lower))):
        stop = min(start + step, len(lower))
        square = lower[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
        lower[start:stop, stop:] = lower[stop:, start:stop].T


def _step(width: int) -> int:
    """Rows of a block of `_CELLS` numbers."""
    return max(1, _CELLS // max(1, width))
