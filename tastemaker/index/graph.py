"""HNSW: a graph of near vectors in layers, walked from the top one down; fast, slow to build.

Malkov and Yashunin, 2016, as faiss has it. Its file holds the graph alone: `levels` (n,) how many
layers a vector is on, `neighbours` as numbers of rows, layer by layer and vector by vector, and the
row that a walk enters at.
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

M = 16
"""Neighbours of a vector in a layer; twice as many in the lowest."""
CONSTRUCTION = 100
"""Candidates that are looked at for them."""
_WIDEST = 2**14
"""Most candidates of a search, whatever is filtered."""
_NEAR = 8
"""Vectors that a search of `effort` finds at least for each candidate, where it looks at the right
place: those it only passes by are as many."""


class Graph:
    """Rows by their place in a graph.

    Args:
        index: Of faiss, an `IndexHNSWFlat`.
    """

    kind: ClassVar[Kind] = "hnsw"
    built: ClassVar = {"m": M, "construction": CONSTRUCTION}
    efforts: ClassVar = (16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024, 2048)
    """Candidates (ef) that are tried."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Floats, seed: int) -> Graph:
        """The graph of (n, D) vectors; equal ones and an equal seed give an equal graph."""
        graph = cls(_empty(vectors.shape[1]))
        graph._index.hnsw.rng = faiss().RandomGenerator(seed % 2**31)
        graph.add(vectors)
        return graph

    @staticmethod
    def seconds(count: int, dim: int) -> float:
        """CPU-seconds that building takes, about: they differ by half from machine to machine."""
        return count * math.log2(max(2, count)) * (6e-6 + 6e-8 * dim)

    @staticmethod
    def bytes(count: int, dim: int) -> int:
        """Bytes that it holds beside the vectors of the store: them once more, and the links."""
        return count * (4 * dim + 4 * 2 * M + 4 * 2 + 4 + 8)

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        hnsw, index = self._index.hnsw, self._index
        return int(4 * index.ntotal * index.d + 4 * hnsw.neighbors.size() + 12 * index.ntotal)

    def outgrown(self, count: int) -> bool:
        """Whether `count` vectors want another one; a graph grows with them."""
        return False

    def add(self, vectors: Floats) -> None:
        """Append rows."""
        with one_thread():
            self._index.add(vectors)

    def wider(self, effort: int, share: float, more: int) -> int:
        """The effort where but a share of the rows may be given, or `more` than usual are asked."""
        return int(min((effort + more) / share, max(_WIDEST, effort + more)))

    def enough(self, effort: int, wide: int, count: int) -> int:
        """What a filtered search finds at least where vectors that may be given are near."""
        return _NEAR * effort

    def search(
        self, queries: Floats, k: int, effort: int, may: npt.NDArray[np.bool_] | None
    ) -> Ids:
        """(Q, k) rows, negative where it finds no more; only those that `may` be given."""
        chosen = selector(may)
        settings = faiss().SearchParametersHNSW(efSearch=effort, sel=chosen)
        rows: Ids = self._index.search(queries, k, params=settings)[1]
        return rows

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """The graph, to be kept."""
        hnsw, arrays = self._index.hnsw, faiss().vector_to_array
        return {
            "levels": arrays(hnsw.levels),
            "neighbours": arrays(hnsw.neighbors),
            "entry": np.array([hnsw.entry_point], np.int32),
        }

    @classmethod
    def types(cls, shapes: Mapping[str, tuple[int, ...]], count: int, dim: int) -> dict[str, Any]:
        """Shape and type that each tensor must have, given the shapes that there are."""
        links = shapes.get("neighbours", (0,))
        return {
            "levels": ((count,), np.int32),
            "neighbours": (links[:1], np.int32),
            "entry": ((1,), np.int32),
        }

    @classmethod
    def from_tensors(cls, saved: Mapping[str, Read], vectors: Floats) -> Graph:
        """The graph as it was kept.

        Args:
            saved: Of the right shapes and types.
            vectors: (n, D) that it was made of.

        Raises:
            ValueError: If a walk on it could leave its rows.
        """
        index = _empty(vectors.shape[1])
        hnsw, library = index.hnsw, faiss()
        levels, links, entry = (saved[name] for name in ("levels", "neighbours", "entry"))
        before = library.vector_to_array(hnsw.cum_nneighbor_per_level).astype(np.int64)
        offsets = _checked(levels, links, int(entry[0]), before)
        index.storage.add(vectors)
        index.ntotal = len(vectors)
        for place, values in (
            (hnsw.levels, levels),
            (hnsw.offsets, offsets.astype(np.uint64)),
            (hnsw.neighbors, links),
        ):
            library.copy_array_to_vector(np.ascontiguousarray(values), place)
        hnsw.entry_point = int(entry[0])
        hnsw.max_level = int(levels.max(initial=0)) - 1
        return cls(index)


def _empty(dim: int) -> Any:
    library = faiss()
    index = library.IndexHNSWFlat(dim, M, library.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = CONSTRUCTION
    return index


def _checked(levels: Ids, links: Ids, entry: int, before: Ids) -> Ids:
    """(n + 1,) where the links of each vector begin.

    Args:
        levels: (n,).
        links: Neighbours of all.
        entry: Row that a walk enters at.
        before: (L + 1,) links of a vector below each layer.

    Raises:
        ValueError: Saying what is wrong.
    """
    count, deepest = len(levels), len(before) - 1
    if count and not 1 <= int(levels.min()) <= int(levels.max()) <= deepest:
        raise ValueError(f"levels are not 1 to {deepest}")
    offsets = np.concatenate([[0], np.cumsum(before[levels])])
    if len(links) != offsets[-1]:
        raise ValueError(f"there are {len(links):,} neighbours in place of {offsets[-1]:,}")
    if not (0 <= entry < count and levels[entry] == levels.max() if count else entry == -1):
        raise ValueError(f"a walk cannot enter at row {entry}")
    if len(links) and not (links.min() >= -1 and links.max() < count):
        raise ValueError("a neighbour is no row")
    # A neighbour in a layer must be on that layer itself: its links are read there next.
    for layer in range(int(levels.max(initial=1)) - 1, 0, -1):
        on = np.flatnonzero(levels > layer)
        places = offsets[on][:, None] + np.arange(before[layer], before[layer + 1])
        near = links[places]
        if (levels[near[near >= 0]] <= layer).any():
            raise ValueError(f"a neighbour in layer {layer} is not on it")
    return offsets
