"""Semantic ids from vectors: like items share codes, every item has its own, always the same."""

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.recommend.residual_codes import residual_codes


def planted(seed: int = 0) -> np.ndarray:
    """(48, 6) four far centres, each with three nearer ones, each with four items."""
    rng = np.random.default_rng(seed)
    far, near = 100 * rng.normal(size=(4, 6)), 10 * rng.normal(size=(12, 6))
    own = rng.normal(size=(48, 6))
    return np.asarray(far[np.arange(48) // 12] + near[np.arange(48) // 4] + own, np.float32)


def test_codes_go_from_coarse_to_fine() -> None:
    ids = residual_codes(planted(), levels=2, size=4)
    first = [set(ids.codes[start : start + 12, 0].tolist()) for start in range(0, 48, 12)]
    assert all(len(codes) == 1 for codes in first)
    assert len(set.union(*first)) == 4


def test_each_level_leaves_less_over() -> None:
    vectors = planted()
    left = []
    for levels in (1, 2, 3):
        codes = residual_codes(vectors, levels, size=4).codes[:, :levels]
        _, alike = np.unique(codes, axis=0, return_inverse=True)
        means = np.stack([vectors[alike == one].mean(axis=0) for one in range(alike.max() + 1)])
        left.append(float(((vectors - means[alike]) ** 2).sum()))
    assert left[0] > 10 * left[1] > 20 * left[2] > 0


def test_the_second_level_is_of_what_the_first_leaves_over() -> None:
    """Two far clouds of the same two clumps: codes of the second level stand for the clumps."""
    clumps = np.array([[0.0, -1], [0, 1]] * 8)
    vectors = clumps + np.repeat([[0, 0], [100, 50]], 8, axis=0)
    codes = residual_codes(vectors, levels=2, size=2).codes
    assert len({tuple(row) for row in codes[:, :2].tolist()}) == 4
    assert np.array_equal(codes[:8, 1], codes[8:, 1])


def test_every_item_has_a_sequence_of_its_own_and_always_the_same() -> None:
    vectors = np.concatenate([planted(), planted()[:7], np.zeros((3, 6), np.float32)])
    ids = residual_codes(vectors, seed=3)
    assert len(np.unique(ids.codes, axis=0)) == len(vectors)
    assert np.array_equal(ids.codes, residual_codes(vectors, seed=3).codes)
    assert len(ids.sizes) == 4


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_items_than_codes_will_do(count: int) -> None:
    for vectors in (planted()[:count], np.ones((count, 3))):
        ids = residual_codes(vectors, size=64)
        assert len(np.unique(ids.codes, axis=0)) == count
        assert all(size <= count for size in ids.sizes)


def test_vectors_that_are_none_are_refused() -> None:
    for vectors in (np.array([[1.0, np.nan]]), np.zeros((0, 3)), np.zeros(3)):
        with pytest.raises(BadInput):
            residual_codes(vectors)
