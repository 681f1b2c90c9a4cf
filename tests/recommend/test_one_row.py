"""One row is scored as many rows are: to the same bits where sums are taken in the same order."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.one_row import row_times

RNG = np.random.default_rng(0)


def test_a_row_times_a_matrix() -> None:
    matrix = sp.random_array((30, 20), density=0.3, format="csr", rng=RNG)
    columns, values = np.array([2, 3, 17, 29]), RNG.normal(size=4)
    row = sp.csr_array((values, columns, [0, 4]), (1, 30))
    assert row_times(columns, values, matrix).tolist() == (row @ matrix).toarray()[0].tolist()
    assert not row_times(columns[:0], values[:0], matrix).any()


def some_contexts(lengths: list[int], items: int) -> Contexts:
    ends = np.cumsum([0, *lengths])
    drawn = RNG.integers(1, items + 1, size=ends[-1]).astype(np.int32)
    return Contexts(np.arange(len(lengths)), ends.astype(np.int64), drawn)


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("users", [30, 90], ids=["fewer users than items", "more"])
def test_one_user_is_scored_as_among_others(name: str, users: int) -> None:
    train = some_contexts(RNG.integers(1, 15, users).tolist(), 60)
    model = COUNTING[name].fit(train, 60)
    asked = some_contexts([0, 1, 7, 60, 200], 60)
    together = model.score(asked)
    for row in range(5):
        alone = model.score(asked.take(np.array([row])))
        assert (alone.shape, alone.dtype) == ((1, 60), torch.float32)
        if name == "ease":  # a product of matrices sums in an order of its own
            torch.testing.assert_close(alone[0], together[row], rtol=1e-5, atol=1e-7)
        else:
            assert torch.equal(alone[0], together[row])
