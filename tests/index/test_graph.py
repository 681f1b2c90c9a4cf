"""A graph finds what was asked for, the same each time, and a damaged one is never walked on."""

from collections.abc import Callable

import numpy as np
import pytest

from tastemaker.index.graph import Graph
from tests.index.worlds import some_vectors

VECTORS = some_vectors(600, 8)
Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def saved() -> Tensors:
    return Graph.build(VECTORS, seed=0).tensors()


def test_an_equal_seed_gives_an_equal_graph_and_another_another(saved: Tensors) -> None:
    again, other = (Graph.build(VECTORS, seed).tensors() for seed in (0, 1))
    assert all(np.array_equal(saved[name], again[name]) for name in saved)
    assert not np.array_equal(saved["levels"], other["levels"])


def test_a_kept_graph_grows_as_the_first_one_does() -> None:
    one = Graph.build(VECTORS[:500], seed=0)
    two = Graph.from_tensors(one.tensors(), VECTORS[:500])
    for graph in (one, two):
        graph.add(VECTORS[500:])
    found = [graph.search(VECTORS, 5, 16, None) for graph in (one, two)]
    assert (found[0][:, 0] >= 500).sum() >= 90 and (found[1][:, 0] >= 500).sum() >= 90
    assert two.search(VECTORS, 600, 600, None).max() == 599


def test_only_rows_that_may_be_given_are(saved: Tensors) -> None:
    may = np.arange(600) % 7 == 0
    found = Graph.from_tensors(saved, VECTORS).search(VECTORS, 10, 200, may)
    assert (found[found >= 0] % 7 == 0).all() and (found >= 0).mean() > 0.9


def test_an_empty_graph_finds_nothing_and_grows() -> None:
    graph = Graph.build(VECTORS[:0], seed=0)
    again = Graph.from_tensors(graph.tensors(), VECTORS[:0])
    assert (again.search(VECTORS[:1], 3, 16, None) == -1).all()
    again.add(VECTORS)
    assert again.search(VECTORS[:1], 1, 16, None)[0, 0] == 0


def upper(saved: Tensors) -> int:
    """Place of the first link in the layer above the lowest."""
    row = int(np.flatnonzero(saved["levels"] > 1)[0])
    return int(sum(32 + 16 * (level - 1) for level in saved["levels"][:row])) + 32


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t["neighbours"].__setitem__(3, 600),
        lambda t: t["neighbours"].__setitem__(3, -2),
        lambda t: t["neighbours"].__setitem__(3, 2**31 - 1),
        lambda t: t["neighbours"].__setitem__(upper(t), np.flatnonzero(t["levels"] == 1)[0]),
        lambda t: t.update(neighbours=t["neighbours"][:-1]),
        lambda t: t.update(neighbours=t["neighbours"][:0]),
        lambda t: t["levels"].__setitem__(0, 0),
        lambda t: t["levels"].__setitem__(0, -5),
        lambda t: t["levels"].__setitem__(0, 2**31 - 1),
        lambda t: t["levels"].__setitem__(0, t["levels"][0] + 1),
        lambda t: t["entry"].__setitem__(0, 600),
        lambda t: t["entry"].__setitem__(0, -1),
        lambda t: t["entry"].__setitem__(0, np.flatnonzero(t["levels"] == 1)[0]),
    ],
)
def test_what_a_walk_could_leave_its_rows_by_is_refused(
    saved: Tensors, damage: Callable[[Tensors], None]
) -> None:
    tensors = {name: array.copy() for name, array in saved.items()}
    Graph.from_tensors(tensors, VECTORS)
    damage(tensors)
    with pytest.raises(ValueError):
        Graph.from_tensors(tensors, VECTORS)


def test_a_walk_on_any_links_that_are_taken_ends_in_its_rows(saved: Tensors) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        tensors = {name: array.copy() for name, array in saved.items()}
        lowest = np.flatnonzero(tensors["levels"] == 1)
        begins = np.concatenate([[0], np.cumsum(16 + 16 * tensors["levels"].astype(int))])
        for row in rng.choice(lowest, 200):
            tensors["neighbours"][begins[row] : begins[row] + 32] = rng.integers(-1, 600, 32)
        found = Graph.from_tensors(tensors, VECTORS).search(VECTORS[:50], 10, 32, None)
        assert found.min() >= -1 and found.max() < 600
