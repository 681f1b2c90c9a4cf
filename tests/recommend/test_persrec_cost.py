"""The cost formula: the example of the spec, and what it must be at its ends."""

import pytest

from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec_cost import Cost, cost_of, numbers_kept, numbers_raw
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig


def test_the_example_of_the_formula() -> None:
    """P = 1024, R = 256, k = 4, HSTU, D = 64: about 7 % of full, and q* about .73."""
    config = PerSRecConfig(HSTUConfig(layers=16, head_dim=64), 1024, 256, 4)
    cost = cost_of(config)
    assert cost.cached / cost.full == pytest.approx(0.07, abs=0.005)
    assert cost.break_even == pytest.approx(0.73, abs=0.01)
    assert numbers_kept(config) == 15 * 2 * 4 * 64 + 64
    assert numbers_raw(config) == 16 * 2 * 1024 * 64
    assert cost.amortised(1) == cost.cached + cost.compression
    assert cost.amortised(cost.break_even) == pytest.approx(cost.full)


def test_layers_cost_what_their_matrices_are() -> None:
    dim = 32
    for backbone, matrices in (
        (SASRecConfig(dim=dim, inner=dim), 6),
        (SASRecConfig(dim=dim, inner=4 * dim), 12),
        (HSTUConfig(dim=dim, head_dim=dim), 5),
        (ESASRecConfig(dim=dim), 18),
        (HLLMConfig(dim=dim), 16),
    ):
        cost = cost_of(PerSRecConfig(backbone, old=0, recent=1, tokens=0))
        assert cost.full == backbone.layers * (matrices * dim**2 + 2 * dim)
        assert cost.full == cost.cached


def test_parts_compress_for_less_and_read_the_tokens_before_them() -> None:
    config = PerSRecConfig(old=120, recent=10, tokens=6)
    whole = cost_of(config)
    parts = cost_of(PerSRecConfig(old=120, recent=10, tokens=6, parts=3))
    assert parts.compression < whole.compression and parts.cached == whole.cached
    columns = 42
    pairs = 3 * columns * (columns + 1) / 2 + columns * 2 + columns * 4
    linear = 4 * 64**2 + 2 * 64 * 256
    assert parts.compression == 2 * (linear * 126 + 2 * 64 * pairs)
    assert numbers_kept(config) == (2 - 1) * 2 * 6 * 64 + 64


def test_what_saves_nothing_never_pays() -> None:
    assert Cost(full=1.0, cached=2.0, compression=1.0).break_even == float("inf")


def test_keys_and_values_are_as_wide_as_the_heads_are_together() -> None:
    config = PerSRecConfig(HSTUConfig(dim=32, layers=3, heads=2, head_dim=8), 100, 10, 4)
    assert numbers_raw(config) == 3 * 2 * 100 * 16
    assert numbers_kept(config) == 2 * 2 * 4 * 16 + 32
