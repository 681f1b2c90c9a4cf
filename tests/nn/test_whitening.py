"""Axes that make vectors of equal spread."""

import torch

from tastemaker.nn.whitening import whitening


def test_axes_have_equal_spread_and_no_correlation() -> None:
    torch.manual_seed(0)
    vectors = torch.randn(500, 6) @ torch.randn(6, 6) + 3
    axes, mean = whitening(vectors, 4)
    assert axes.shape == (4, 6)
    moved = (vectors - mean) @ axes.T
    torch.testing.assert_close(moved.T @ moved / 500, torch.eye(4), atol=1e-3, rtol=0)


def test_no_more_axes_than_there_are_and_small_ones_stay_small() -> None:
    torch.manual_seed(0)
    vectors = torch.randn(50, 3) * torch.tensor([1.0, 1.0, 1e-4])
    axes, mean = whitening(vectors, 10)
    spread = ((vectors - mean) @ axes.T).std(0)
    assert len(axes) == 3 and spread[2] < 0.01


def test_vectors_that_are_all_alike_stay_finite() -> None:
    for row in (torch.zeros(4), torch.full((4,), 0.1), torch.tensor([1e3, -2e3, 0.0, 1.0])):
        vectors = row.repeat(50, 1)
        axes, mean = whitening(vectors, 3)
        assert torch.isfinite(axes).all()
        assert ((vectors - mean) @ axes.T).abs().max() < 0.1
