"""Every kind of index finds what it promises, and what was removed never."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.index import choice
from tastemaker.index import vectors as vectors_module
from tastemaker.index.calibrate import recalls
from tastemaker.index.choice import IndexOptions
from tastemaker.index.exact import Floats, merged
from tastemaker.index.library import faiss
from tastemaker.index.vectors import RecallMissed, VectorIndex, make_index
from tastemaker.seams import Index
from tests.index.worlds import brute_force, equal, some_vectors

Indexes = dict[str, VectorIndex]
KINDS = ("exact", "hnsw", "ivf")
APPROXIMATE = ("hnsw", "ivf")


@pytest.fixture(autouse=True)
def searched_as_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """An approximate index searches its engine although its vectors are few."""
    monkeypatch.setattr(vectors_module, "FEW", 2**14)


def of_kind(kind: str, vectors: Floats, **set_to: object) -> VectorIndex:
    return make_index(vectors, options=IndexOptions(kind=kind, **set_to))  # type: ignore[arg-type]


def stands_at_the_seam(index: Index) -> int:
    return index.dim


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_recall_is_what_was_asked_for_on_queries_of_another_draw(
    indexes: Indexes, kind: str
) -> None:
    queries = some_vectors(400, indexes[kind].dim, seed=7)
    best = indexes["exact"].search(queries, 10)
    share = recalls(indexes[kind].search(queries, 10), best)
    told = indexes[kind].calibration
    assert share.mean() >= 0.98 and told.met and told.reached >= told.wanted == 0.98
    assert told.kind == kind and told.queries == 500 and told.vectors == len(indexes[kind])
    assert told.parameters["effort"] > 0 and told.bytes > 2 * 9000 * 32 * 4


@pytest.mark.parametrize("kind", APPROXIMATE)
@pytest.mark.parametrize("which", ["drawn", "in one direction"])
def test_a_tenth_that_may_be_given_is_found_as_well(
    indexes: Indexes, vectors: Floats, kind: str, which: str
) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(len(vectors)) if which == "drawn" else np.argsort(vectors[:, 0])
    allow = order[: len(vectors) // 10]
    queries = some_vectors(200, indexes[kind].dim, seed=8)
    best = indexes["exact"].search(queries, 10, allow)
    found = indexes[kind].search(queries, 10, allow)
    assert np.isin(found[0], allow).all()
    assert recalls(found, best).mean() >= 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_removed_is_never_found(kept: dict[str, Path], vectors: Floats, kind: str) -> None:
    index, queries = VectorIndex.open(kept[kind]), some_vectors(100, vectors.shape[1], seed=9)
    gone = np.unique(index.search(queries, 10)[0])[:1000]
    assert len(gone) < 0.2 * len(index)
    index.remove(gone)
    found = index.search(queries, 10)[0]
    assert not np.isin(found, gone).any() and (found >= 0).all()
    assert not np.isin(index.search(queries, 10, allow=np.arange(5000))[0], gone).any()
    index.add(gone[:1], vectors[gone[:1]])
    assert index.search(vectors[gone[:1]], 1)[0][0, 0] == gone[0]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_inner_products_and_lists_are_in_order(
    indexes: Indexes, vectors: Floats, kind: str
) -> None:
    queries = some_vectors(20, vectors.shape[1], seed=3)
    found, scores = indexes[kind].search(queries, 15)
    products = np.einsum("qd,qkd->qk", queries, vectors[found])
    assert np.abs(products - scores).max() < 1e-5 and (np.diff(scores) <= 0).all()
    one = indexes[kind].search(queries[4:5], 15)
    assert equal(one, (found[4:5], scores[4:5]))


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_there_is_ends_in_nothing(kind: str) -> None:
    index = of_kind(kind, some_vectors(7, 3))
    found, scores = index.search(some_vectors(2, 3), 10)
    assert (found[:, 7:] == -1).all() and (scores[:, 7:] == -np.inf).all()
    assert (np.sort(found[:, :7]) == np.arange(7)).all()
    found, _ = index.search(some_vectors(2, 3), 3, allow=[2, 99, 2])
    assert (found == [2, -1, -1]).all()
    assert (index.search(some_vectors(2, 3), 3, allow=[])[0] == -1).all()
    assert index.search(np.empty((0, 3), np.float32), 4)[0].shape == (0, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_index_finds_nothing_and_grows(kind: str, tmp_path: Path) -> None:
    index = of_kind(kind, np.empty((0, 3), np.float32))
    index.save(tmp_path / "empty")
    index = VectorIndex.open(tmp_path / "empty")
    assert len(index) == 0 and (index.search(np.ones((2, 3), np.float32), 2)[0] == -1).all()
    index.add([5, 2], np.array([[1, 0, 0], [1, 0, 0]], np.float32))
    assert index.search(np.ones((1, 3), np.float32), 3)[0].tolist() == [[2, 5, -1]]
    index.remove([5, 2])
    assert len(index) == 0 and (index.search(np.ones((2, 3), np.float32), 2)[0] == -1).all()


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "search"]), st.integers(0, 2**16)), max_size=12
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_any_changes_leave_what_a_dictionary_would(kind: str, steps: list[tuple[str, int]]) -> None:
    vectors = np.random.default_rng(0).integers(-2, 3, (40, 3)).astype(np.float32)
    index, known = of_kind(kind, vectors), dict(enumerate(vectors))
    for what, seed in [*steps, ("search", 0)]:
        rng = np.random.default_rng(seed)
        if what == "add":
            ids = np.setdiff1d(rng.integers(0, 80, 9), [*known])
            more = rng.integers(-2, 3, (len(ids), 3)).astype(np.float32)
            index.add(ids, more)
            known |= dict(zip(ids.tolist(), more, strict=True))
        elif what == "remove" and known:
            ids = rng.choice([*known], min(len(known), 9), replace=False)
            index.remove(ids)
            known = {one: vector for one, vector in known.items() if one not in ids}
        queries = rng.integers(-2, 3, (4, 3)).astype(np.float32)
        ids, rows = np.array([*known], np.int64), np.array([*known.values()]).reshape(-1, 3)
        assert np.array_equal(index.ids, np.sort(ids)) and len(index) == len(known)
        assert equal(index.search(queries, 6), brute_force(ids, rows, queries, 6))
        allow = np.arange(0, 80, 3)
        some = np.isin(ids, allow)
        want = brute_force(ids[some], rows[some], queries, 6)
        assert equal(index.search(queries, 6, allow), want)


def test_a_graph_of_which_a_fifth_is_gone_is_built_anew(kept: dict[str, Path]) -> None:
    for kind in APPROXIMATE:
        index = VectorIndex.open(kept[kind])
        first, queries = index.calibration, some_vectors(100, index.dim, seed=4)
        index.remove(np.arange(1000))
        assert index.calibration == first
        index.remove(np.arange(1000, 5000))
        assert index.calibration.vectors == 4000 and index.calibration.met
        assert index.calibration.bytes < 0.6 * first.bytes
        assert (index.search(queries, 10)[0] >= 5000).all()


def test_recall_is_measured_again_after_much_was_added(kept: dict[str, Path]) -> None:
    index = VectorIndex.open(kept["ivf"])
    index.add(np.arange(20_000, 22_000), some_vectors(2000, index.dim, seed=5))
    assert index.calibration.vectors == 11_000 and index.calibration.met


def test_the_same_seed_gives_the_same_answers() -> None:
    vectors, queries = some_vectors(2500, 32), some_vectors(50, 32, seed=1)
    for kind in APPROXIMATE:
        one, two = (of_kind(kind, vectors, seed=5, recall=0.6) for _ in range(2))
        assert equal(one.search(queries, 10), two.search(queries, 10))
        assert one.calibration.parameters == two.calibration.parameters
        assert one.calibration.reached == two.calibration.reached


def test_queries_of_the_caller_are_measured_with(tmp_path: Path) -> None:
    vectors = some_vectors(2500, 32)
    index = make_index(vectors, queries=vectors[:30], options=IndexOptions(kind="ivf"))
    assert index.calibration.queries == 30
    index.save(tmp_path / "index")
    again = VectorIndex.open(tmp_path / "index")
    again.remove(np.arange(600))
    assert again.calibration.queries == 30 and again.calibration.vectors == 1900


def test_a_recall_that_is_not_reached_is_said_and_not_lowered(tmp_path: Path) -> None:
    # At right angles to one another, and among zeros: no vector leads to another.
    vectors = np.zeros((1500, 600), np.float32)
    vectors[np.arange(600), np.arange(600)] = 1
    options = IndexOptions(kind="hnsw", recall=1.0, at=1)
    with pytest.warns(RecallMissed):
        index = make_index(vectors, queries=vectors[:600:30], options=options)
    told = index.calibration
    assert not told.met and told.reached < told.wanted == 1.0
    index.save(tmp_path / "index")
    assert VectorIndex.open(tmp_path / "index").calibration == told


def test_above_the_limit_a_missing_library_is_an_error_unless_exact_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "EXACT", 100)
    monkeypatch.setitem(sys.modules, "faiss", None)
    vectors = some_vectors(50, 3)
    with pytest.raises(BadInput) as caught:
        make_index(vectors)
    assert "tastemaker[index]" in caught.value.fix
    assert len(of_kind("exact", vectors)) == 50
    assert make_index(vectors[:33]).calibration.kind == "exact"


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "3", None], ids=repr)
def test_lists_of_no_length_are_refused(indexes: Indexes, k: object) -> None:
    with pytest.raises(BadInput):
        indexes["exact"].search(np.ones((1, 32), np.float32), k)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [2**24, 10**12, 10**30])
def test_lists_that_no_memory_holds_are_refused(indexes: Indexes, k: int) -> None:
    with pytest.raises(BadInput) as fault:
        indexes["exact"].search(some_vectors(1, 32), k)
    assert fault.value.where == "k"


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    index = of_kind("exact", some_vectors(5, 3))
    bad = np.array([[1, np.nan, 0]], np.float32)
    for call in (
        lambda: index.search(bad, 1),
        lambda: index.search(np.ones((1, 4), np.float32), 1),
        lambda: index.search(np.ones(3, np.float32), 1),
        lambda: index.search(np.ones((1, 3), int), 1),
        lambda: index.search(np.ones((1, 3), np.float32), 1, allow=[0.5]),
        lambda: index.add([9], bad),
        lambda: index.add([9, 10], np.ones((1, 3), np.float32)),
        lambda: index.add([4], np.ones((1, 3), np.float32)),
        lambda: index.remove([5]),
        lambda: make_index(bad),
        lambda: make_index(np.ones((2, 3), np.float32), ids=[1]),
        lambda: make_index(np.ones((2, 3), np.float32), ids=[1, 1]),
        lambda: make_index(np.ones((2, 3), np.float32), queries=np.ones((2, 4))),
    ):
        with pytest.raises(BadInput):
            call()
    assert index.ids.tolist() == [0, 1, 2, 3, 4]


def test_the_array_that_was_given_may_be_overwritten() -> None:
    vectors = some_vectors(9, 3)
    index, given_ids = of_kind("exact", vectors), np.arange(100, 109)
    index.add(given_ids, vectors)
    before = index.search(vectors, 4)
    queries = vectors.copy()
    vectors[:], given_ids[:] = 0, 0
    assert equal(index.search(queries, 4), before)


def test_shards_merge_to_the_whole(indexes: Indexes, vectors: Floats) -> None:
    queries = some_vectors(10, vectors.shape[1], seed=6)
    shards = [
        make_index(vectors[part::3], ids=np.arange(len(vectors))[part::3]) for part in range(3)
    ]
    found = merged([shard.search(queries, 12) for shard in shards], 12)
    assert equal(found, indexes["exact"].search(queries, 12))


def test_an_index_stands_at_the_seam(indexes: Indexes) -> None:
    assert stands_at_the_seam(indexes["exact"]) == 32


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_threads_change_no_answer_and_stay_as_they_were(kind: str) -> None:
    vectors, queries = some_vectors(2500, 32), some_vectors(64, 32, seed=1)
    library, answers = faiss(), []
    before = library.omp_get_max_threads()
    for threads in (1, 2):
        library.omp_set_num_threads(threads)
        try:
            answers.append(of_kind(kind, vectors).search(queries, 10))
            assert library.omp_get_max_threads() == threads
        finally:
            library.omp_set_num_threads(before)
    assert equal(*answers)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_longer_lists_than_it_was_set_for_are_whole(indexes: Indexes, kind: str) -> None:
    queries = some_vectors(50, indexes[kind].dim, seed=10)
    best = indexes["exact"].search(queries, 100)
    found = indexes[kind].search(queries, 100)
    assert (found[0] >= 0).all() and recalls(found, best).mean() >= 0.9
    few = queries[:3]
    assert equal(indexes[kind].search(few, 9000), indexes["exact"].search(few, 9000))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_vectors_are_found_by_the_lower_id(kind: str) -> None:
    vectors = np.repeat(some_vectors(1200, 32), 2, axis=0)
    ids = np.random.default_rng(0).permutation(len(vectors))
    index = make_index(vectors, ids=ids, options=IndexOptions(kind=kind))  # type: ignore[arg-type]
    found, scores = index.search(some_vectors(50, 32, seed=1), 10)
    equals = scores[:, :-1] == scores[:, 1:]
    assert equals.any() and (found[:, :-1] < found[:, 1:])[equals].all()


def test_a_missing_library_is_said_when_an_approximate_one_is_opened(
    kept: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    for kind in APPROXIMATE:
        with pytest.raises(BadInput) as caught:
            VectorIndex.open(kept[kind])
        assert "tastemaker[index]" in caught.value.fix
    assert len(VectorIndex.open(kept["exact"])) == 9000


def test_the_page_runs_as_it_stands() -> None:
    page = Path(__file__).parents[2] / "docs" / "neighbours.md"
    (code,) = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    exec(compile(code, page.name, "exec"), names)
    index = names["index"]
    assert isinstance(index, VectorIndex) and len(index) == 1000 and 7 not in index.ids
