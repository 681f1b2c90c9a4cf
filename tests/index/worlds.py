"""Vectors whose directions lie in a few dimensions, as those of items do, and brute force."""

import numpy as np

from tastemaker.index.exact import Floats, Ids, Lists


def some_vectors(count: int, dim: int, seed: int = 0, latent: int = 16) -> Floats:
    rng = np.random.default_rng(seed)
    turn = np.random.default_rng(1).normal(size=(latent, dim))
    centres = np.random.default_rng(2).normal(size=(50, latent))
    found = (centres[rng.integers(50, size=count)] + rng.normal(size=(count, latent))) @ turn
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def brute_force(ids: Ids, vectors: Floats, queries: Floats, k: int) -> Lists:
    """What the seam says, in float64 and with a sort of everything."""
    found, best = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
    for row, query in enumerate(queries.astype(np.float64)):
        scores = (vectors.astype(np.float64) @ query).astype(np.float32)
        order = np.lexsort((ids, -scores))[:k]
        found[row, : len(order)], best[row, : len(order)] = ids[order], scores[order]
    return found, best


def equal(one: Lists, other: Lists) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
