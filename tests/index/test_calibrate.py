"""Recall by hand, and the least effort that reaches what is wanted."""

import numpy as np
import pytest

from tastemaker.index.calibrate import QUERIES, draw_queries, least_effort, recalls
from tastemaker.index.exact import Lists
from tests.index.worlds import some_vectors


def lists(ids: list[list[int]], scores: list[list[float]]) -> Lists:
    return np.array(ids), np.array(scores, np.float32)


def test_recall_by_hand() -> None:
    exact = lists([[1, 2, 3], [4, 5, -1], [-1, -1, -1]],
                  [[9, 8, 7], [6, 5, -np.inf], [-np.inf] * 3])  # fmt: skip
    found = lists([[1, 3, 8], [5, -1, -1], [-1, -1, -1]],
                  [[9, 7, 6], [5, -np.inf, -np.inf], [-np.inf] * 3])  # fmt: skip
    assert recalls(found, exact).tolist() == pytest.approx([2 / 3, 1 / 2, 1])


def test_another_of_equal_scores_is_as_good() -> None:
    exact, found = lists([[1, 2]], [[5, 4]]), lists([[1, 9]], [[5, 4]])
    assert recalls(found, exact).tolist() == [1]


def exact_lists(queries: int) -> Lists:
    return np.zeros((queries, 1), np.int64), np.ones((queries, 1), np.float32)


def found_by(effort: int) -> Lists:
    """Finds the best of `effort` in a hundred queries."""
    scores = (np.arange(100) < effort).astype(np.float32)[:, None]
    return np.zeros((100, 1), np.int64), scores


def test_the_least_effort_reaches_what_is_wanted_with_its_error_off() -> None:
    efforts = range(50, 101, 5)
    reached = least_effort(found_by, exact_lists(100), efforts, 0.9)
    assert reached.effort == 95 and reached.recall == pytest.approx(0.95)
    assert reached.recall - reached.error >= 0.9
    assert least_effort(found_by, exact_lists(100), efforts, 1.0).effort == 100


def test_where_nothing_reaches_it_the_best_is_said() -> None:
    reached = least_effort(found_by, exact_lists(100), [10, 60, 40], 0.9)
    assert (reached.effort, reached.recall) == (60, pytest.approx(0.6))


def test_drawn_queries_are_no_vectors_and_the_same_for_a_seed() -> None:
    vectors = some_vectors(2000, 8)
    rows = np.arange(0, 2000, 2)
    queries = draw_queries(vectors, rows, 3)
    assert queries.shape == (QUERIES, 8)
    assert np.array_equal(queries, draw_queries(vectors, rows, 3))
    assert not np.array_equal(queries, draw_queries(vectors, rows, 4))
    same = (queries[:, None] == vectors[None]).all(2).any()
    assert not same
    assert len(draw_queries(vectors, rows[:7], 0)) == 7
