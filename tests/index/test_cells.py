"""Cells are the same for a seed, look into what they are told to, and damaged ones are refused."""

import numpy as np
import pytest

from tastemaker.index.cells import Cells, number_of_cells
from tests.index.worlds import some_vectors

VECTORS = some_vectors(2000, 8)


def test_an_equal_seed_gives_equal_cells() -> None:
    one, again, other = (Cells.build(VECTORS, seed).tensors() for seed in (0, 0, 1))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["centres"], other["centres"])


def test_all_cells_are_all_vectors() -> None:
    cells = Cells.build(VECTORS, seed=0)
    everything = cells.efforts[-1]
    found = cells.search(VECTORS[:5], 2000, everything, None)
    assert (np.sort(found, 1) == np.arange(2000)).all()
    may = np.arange(2000) % 7 == 0
    some = cells.search(VECTORS[:5], int(may.sum()), everything, may)
    assert (np.sort(some, 1) == np.flatnonzero(may)).all()


def test_kept_cells_answer_the_same_after_growing() -> None:
    one = Cells.build(VECTORS[:1500], seed=0)
    one.add(VECTORS[1500:])
    two = Cells.from_tensors(one.tensors(), VECTORS)
    for effort in (1, 5):
        found = [cells.search(VECTORS[:50], 10, effort, None) for cells in (one, two)]
        assert np.array_equal(*found)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_vectors_lie_in_one_cell(count: int) -> None:
    cells = Cells.build(VECTORS[:count], seed=0)
    found = cells.search(VECTORS[:1], 3, 1, None)
    assert (found >= 0).sum() == count
    cells.add(VECTORS)
    assert cells.outgrown(len(VECTORS))


def test_vectors_that_are_all_equal_or_zero_have_cells() -> None:
    for value in (0, 1):
        cells = Cells.build(np.full((500, 4), value, np.float32), seed=0)
        assert np.isfinite(cells.tensors()["centres"]).all()
        assert (cells.search(VECTORS[:1, :4], 3, cells.efforts[-1], None) >= 0).all()


@pytest.mark.parametrize("cell", [-1, 2**31 - 1, "count"])
def test_a_cell_that_is_none_is_refused(cell: int | str) -> None:
    tensors = Cells.build(VECTORS, seed=0).tensors()
    cells = tensors["cells"].copy()
    cells[7] = len(tensors["centres"]) if cell == "count" else cell
    with pytest.raises(ValueError):
        Cells.from_tensors(tensors | {"cells": cells}, VECTORS)


def test_cells_grow_with_the_root_of_the_vectors() -> None:
    assert [number_of_cells(n) for n in (0, 39, 80, 10**6)] == [1, 1, 2, 4096]
    assert number_of_cells(10**12) == 2**14
