"""Exact search equals a sort of everything, ties included, however it is cut up."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.index import exact
from tastemaker.index.exact import Lists, Rows, merged, ranked, search_exactly
from tastemaker.index.store import Store
from tests.index.worlds import brute_force, equal, some_vectors


def searched(vectors: np.ndarray, ids: np.ndarray, queries: np.ndarray, k: int) -> Lists:
    return search_exactly(Store(ids, vectors, np.ones(len(ids), bool)).all(), queries, k)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 400),
    dim=st.integers(1, 5),
    k=st.integers(1, 30),
    values=st.sampled_from([1, 2, 100]),
    seed=st.integers(0, 2**16),
)
def test_it_equals_brute_force_with_many_ties(
    count: int, dim: int, k: int, values: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-values, values + 1, (count, dim)).astype(np.float32)
    queries = rng.integers(-values, values + 1, (7, dim)).astype(np.float32)
    ids = rng.permutation(3 * count)[:count]
    assert equal(searched(vectors, ids, queries, k), brute_force(ids, vectors, queries, k))


@pytest.mark.parametrize("k", [1, 10, 700, 20_000])
def test_it_equals_brute_force_over_several_blocks(k: int) -> None:
    vectors, queries = some_vectors(20_000, 8), some_vectors(90, 8, seed=1)
    vectors[5000:5100] = vectors[4]
    queries[:3] = vectors[4]
    ids = np.random.default_rng(0).permutation(len(vectors))
    some = queries if k < 700 else queries[:9]
    assert equal(searched(vectors, ids, some, k), brute_force(ids, vectors, some, k))


def test_equal_vectors_score_equal_and_shards_merge_to_the_whole() -> None:
    vectors, queries = some_vectors(9001, 33), some_vectors(20, 33, seed=1)
    vectors[4001:] = vectors[:5000]
    ids = np.arange(len(vectors))
    whole = searched(vectors, ids, queries, 25)
    assert (whole[1][:, 0:24:2] == whole[1][:, 1:24:2]).mean() > 0.5
    for cuts in ([1, 4000], [8999], [2500, 5000, 7500]):
        bounds = [0, *cuts, len(ids)]
        shards = [
            searched(vectors[low:high], ids[low:high], queries, 25)
            for low, high in zip(bounds, bounds[1:], strict=False)
        ]
        assert equal(merged(shards, 25), whole)
    alone = [searched(vectors, ids, query[None], 25) for query in queries]
    assert equal((np.vstack([a for a, _ in alone]), np.vstack([b for _, b in alone])), whole)


def test_queries_of_zeros_are_answered_by_the_lowest_ids() -> None:
    vectors, ids = some_vectors(50, 4), np.arange(50)[::-1].copy()
    found, scores = searched(vectors, ids, np.zeros((2, 4), np.float32), 3)
    assert found.tolist() == [[0, 1, 2]] * 2 and not scores.any()


def test_only_chosen_rows_and_those_that_may_be_given_are() -> None:
    vectors, queries = some_vectors(500, 6), some_vectors(9, 6, seed=1)
    queries[0] = 0
    ids, may = np.arange(500), np.arange(500) % 3 == 0
    want = brute_force(ids[may], vectors[may], queries, 200)
    masked = Rows(ids, vectors, 2.0, may)
    assert equal(search_exactly(masked, queries, 200), want)
    assert equal(search_exactly(Rows(ids, vectors, 2.0, None, ids[may]), queries, 200), want)


def test_memory_stays_bounded_where_everything_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "_PAIRS", 1000)
    vectors, queries = np.ones((20_000, 2), np.float32), np.ones((3, 2), np.float32)
    found, scores = searched(vectors, np.arange(20_000)[::-1].copy(), queries, 4)
    assert found.tolist() == [[0, 1, 2, 3]] * 3 and (scores == 2).all()


def test_lists_of_shards_that_found_little_end_in_nothing() -> None:
    one = np.array([[4, -1]]), np.array([[1.0, -np.inf]], np.float32)
    two = np.array([[2, 9]]), np.array([[1.0, -3.0]], np.float32)
    found, scores = merged([one, two], 5)
    assert found.tolist() == [[2, 4, 9, -1, -1]]
    assert scores.tolist() == [[1, 1, -3, -np.inf, -np.inf]]


def test_what_something_else_found_is_ranked_by_exact_scores() -> None:
    vectors = np.array([[1], [3], [2], [3]], np.float32)
    rows = Rows(np.array([7, 9, 5, 8]), vectors, 3.0)
    found, scores = ranked(rows, np.ones((1, 1), np.float32), np.array([[0, 1, -1, 3]]), 2)
    assert found.tolist() == [[8, 9]] and scores.tolist() == [[3, 3]]


def test_very_long_and_very_short_vectors_keep_their_order() -> None:
    vectors = np.array([[1e18, 0], [1e-30, 1e-30], [-1e18, 5], [0, 0]], np.float32)
    queries = np.array([[1e18, 1e18], [1e-30, 0]], np.float32)
    ids = np.arange(4)
    assert equal(searched(vectors, ids, queries, 4), brute_force(ids, vectors, queries, 4))


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 300),
    dim=st.integers(1, 40),
    k=st.integers(1, 20),
    scale=st.sampled_from([1e-20, 1e-3, 1, 1e15]),
    seed=st.integers(0, 2**16),
)
def test_it_equals_its_own_scores_sorted(
    count: int, dim: int, k: int, scale: float, seed: int
) -> None:
    """Real values, of lengths that differ by orders of magnitude, some of them equal."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dim)) * scale ** rng.random((count, 1))
    vectors = vectors[rng.integers(count, size=count)].astype(np.float32)
    queries = rng.normal(size=(3, dim)).astype(np.float32)
    found, scores = searched(vectors, np.arange(count), queries, k)
    for row, query in enumerate(queries):
        pairs = np.zeros(count, np.int64), np.arange(count)
        every = exact.inner_products(query[None], vectors, *pairs)
        order = np.lexsort((np.arange(count), -every))[:k]
        assert found[row, : len(order)].tolist() == order.tolist()
        assert np.array_equal(scores[row, : len(order)], every[order])


def test_scores_are_the_nearest_float32_of_the_true_sums() -> None:
    vectors, queries = some_vectors(100, 50), some_vectors(1, 50, seed=1)
    found, scores = searched(vectors, np.arange(100), queries, 100)
    for one, score in zip(found[0], scores[0], strict=True):
        exact_sum = sum(float(a) * float(b) for a, b in zip(queries[0], vectors[one], strict=True))
        assert abs(float(score) - exact_sum) <= abs(exact_sum) * 2**-24 + 1e-12


def test_memory_does_not_grow_with_queries_times_vectors() -> None:
    vectors, queries = some_vectors(60_000, 4), some_vectors(512, 4, seed=1)
    store = Store(np.arange(60_000), vectors, np.ones(60_000, bool))
    tracemalloc.start()
    search_exactly(store.all(), queries, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000 * 512 * 4 / 3


def test_lengths_are_right_where_float32_would_overflow() -> None:
    vectors = np.array([[3e30, 4e30], [0, 0], [np.nan, 1], [np.inf, 1]], np.float32)
    found = exact.lengths(vectors)
    assert found[:2] == pytest.approx([5e30, 0]) and not np.isfinite(found[2:]).any()
    assert exact.lengths(vectors[:0]).shape == (0,)
