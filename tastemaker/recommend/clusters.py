"""Clusters: items that say alike, and users whose training events hold alike; k-means of both.

All is learnt from what has training events: other items are put to the nearest centre by their
texts, other users are in none. The same seed gives the same clusters, in one thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.models.words import Words
from tastemaker.recommend.communities import by_size
from tastemaker.recommend.ease import binary

Int64s = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

WIDTH = 64
"""Most columns of what is clustered; more are brought to their largest axes."""
FITTED = 100_000
"""Rows that centres are learnt from, drawn by lot where there are more."""


def text_clusters(
    texts: Sequence[str], trained: npt.NDArray[np.bool_], most: int, seed: int = 0
) -> Int64s:
    """Clusters of items by the words of their texts.

    Args:
        texts: (I,) what is written about each item; may be empty.
        trained: (I,) items with training events: words and centres are learnt from them.
        most: Clusters, at most.
        seed: Of axes and centres.

    Returns:
        (I,) number of the cluster, 0 the one of most trained items; −1 where no word is known.

    Raises:
        BadInput: If there is no word in any text of a trained item.
    """
    encode = Words([text for text, known in zip(texts, trained, strict=True) if known], seed=seed)
    vectors = encode(texts)
    written = vectors.any(axis=1)
    labels = np.full(len(texts), -1, np.int64)
    labels[written] = k_means(vectors[written & trained], vectors[written], most, seed)
    return by_size(labels, most, trained)


def user_clusters(train: Contexts, held: sp.csr_array, most: int, seed: int = 0) -> Int64s:
    """Clusters of users by what their training events hold.

    Args:
        train: Training events, one row a user.
        held: (I, G) what an item is: its shares in groups, or the item itself.
        most: Clusters, at most.
        seed: Of axes and centres.

    Returns:
        (U,) number of the cluster, the largest being 0; −1 for users without training events.
    """
    profiles = profiles_of(train, held)
    rows = np.flatnonzero(train.lengths)
    labels = np.full(len(train), -1, np.int64)
    if len(rows):
        vectors = _narrow(profiles[rows], seed)
        labels[rows] = k_means(vectors, vectors, most, seed)
    return by_size(labels, most)


def profiles_of(train: Contexts, held: sp.csr_array) -> sp.csr_array:
    """(B, G) share of each group in the different items of each row; zero for an empty row."""
    chosen = binary(train, held.shape[0])
    lengths = np.maximum(np.diff(chosen.indptr), 1)
    shares = sp.diags_array((1 / lengths).astype(np.float32)) @ chosen @ held
    return sp.csr_array(shares)


def _narrow(rows: sp.csr_array, seed: int) -> Vectors:
    """(n, d) the rows, or their places along the largest axes, at length one, with d ≤ `WIDTH`."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    if rows.shape[1] <= WIDTH:
        return np.asarray(rows.toarray(), np.float32)
    kept = min(WIDTH, *rows.shape)
    with threadpool_limits(1):
        left, values, _ = randomized_svd(rows, kept, n_iter=7, random_state=seed)
    places = left * values
    lengths = np.linalg.norm(places, axis=1, keepdims=True)
    narrowed: Vectors = (places / np.maximum(lengths, 1e-12)).astype(np.float32)
    return narrowed


def k_means(learnt: Vectors, rows: Vectors, most: int, seed: int) -> Int64s:
    """(n,) nearest of the centres that are learnt from some rows; fewer where rows are alike."""
    # Half a second and 30 MB, which groups that need no clusters need not pay.
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    if len(learnt) > FITTED:
        drawn = np.random.default_rng(seed).choice(len(learnt), FITTED, replace=False)
        learnt = learnt[np.sort(drawn)]
    method = KMeans(min(most, len(learnt)), n_init=4, max_iter=50, random_state=seed)
    # Several threads add up in any order, and centres would differ in the last bits.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than centres
        return np.asarray(method.fit(learnt).predict(rows), np.int64)
