"""EASE: both routes equal the closed form by a float64 inverse."""

import numpy as np
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.recommend import ease
from tastemaker.recommend.ease import Ease
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
    again = Ease.from_tensors(fitted.tensors())
    np.testing.assert_array_equal(again.score(query), fitted.score(query))


def test_with_fewer_users_than_items_nothing_of_item_squared_is_kept() -> None:
    fitted = Ease.fit(some_contexts(10), 5000)
    assert max(array.size for array in fitted.tensors().values()) <= 5000


def test_too_large_a_problem_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "LARGEST", 20)
    with pytest.raises(BadInput, match="dense matrix of 25 rows"):
        Ease.fit(some_contexts(25), 30)
