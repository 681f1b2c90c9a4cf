"""What is there is what was added and not removed; what cannot be used is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.index.store import LONGEST, Store, checked_ids, checked_vectors


def filled(*ids: int) -> Store:
    store = Store.empty(2)
    store.add(np.array(ids, np.int64), np.array([[i, 1] for i in ids], np.float32).reshape(-1, 2))
    return store


def test_rows_are_found_by_id_after_every_change() -> None:
    store = filled(5, 3, 9)
    store.add(np.array([4, 1]), np.ones((2, 2), np.float32))
    store.remove(np.array([3]))
    assert len(store) == 4 and store.rows == 5
    assert store.find(np.array([1, 3, 4, 5, 9, 100])).tolist() == [4, -1, 3, 0, 2, -1]
    store.add(np.array([3]), np.array([[8, 8]], np.float32))
    assert store.vectors[store.find(np.array([3]))].tolist() == [[8, 8]]
    smaller = store.compacted()
    assert len(smaller) == smaller.rows == 5
    assert smaller.vectors[smaller.find(np.array([9]))].tolist() == [[9, 1]]


def test_adding_one_by_one_keeps_everything() -> None:
    store = Store.empty(1)
    for number in range(100):
        store.add(np.array([99 - number]), np.array([[number]], np.float32))
    assert store.vectors[store.find(np.arange(100))][:, 0].tolist() == list(range(99, -1, -1))
    assert store.longest == 99


def test_an_empty_store_finds_nothing() -> None:
    store = Store.empty(3)
    assert len(store) == 0 and store.find(np.array([0, 1])).tolist() == [-1, -1]


def test_a_refused_change_changes_nothing() -> None:
    store = filled(5, 3)
    one = np.ones((1, 2), np.float32)
    for ids in ([5], [7, 7]):
        with pytest.raises(BadInput):
            store.add(np.array(ids), np.repeat(one, len(ids), 0))
    for ids in ([5, 6], [5, 5]):
        with pytest.raises(BadInput):
            store.remove(np.array(ids))
    assert len(store) == store.rows == 2


@pytest.mark.parametrize(
    "ids", [[-1], [0.5], [[1]], ["a"], [True], 3, np.array([2**63], np.uint64), [None]], ids=repr
)
def test_what_is_no_id_is_refused(ids: object) -> None:
    with pytest.raises(BadInput):
        checked_ids(np.asarray(ids))


def test_ids_of_every_whole_type_are_taken() -> None:
    for kind in (np.uint8, np.int32, np.uint64):
        assert checked_ids(np.array([3, 0], kind)).dtype == np.int64
    assert checked_ids([]).shape == (0,)


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones(3, np.float32), np.ones((2, 4), np.float32), np.ones((2, 3), int),
        np.ones((2, 3), complex), np.array([["a", "b", "c"]]), np.full((1, 3), np.nan),
        np.full((1, 3), np.inf), np.full((1, 3), 1e300), np.full((1, 3), 2 * LONGEST),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_vector_is_refused(vectors: np.ndarray) -> None:
    with pytest.raises(BadInput):
        checked_vectors(vectors, 3)


def test_rows_of_different_lengths_are_no_array() -> None:
    with pytest.raises(BadInput):
        checked_vectors([[1.0, 2.0], [3.0]], 2)  # type: ignore[list-item]
    with pytest.raises(BadInput):
        checked_ids([[1, 2], [3]])  # type: ignore[list-item]


def test_bad_rows_are_named() -> None:
    vectors = np.ones((9, 2), np.float32)
    vectors[[3, 7], 1] = np.nan
    with pytest.raises(BadInput) as caught:
        checked_vectors(vectors, None)
    assert "3, 7" in caught.value.where


def test_vectors_of_other_floating_types_and_orders_are_taken() -> None:
    for kind in (np.float16, np.float64):
        assert checked_vectors(np.ones((2, 3), kind), 3).dtype == np.float32
    assert checked_vectors(np.ones((3, 2), np.float32).T, 3).flags.c_contiguous
    assert checked_vectors(np.empty((0, 3), np.float32), 3).shape == (0, 3)
    with pytest.raises(BadInput):
        checked_vectors(np.empty((3, 0), np.float32), None)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 30), max_size=8))))
def test_it_is_a_dictionary(steps: list[tuple[bool, set[int]]]) -> None:
    store, known = Store.empty(1), dict[int, float]()
    for number, (adding, wanted) in enumerate(steps):
        ids = np.array(sorted((wanted - known.keys()) if adding else wanted & known.keys()), int)
        if adding:
            vectors = np.float32(number) + ids[:, None].astype(np.float32) / 64
            store.add(ids[::-1], vectors[::-1])
            known |= dict(zip(ids.tolist(), vectors[:, 0].tolist(), strict=True))
        else:
            store.remove(ids)
            known = {one: value for one, value in known.items() if one not in ids}
        store = store.compacted() if number % 5 == 4 else store
        rows = store.find(np.arange(31))
        assert (rows >= 0).tolist() == [one in known for one in range(31)]
        assert store.vectors[rows[rows >= 0], 0].tolist() == [known[one] for one in sorted(known)]
        assert len(store) == len(known) == store.alive.sum()


def test_what_is_there_is_what_is_searched() -> None:
    store = filled(5, 3, 9)
    assert store.all().may is None and len(store.all()) == 3
    store.remove(np.array([3]))
    assert store.all().may is not None and store.all().may.tolist() == [True, False, True]
    some = store.some(store.find(np.array([9])))
    assert len(some) == 1 and some.block(0, 5)[1].tolist() == [[9, 1]]
    assert store.nbytes > 3 * (8 + 8)
