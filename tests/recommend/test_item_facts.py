"""What is known of items: vectors of their texts, and of who chose what with what."""

import numpy as np
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.recommend.item_facts import ItemFacts, collaborative_vectors, nearest
from tests.recommend.small_vrec import ground
from tests.recommend.test_vrec_groups import two_tastes


def test_what_has_no_label_has_that_of_the_nearest_mean() -> None:
    places = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.1, 0.9], [0, 0], [1, 0]], np.float32)
    labels = np.array([1, -1, 0, -1, -1, -1])
    assert nearest(labels, places).tolist() == [1, 1, 0, 0, -1, 1]
    assert nearest(np.full(6, -1), places).tolist() == [-1] * 6


def test_texts_are_those_of_trained_items() -> None:
    facts = ItemFacts(ground(two_tastes()), two_tastes())
    assert facts.trained.tolist() == [True] * 20 + [False] * 10
    assert facts.texts.any(1).all()  # kinds are words that trained items have
    bare = ItemFacts(Ground(30), two_tastes())
    assert not bare.texts.any() and bare.texts.shape == (30, 1)


def test_fewer_users_or_items_than_columns_will_do() -> None:
    one = Contexts(np.array([0]), np.array([0, 2]), np.array([1, 2], np.int32))
    vectors = collaborative_vectors(one, 3)
    assert vectors.shape == (3, 1) and not vectors[2].any() and vectors[:2].any(1).all()
    assert np.isfinite(vectors).all()


def test_items_nobody_chose_have_no_collaborative_vector() -> None:
    vectors = collaborative_vectors(two_tastes(), 30)
    assert vectors[:20].any(1).all() and not vectors[20:].any()


@pytest.mark.parametrize("seed", range(4))
def test_collaborative_vectors_are_near_as_users_of_length_one_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    users, size = int(rng.integers(2, 9)), 7
    rows = [rng.integers(1, size, rng.integers(1, 6)) for _ in range(users)]
    offsets = np.cumsum([0, *map(len, rows)])
    train = Contexts(np.arange(users), offsets, np.concatenate(rows).astype(np.int32))
    table = np.zeros((users, size))
    for user, row in enumerate(rows):
        table[user, row - 1] = 1  # how often does not count
    chosen = (table / np.linalg.norm(table, axis=1, keepdims=True)).T
    known = chosen.any(1)
    chosen[known] /= np.linalg.norm(chosen[known], axis=1, keepdims=True)
    vectors = collaborative_vectors(train, size)
    assert np.allclose(vectors @ vectors.T, chosen @ chosen.T, atol=1e-5)
    assert not vectors[~known].any() and not known[-1]  # item 7 was never chosen
