"""Gap, alignment and uniformity on vectors laid by hand."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.modality import alignment, modality_gap, uniformity

AXES = np.eye(4, dtype=np.float32)


def test_gap_of_two_points_is_their_distance():
    assert modality_gap(AXES[[0, 0]], AXES[[1, 1]]) == pytest.approx(math.sqrt(2))
    assert modality_gap(AXES, AXES[::-1]) == 0


def test_alignment_is_zero_for_equal_and_four_for_opposite_vectors():
    assert alignment(AXES, AXES) == 0
    assert alignment(AXES, -AXES) == pytest.approx(4)
    assert alignment(AXES[[0, 1]], AXES[[0, 2]]) == pytest.approx(1)


def test_uniformity_counts_each_pair_once_and_none_with_itself():
    assert uniformity(AXES[[0, 0, 0]]) == pytest.approx(0, abs=1e-6)
    assert uniformity(AXES) == pytest.approx(-4)
    mixed = np.log((1 + 2 * math.exp(-4)) / 3)
    assert uniformity(AXES[[0, 0, 1]]) == pytest.approx(mixed)


def drawn(seed: int, many: int) -> np.ndarray:
    """(N, 5) unit vectors."""
    rows = np.random.default_rng(seed).normal(size=(many, 5))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(0, 999), st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_measures_are_those_of_a_slow_count(seed, many):
    pictures, texts = drawn(seed, many), drawn(seed + 1, many)
    apart = [float(((a - b) ** 2).sum()) for a, b in zip(pictures, texts, strict=True)]
    assert alignment(pictures, texts) == pytest.approx(sum(apart) / many)
    pairs = [((a - b) ** 2).sum() for a, b in combinations(pictures, 2)]
    assert uniformity(pictures) == pytest.approx(math.log(np.exp(-2 * np.array(pairs)).mean()))
    gap = np.linalg.norm(sum(pictures) / many - sum(texts) / many)
    assert modality_gap(pictures, texts) == pytest.approx(gap)


@given(st.integers(0, 999), st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_bounds_order_and_turns(seed, many):
    pictures, texts = drawn(seed, many), drawn(seed + 1, many)
    order = np.random.default_rng(seed).permutation(many)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))
    assert 0 <= modality_gap(pictures, texts) <= 2 and 0 <= alignment(pictures, texts) <= 4
    assert -8 <= uniformity(pictures) <= 1e-9
    assert modality_gap(pictures[order] @ turn, texts @ turn) == pytest.approx(
        modality_gap(pictures, texts)
    )
    assert alignment(pictures[order], texts[order]) == pytest.approx(alignment(pictures, texts))
    assert uniformity(pictures[order] @ turn) == pytest.approx(uniformity(pictures))


def test_single_precision_is_precise_enough_over_many():
    many = np.repeat(drawn(0, 1).astype(np.float32), 100_000, axis=0)
    assert modality_gap(many, many[:1]) < 1e-6
