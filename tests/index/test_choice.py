"""Which kind an index is, and what limits do."""

import pytest

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.index.calibrate import Kind
from tastemaker.index.choice import EXACT, IndexOptions, chosen, costs
from tastemaker.index.vectors import make_index
from tests.index.worlds import some_vectors


def test_exact_is_chosen_up_to_its_limit_and_a_graph_above() -> None:
    assert chosen(EXACT // 100, 100, IndexOptions()) == "exact"
    assert chosen(EXACT // 100 + 1, 100, IndexOptions()) == "hnsw"
    assert chosen(0, 100, IndexOptions()) == "exact"


def test_cells_are_chosen_where_a_graph_breaks_a_limit() -> None:
    count, dim = 1_000_000, 64
    graph, cells = costs("hnsw", count, dim), costs("ivf", count, dim)
    assert cells[0] < graph[0] and cells[1] < graph[1]
    assert chosen(count, dim, IndexOptions(memory=graph[0])) == "hnsw"
    assert chosen(count, dim, IndexOptions(memory=graph[0] - 1)) == "ivf"
    assert chosen(count, dim, IndexOptions(build_seconds=graph[1] - 1)) == "ivf"


@pytest.mark.parametrize("kind", ["auto", "exact", "hnsw", "ivf"])
def test_a_limit_that_nothing_keeps_is_an_error_and_not_a_lesser_index(kind: str) -> None:
    for options in ({"memory": 1000}, {"memory": 1000, "build_seconds": 0.0}):
        with pytest.raises(OutOfResources):
            chosen(1_000_000, 64, IndexOptions(kind=kind, **options))  # type: ignore[arg-type]


def test_a_kind_that_is_asked_for_is_taken() -> None:
    assert chosen(10**9, 64, IndexOptions(kind="exact")) == "exact"
    assert chosen(10, 64, IndexOptions(kind="ivf")) == "ivf"


@pytest.mark.parametrize(
    "bad",
    [{"recall": 0}, {"recall": 1.1}, {"recall": float("nan")}, {"at": 0}, {"kind": "tree"},
     {"seed": -1}],
    ids=str,
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        IndexOptions(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_costs_grow_with_the_vectors_and_their_length(kind: Kind) -> None:
    sizes = [(1000, 8), (1000, 64), (100_000, 64), (10_000_000, 64)]
    found = [costs(kind, *size) for size in sizes]
    assert found == sorted(found)
    assert all(
        held >= count * 4 * dim for (held, _), (count, dim) in zip(found, sizes, strict=True)
    )


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_bytes_are_about_what_an_index_holds(kind: Kind) -> None:
    index = make_index(some_vectors(3000, 16), options=IndexOptions(kind=kind))
    assert index.calibration.bytes == pytest.approx(costs(kind, 3000, 16)[0], rel=0.1)
