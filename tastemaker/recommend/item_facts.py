"""What is known of the items of a log, as vectors: what their texts say, and who chose what.

All is learnt from training events and the catalogue alone. Collaborative vectors are those of a
truncated SVD of the cosine co-occurrence of items, from users' training events.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.models.words import Words
from tastemaker.recommend.ease import binary

Vectors = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

WIDTH = 64
"""Columns of collaborative vectors, at most."""


class ItemFacts:
    """Vectors of the items, made when first asked for."""

    def __init__(self, ground: Ground, train: Contexts | None) -> None:
        """Of the I items of a ground, by these training events; without any, by texts alone."""
        self.train, self.num_items = train, ground.num_items
        events = np.arange(ground.num_items) + 1 if train is None else train.items
        self.counts = np.bincount(events, minlength=ground.num_items + 1)[1:]
        self.trained = self.counts > 0
        self.written = ground.catalog.texts() or [""] * ground.num_items

    @cached_property
    def texts(self) -> Vectors:
        """(I, D) vectors of texts, learnt from those of trained items; zero where there is none."""
        pairs = zip(self.written, self.trained, strict=True)
        learnt = [text for text, known in pairs if known and text.strip()]
        return Words(learnt)(self.written) if learnt else np.zeros((self.num_items, 1), np.float32)

    @cached_property
    def collaborative(self) -> Vectors:
        """(I, D) unit vectors of trained items; zero for others."""
        if self.train is None or not len(self.train.items):
            return np.zeros((self.num_items, 1), np.float32)
        return collaborative_vectors(self.train, self.num_items)


def collaborative_vectors(train: Contexts, num_items: int, seed: int = 0) -> Vectors:
    """(I, D ≤ `WIDTH`) unit vectors by which items are near that the same users chose.

    Left singular vectors, times their values, of the (I, U) matrix of who was chosen by whom with
    rows and columns of length one: those of the items' cosines, which are never made.
    """
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    chosen = _unit(sp.csr_array(_unit(binary(train, num_items)).T))
    kept = min(WIDTH, *chosen.shape)
    with threadpool_limits(1):
        left, values, _ = randomized_svd(chosen, kept, n_iter=7, random_state=seed)
    places = left * values
    lengths = np.linalg.norm(places, axis=1, keepdims=True)
    # Rows of nothing are rounding along the least axes, and no direction.
    known = np.diff(chosen.indptr)[:, None] > 0
    return np.where(known, places / np.maximum(lengths, 1e-12), 0).astype(np.float32)


def _unit(rows: sp.csr_array) -> sp.csr_array:
    lengths = np.sqrt(np.maximum(np.asarray(rows.multiply(rows).sum(axis=1)).ravel(), 1e-12))
    return sp.csr_array(sp.diags_array(1 / lengths) @ rows)


def nearest(labels: Int64s, vectors: Vectors) -> Int64s:
    """Labels with those of items that have none by the nearest mean vector of the others.

    Args:
        labels: (I,) from 0 on, −1 where there is none.
        vectors: (I, D) of length one, or zero where nothing is known: such items stay as they are.
    """
    known = vectors.any(axis=1)
    bare, taught = (labels < 0) & known, (labels >= 0) & known
    if not (bare.any() and taught.any()):
        return labels
    shape = int(labels.max()) + 1, len(labels)
    rows = np.flatnonzero(taught)
    sums = sp.csr_array((np.ones(len(rows)), (labels[rows], rows)), shape) @ vectors
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = sums / np.maximum(lengths, 1e-12)
    likeness = np.where(lengths[:, 0] > 0, vectors[bare] @ means.T, -np.inf)
    filled = labels.copy()
    filled[bare] = likeness.argmax(axis=1)
    return filled
