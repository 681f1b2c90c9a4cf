"""IVF: vectors in cells around centres, of which a search looks into the nearest; quick to build.

As faiss has it, the centres by spherical k-means. Its file holds the centres and each row's cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tastemaker.index.calibrate import Kind
from tastemaker.index.exact import Floats, Ids, Read
from tastemaker.index.library import faiss, one_thread, selector

_PER_CELL = 40
"""Vectors that each centre is learnt from."""
_ROUNDS = 8
"""Of k-means."""
_MOST = 2**14
"""Cells."""
_NEAR = 0.4
"""Share of what cells hold on average that is enough."""
_ENOUGH = 1024
_PROBES = tuple(sorted({round(2 ** (step / 4)) for step in range(4 * 15)}))


class Cells:
    """Rows by the cell that they lie in.

    Args:
        centres: (C, D), C at least 1.
    """

    kind: ClassVar[Kind] = "ivf"

    def __init__(self, centres: Floats) -> None:
        library = faiss()
        count, dim = centres.shape
        ground = library.IndexFlatIP(dim)
        ground.add(centres)
        self._centres, self._cells = centres, np.empty(0, np.int32)
        self._index = library.IndexIVFFlat(ground, dim, count, library.METRIC_INNER_PRODUCT)
        self._index.is_trained = True
        self.efforts = tuple(sorted({min(n, count) for n in _PROBES} | {count}))
        """Cells (nprobe) that are tried, the last of them all."""
        self.built = {"cells": count}

    @classmethod
    def build(cls, vectors: Floats, seed: int) -> Cells:
        """Cells of (n, D) vectors; equal ones and an equal seed give equal cells."""
        cells = cls(_centres(vectors, seed))
        cells.add(vectors)
        return cells

    @staticmethod
    def seconds(count: int, dim: int) -> float:
        """CPU-seconds that building takes, about: they differ by half from machine to machine."""
        cells = number_of_cells(count)
        return 3e-11 * cells * dim * (count + cells * _PER_CELL * _ROUNDS) + 2e-6 * count

    @staticmethod
    def bytes(count: int, dim: int) -> int:
        """Bytes that it holds beside the vectors of the store: them once more, and their rows."""
        return count * (4 * dim + 8 + 4) + 8 * dim * number_of_cells(count)

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        index = self._index
        return int(index.ntotal * (4 * index.d + 12) + 2 * self._centres.nbytes)

    def outgrown(self, count: int) -> bool:
        """Whether `count` vectors want another one: about four times as many as it was made for."""
        return number_of_cells(count) > 2 * len(self._centres)

    def add(self, vectors: Floats) -> None:
        """Append rows."""
        with one_thread():
            cells = self._index.quantizer.search(vectors, 1)[1][:, 0]
        self._put(vectors, cells.astype(np.int32))

    def _put(self, vectors: Floats, cells: npt.NDArray[np.int32]) -> None:
        """Append rows whose cells are known."""
        pointer, wide = faiss().swig_ptr, cells.astype(np.int64)
        with one_thread():
            self._index.add_core(len(vectors), pointer(vectors), None, pointer(wide))
        self._cells = np.concatenate([self._cells, cells])

    def wider(self, effort: int, share: float, more: int) -> int:
        """The effort where but a share of the rows may be given, or `more` than usual are asked."""
        return min(math.ceil(effort / math.sqrt(share)), len(self._centres))

    def enough(self, effort: int, wide: int, count: int) -> int:
        """What a filtered search finds at least where vectors that may be given are near."""
        return min(int(_NEAR * wide * count / len(self._centres)), _ENOUGH)

    def search(
        self, queries: Floats, k: int, effort: int, may: npt.NDArray[np.bool_] | None
    ) -> Ids:
        """(Q, k) rows, negative where it finds no more; only those that `may` be given."""
        chosen = selector(may)
        settings = faiss().SearchParametersIVF(nprobe=effort, sel=chosen)
        rows: Ids = self._index.search(queries, k, params=settings)[1]
        return rows

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """Centres and cells, to be kept."""
        return {"centres": self._centres, "cells": self._cells}

    @classmethod
    def types(cls, shapes: Mapping[str, tuple[int, ...]], count: int, dim: int) -> dict[str, Any]:
        """Shape and type that each tensor must have, given the shapes that there are."""
        centres = max(1, *shapes.get("centres", (1,))[:1])
        return {"centres": ((centres, dim), np.float32), "cells": ((count,), np.int32)}

    @classmethod
    def from_tensors(cls, saved: Mapping[str, Read], vectors: Floats) -> Cells:
        """The same as it was kept.

        Args:
            saved: Of the right shapes and types, and finite.
            vectors: (n, D) that it was made of.

        Raises:
            ValueError: If a cell is none.
        """
        centres, cells = saved["centres"], saved["cells"]
        if len(cells) and not 0 <= int(cells.min()) <= int(cells.max()) < len(centres):
            raise ValueError(f"a cell is not 0 to {len(centres) - 1}")
        kept = cls(centres)
        kept._put(vectors, cells)
        return kept


def number_of_cells(count: int) -> int:
    """Cells for `count` vectors: about four times their root, a power of two."""
    learnt = max(1, count // _PER_CELL)
    wanted = 1 << round(math.log2(4 * math.sqrt(max(1, count))))
    return min(wanted, learnt, _MOST)


def _centres(vectors: Floats, seed: int) -> Floats:
    """(C, D) unit vectors by spherical k-means, learnt from some of the vectors."""
    count = number_of_cells(len(vectors))
    if count == 1:
        return np.zeros((1, vectors.shape[1]), np.float32)
    with one_thread() as library:
        means = library.Kmeans(
            vectors.shape[1], count, niter=_ROUNDS, seed=seed % 2**31, spherical=True,
            max_points_per_centroid=_PER_CELL, min_points_per_centroid=1,
        )  # fmt: skip
        means.train(vectors)
    centres: Floats = np.ascontiguousarray(means.centroids)
    return centres
