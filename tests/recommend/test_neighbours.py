"""Neighbours against a dense cosine, ties and all, and growth with pairs instead of items."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.recommend import neighbours
from tastemaker.recommend.neighbours import nearest


def dense(chosen: np.ndarray, kept: int) -> np.ndarray:
    """The definition: a column holds an item's neighbours."""
    norms = np.sqrt(np.maximum(chosen.sum(0), 1))
    cosine = chosen.T @ chosen / norms[:, None] / norms
    np.fill_diagonal(cosine, 0)
    for row in cosine:
        row[row < np.sort(row)[-min(kept, len(row))]] = 0
    return cosine.T


@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([1, 30, 10**6]))
def test_the_largest_cosines_and_their_equals_are_kept(seed: int, kept: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    users, items = rng.integers(1, 12, 2)
    chosen = (rng.random((users, items)) < rng.random()).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_PAIRS", pairs)
        found = nearest(sp.csr_array(chosen), kept)
    np.testing.assert_array_equal(found.toarray(), dense(chosen.astype(float), kept))
    assert (found.data > 0).all(), "what is not kept takes no room"


def test_memory_and_work_grow_with_pairs_and_not_with_the_square_of_the_catalogue() -> None:
    users, events, items = 500, 10, 200_000
    rng = np.random.default_rng(0)
    columns = rng.integers(0, items, users * events)
    bounds = np.arange(0, users * events + 1, events)
    chosen = sp.csr_array((np.ones(users * events, np.float32), columns, bounds), (users, items))
    tracemalloc.start()
    found = nearest(chosen, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < found.nnz <= users * events**2
    assert peak < 40e6, "a thousand dense rows would be 1.6 GB"


def test_a_dense_product_is_made_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = sp.csr_array(np.random.default_rng(0).random((40, 2000)) < 0.5, dtype=np.float32)
    monkeypatch.setattr(neighbours, "_PAIRS", 100_000)
    tracemalloc.start()
    found = nearest(chosen, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nnz >= 5 * 2000
    assert peak < 15e6, "all pairs at once would be 48 MB"


@given(st.integers(0, 10**6), st.integers(1, 9))
def test_without_ties_no_item_has_more_neighbours_than_asked_for(seed: int, kept: int) -> None:
    rng = np.random.default_rng(seed)
    users, items = rng.integers(1, 12, 2)
    chosen = (rng.random((users, items)) < rng.random()).astype(np.float32)
    cosine = nearest(sp.csr_array(chosen), items).toarray().T
    want = np.zeros_like(cosine)
    for row, values in enumerate(cosine):
        best = np.argsort(-values, kind="stable")[:kept]
        want[row, best] = values[best]
    np.testing.assert_array_equal(nearest(sp.csr_array(chosen), kept, ties=False).toarray(), want.T)
