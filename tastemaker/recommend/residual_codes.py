"""Semantic ids from vectors: k-means, then k-means of what each centre leaves over, and so on.

    r₀ = v;  cₗ = nearest centre of rₗ;  rₗ₊₁ = rₗ − mean of the items with the same cₗ

As in residual quantisation (TIGER, arXiv 2305.05065), with k-means in place of a trained
autoencoder. It takes vectors and encodes nothing. The same seed gives the same codes, in one
thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput
from tastemaker.recommend.clusters import k_means


def residual_codes(
    vectors: npt.NDArray[np.floating], levels: int = 3, size: int = 64, seed: int = 0
) -> SemanticIds:
    """Codes of items by their vectors.

    Args:
        vectors: (I, D), finite.
        levels: Codes of each item, at least 1; items that share all of them get one more.
        size: Codes on each level, at most.
        seed: Of the centres.

    Raises:
        BadInput: If there are no vectors, or one is not finite.
    """
    if vectors.ndim != 2 or not vectors.size:
        what = f"Vectors have the shape {vectors.shape}."
        raise BadInput(what, "semantic ids", "Give a vector an item.")
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        what = f"{counted(len(bad), 'vector')} not finite, the first of item {bad[0] + 1:,}."
        raise BadInput(what, "semantic ids", "Give finite vectors.")
    rest = vectors.astype(np.float32)
    codes = []
    for level in range(levels):
        _, label = np.unique(k_means(rest, rest, size, seed + level), return_inverse=True)
        codes.append(label)
        rest = rest - _means(rest, label)[label]
    return SemanticIds.of(np.stack(codes, axis=1))


def _means(rows: npt.NDArray[np.float32], label: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """(C, D) mean of the rows with each label."""
    sums = np.zeros((int(label.max()) + 1, rows.shape[1]), np.float64)
    np.add.at(sums, label, rows)
    means: npt.NDArray[np.float32] = (sums / np.bincount(label)[:, None]).astype(np.float32)
    return means
