"""Paired comparisons, permutations and verdicts against exact sums and known answers."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.metrics.beyond_accuracy import coverage
from tastemaker.metrics.comparisons import (
    Comparison,
    compare,
    coverage_permutation,
    holm,
    sign_flip,
    verdict,
)
from tastemaker.metrics.intervals import interval


def test_other_users_or_seeds_are_refused() -> None:
    with pytest.raises(BadInput):
        compare(np.zeros((3, 5)), np.zeros(5))
    with pytest.raises(BadInput):
        coverage_permutation(np.ones((3, 2), np.int32), np.ones((3, 1), np.int32), 4)


def test_a_model_against_itself_differs_by_nothing() -> None:
    values = np.random.default_rng(0).random((3, 100))
    found = compare(values, values)
    assert (found.difference, found.ci95, found.p) == (0.0, (0.0, 0.0), 1.0)
    assert (found.better, found.equal, found.worse, found.relative) == (0.0, 1.0, 0.0, 0.0)
    assert found.seeds_agreeing == 0
    assert verdict(found) == "undecided", "no width at all is narrow"


def test_a_comparison_is_what_its_parts_say() -> None:
    rng = np.random.default_rng(0)
    b = rng.random((3, 400)).round(1)
    a = b + rng.choice([-0.1, 0.0, 0.3], (3, 400))
    found = compare(a, b, seed=2)
    d = (a - b).mean(0)
    assert found.difference == pytest.approx(d.mean())
    assert found.ci95 == interval(d, seed=2).ci95
    assert found.relative == pytest.approx(d.mean() / b.mean())
    assert found.reference == pytest.approx(b.mean())
    assert found.per_seed == pytest.approx((a - b).mean(1))
    assert (found.better, found.equal, found.worse) == (
        (d > 0).mean(),
        (d == 0).mean(),
        (d < 0).mean(),
    )
    assert found.users == 400 and found.seeds_agreeing == 3 and found.p < 0.001
    stored = json.loads(json.dumps(found.to_json()))
    assert stored["half_width"] == pytest.approx((found.ci95[1] - found.ci95[0]) / 2)
    assert compare(b, a, seed=2).difference == -found.difference


def test_sign_flips_approach_the_exact_p() -> None:
    for seed in range(5):
        d = np.random.default_rng(seed).integers(-3, 5, 11).astype(float)
        flips = np.array(list(product([-1, 1], repeat=11))) @ d
        exact = (np.abs(flips) >= abs(d.sum())).mean()
        assert sign_flip(d, seed, 20_000) == pytest.approx(exact, abs=0.015)


def test_sign_flips_are_uniform_under_the_null() -> None:
    rng = np.random.default_rng(0)
    found = np.array([sign_flip(rng.normal(size=60), at, 500) for at in range(400)])
    assert np.mean(found <= 0.05) == pytest.approx(0.05, abs=0.035)
    assert found.mean() == pytest.approx(0.5, abs=0.05)
    assert sign_flip(np.array([0.3]), 0, 99) == 1.0, "either sign is as large"
    assert sign_flip(np.full(40, 0.1), 0, 999) == pytest.approx(1 / 1000)


def test_holm() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(found) == ["a", "b", "c", "d"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def comparison(per_seed: list[float], low: float, high: float, reference: float) -> Comparison:
    d = float(np.mean(per_seed))
    whole = compare(np.ones(2), np.ones(2))
    return replace(
        whole, difference=d, ci95=(low, high), per_seed=tuple(per_seed), reference=reference
    )


@pytest.mark.parametrize(
    ("per_seed", "low", "high", "expected"),
    [
        ([0.02, 0.03, 0.01], 0.01, 0.03, "holds"),
        ([-0.02, -0.03, -0.01], -0.03, -0.01, "fails"),
        ([0.05, 0.04, -0.01], 0.01, 0.05, "undecided"),
        ([0.02, 0.03, 0.01], -0.001, 0.03, "undecided"),
        ([0.02, 0.03, 0.01], 0.0, 0.03, "undecided"),
        ([0.02], 0.01, 0.03, "undecided"),
        ([0.02, 0.02], 0.01, 0.03, "undecided"),
        ([0.02, 0.03, 0.01, -0.01], 0.01, 0.03, "undecided"),
        ([0.02, 0.03, 0.01, 0.02, -0.01], 0.01, 0.03, "holds"),
        ([-0.02, -0.03, -0.01, -0.02, 0.01], -0.03, -0.01, "fails"),
        ([0.04, 0.04, 0.04, -0.01, -0.01], 0.01, 0.03, "undecided"),
        ([0.02] * 8 + [-0.01] * 2, 0.01, 0.03, "holds"),
        ([0.02] * 7 + [-0.01] * 3, 0.01, 0.03, "undecided"),
    ],
)
def test_verdicts(per_seed: list[float], low: float, high: float, expected: str) -> None:
    found = comparison(per_seed, low, high, 1.0)
    assert verdict(found) == expected
    mirrored = {"holds": "fails", "fails": "holds"}
    assert verdict(found, "below") == mirrored.get(expected, expected)


def test_an_open_verdict_depends_on_its_half_width() -> None:
    for reference in (0.2, -0.2):
        assert verdict(comparison([0.0] * 3, -0.0099, 0.0099, reference)) == "undecided"
        assert verdict(comparison([0.0] * 3, -0.0101, 0.0101, reference)) == "underpowered"
    assert verdict(comparison([0.0] * 3, -0.01, 0.01, 0.0)) == "underpowered"
    assert verdict(comparison([0.0] * 3, -0.5, 0.5, 1.0), widest=0.5) == "undecided"
    assert verdict(comparison([0.0] * 3, -0.02, 0.02, 0.2), widest=0.1) == "undecided"


def test_coverage_permutation_equals_swapping_the_lists() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 40, (9, 4)).astype(np.int32)
    b = rng.integers(0, 15, (9, 4)).astype(np.int32)
    assert (a == 0).any() and (b == 0).any(), "padding is no item"
    gaps = [
        coverage(np.where(swap, b, a), 40) - coverage(np.where(swap, a, b), 40)
        for swap in (np.array(one, bool)[:, None] for one in product([0, 1], repeat=9))
    ]
    observed, p = coverage_permutation(a, b, 40, flips=20_000)
    assert observed == pytest.approx(coverage(a, 40) - coverage(b, 40))
    assert p == pytest.approx(np.mean(np.abs(gaps) >= abs(observed) - 1e-9), abs=0.015)


def test_coverage_permutation_of_extremes() -> None:
    same = np.arange(1, 61, dtype=np.int32).reshape(20, 3)
    assert coverage_permutation(same, same, 60, 500) == (0.0, 1.0)
    narrow = np.tile(np.array([1, 2, 3], np.int32), (20, 1))
    observed, p = coverage_permutation(same, narrow, 60, 500)
    assert observed == pytest.approx(57 / 60) and p == pytest.approx(1 / 501)
    assert coverage_permutation(same, narrow, 60, 500) == (observed, p)
    assert coverage_permutation(np.zeros_like(same), np.zeros_like(same), 60, 70) == (0.0, 1.0)
