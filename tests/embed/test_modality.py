"""Gap, alignment and uniformity on vectors laid by hand."""

import math

import numpy as np
import pytest

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
