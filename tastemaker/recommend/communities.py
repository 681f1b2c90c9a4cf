"""Communities: items that the same users choose, found in the graph of who chose what with what.

Two items are joined where one is among the nearest of the other by cosine, cos(a, b) =
|users of both| / √(|users of a|·|users of b|), which is the weight of the edge. Leiden of
scikit-network parts the graph so that edges within communities outweigh what chance would give.

A user speaks with the newest events alone and an item has few neighbours, so memory grows with
items and users, and work with events, however long a history is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.models.extras import extra
from tastemaker.recommend.ease import binary
from tastemaker.recommend.neighbours import nearest

Int64s = npt.NDArray[np.int64]

NEWEST = 200
"""Events of a user that join items: a longer history says little of which belong together."""
NEIGHBOURS = 20
"""Items that an item is joined to by its own choice. With 50, planted groups of 20 items ran into
each other; 10 to 20 found them all."""


def communities(
    train: Contexts, num_items: int, resolution: float = 1.5, most: int = 20, seed: int = 0
) -> Int64s:
    """The community of each item.

    Args:
        train: Training events, one row a user.
        num_items: I.
        resolution: Larger values give more and smaller communities.
        most: Communities that are kept, the largest ones.
        seed: Of the order in which items are moved.

    Returns:
        (I,) number of the community, the largest being 0; −1 where an item has no training
        events, was never chosen beside another, or is in a community beyond the largest.

    Raises:
        BadInput: If the library is not installed.
    """
    graph = _joined(train, num_items)
    inside = np.flatnonzero(np.diff(graph.indptr))
    labels = np.full(num_items, -1, np.int64)
    if len(inside):
        labels[inside] = _parted(graph[inside][:, inside], resolution, seed)
    return by_size(labels, most)


def by_size(labels: Int64s, most: int, counted: npt.NDArray[np.bool_] | None = None) -> Int64s:
    """Labels numbered anew, 0 the most frequent; of equals first what comes first.

    Args:
        labels: (n,) from 0; −1 stays.
        most: Labels that are kept; others become −1.
        counted: (n,) where labels count; one that stands nowhere there becomes −1. Default: all.
    """
    held = labels[labels >= 0 if counted is None else counted & (labels >= 0)]
    known, first, counts = np.unique(held, return_index=True, return_counts=True)
    order = known[np.lexsort((first, -counts))]
    renamed = np.full(max(labels.max(initial=-1), 0) + 2, -1, np.int64)
    renamed[order[:most]] = np.arange(min(most, len(order)))
    ordered: Int64s = renamed[labels]  # −1 is the last one, which stays
    return ordered


def _joined(train: Contexts, num_items: int) -> sp.csr_array:
    """(I, I) symmetric cosines of items with their nearest."""
    starts = np.maximum(train.offsets[:-1], train.offsets[1:] - NEWEST)
    columns = {"items": train.items}
    newest = Contexts.gather(train.users, starts, train.offsets[1:], columns)
    near = nearest(binary(newest, num_items), NEIGHBOURS, ties=False)
    return sp.csr_array(near.maximum(near.T))


def _parted(graph: sp.csr_array, resolution: float, seed: int) -> Int64s:
    """(n,) labels of nodes, each of which has an edge."""
    method = _leiden()(resolution, shuffle_nodes=True, random_state=seed, return_probs=False,
                       return_aggregate=False)  # fmt: skip
    return np.asarray(method.fit_predict(sp.csr_matrix(graph)), np.int64)


def _leiden() -> Any:
    """The library's Leiden with a refinement that ends, and is the same every time.

    The library's own (0.33) draws from the C library, which no seed of ours reaches, and moves
    nodes for gains within rounding, where it may go on for ever. Here communities are refined by
    the library's local moves among the edges inside them, which stop at a tolerance.
    """
    with extra("index"):
        from sknetwork.clustering import Leiden

    class Refined(Leiden):  # type: ignore[misc]
        def _optimize_refine(
            self, labels: Any, refined: Any, adjacency: Any, out_weights: Any, in_weights: Any
        ) -> Any:
            edges = sp.coo_matrix(adjacency)
            within = labels[edges.row] == labels[edges.col]
            parts = edges.data[within], (edges.row[within], edges.col[within])
            inside = sp.csr_matrix(parts, edges.shape)
            return self._optimize(refined, inside, out_weights, in_weights)[0]

    return Refined
