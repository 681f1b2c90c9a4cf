"""EASE: both routes equal the closed form by a float64 inverse."""

import tracemalloc

import numpy as np
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.recommend import ease
from tastemaker.recommend.ease import Ease
from tastemaker.recommend.saved_tensors import Saved
from tests.contracts import some_contexts


def dense(contexts: Contexts, num_items: int) -> np.ndarray:
    chosen = np.zeros((len(contexts), num_items))
    for b in range(len(contexts)):
        chosen[b, contexts.slice(b, b + 1).items - 1] = 1
    return chosen


@pytest.mark.parametrize("users", [10, 200])
def test_scores_equal_the_closed_form(users: int) -> None:
    train, query = some_contexts(users, seed=1), some_contexts(20, seed=2)
    chosen = dense(train, 30)
    precision = np.linalg.inv(chosen.T @ chosen + 2.0 * np.eye(30))
    weights = -precision / np.diag(precision)[None, :]
    np.fill_diagonal(weights, 0)
    fitted = Ease.fit(train, 30, regulariser=2.0)  # a strong signal makes errors visible
    assert (fitted.users is not None) == (users < 30)
    np.testing.assert_allclose(fitted.score(query), dense(query, 30) @ weights, atol=1e-4)
    again = Ease.from_tensors(Saved(fitted.tensors(), 30))
    np.testing.assert_array_equal(again.score(query), fitted.score(query))


def test_with_fewer_users_than_items_nothing_of_item_squared_is_kept() -> None:
    fitted = Ease.fit(some_contexts(10), 5000)
    assert max(array.size for array in fitted.tensors().values()) <= 5000


@pytest.mark.parametrize(("users", "items"), [(2100, 2000), (2000, 2100)])
def test_fitting_holds_one_matrix_and_small_blocks(
    users: int, items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ease, "_CELLS", 2**17)
    flat = np.random.default_rng(0).integers(1, items + 1, users * 40).astype(np.int32)
    train = Contexts(np.arange(users), np.arange(users + 1) * 40, flat)
    tracemalloc.start()
    fitted = Ease.fit(train, items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fitted.inverse.shape == (2000, 2000)
    assert peak < 1.5 * fitted.inverse.nbytes


@pytest.mark.parametrize("cells", [1, 70, 2**22])
def test_blocks_change_nothing(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    train, query = some_contexts(200, seed=1), some_contexts(20, seed=2)
    few = some_contexts(10, seed=1)
    whole = Ease.fit(train, 30).score(query), Ease.fit(few, 30).score(query)
    monkeypatch.setattr(ease, "_CELLS", cells)
    np.testing.assert_array_equal(Ease.fit(train, 30).score(query), whole[0])
    np.testing.assert_allclose(Ease.fit(few, 30).score(query), whole[1], atol=1e-6)


def test_too_large_a_problem_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "LARGEST", 20)
    with pytest.raises(BadInput, match="dense matrix of 25 rows"):
        Ease.fit(some_contexts(25), 30)
