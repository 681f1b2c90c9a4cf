"""Differences of two groups: published values, coverage by simulation, and what says nothing."""

import math

import numpy as np
import pytest

from tastemaker.metrics.unpaired import (
    Sample,
    any_time,
    detectable,
    mean_difference,
    mean_interval,
    sample_ratio,
    share_difference,
    share_interval,
)


def share(some: int, users: int) -> Sample:
    return Sample.of(np.r_[np.ones(some), np.zeros(users - some)])


def test_shares_have_the_intervals_of_the_paper() -> None:
    """Newcombe 1998, method 10, on its table's contrasts (a) and (e); Wilson's of 81 / 263."""
    assert share_difference(share(56, 70), share(48, 80)) == pytest.approx(
        (0.0524, 0.3339), abs=1e-4
    )
    assert share_difference(share(5, 56), share(0, 29)) == pytest.approx(
        (-0.0381, 0.1926), abs=1e-4
    )
    assert share_interval(share(81, 263)) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_means_have_the_intervals_of_welch() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(0)
    one, other = rng.normal(1, 3, 12), rng.normal(0, 1, 30)
    said = ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
    assert mean_difference(Sample.of(one), Sample.of(other), 0.9) == pytest.approx(tuple(said))
    alone = mean_interval(Sample.of([1.0, 2, 3, 4]))
    assert alone == pytest.approx((2.5 - 2.0542, 2.5 + 2.0542), abs=1e-3)


def test_what_says_nothing_has_no_interval() -> None:
    none, single, flat = Sample.of([]), Sample.of([3]), Sample.of([2, 2, 2])
    for one, other in ((none, flat), (single, flat), (flat, flat)):
        assert mean_difference(one, other) is None and any_time(one, other) is None
        assert detectable(one, other) == math.inf
    assert share_interval(none) is None and share_difference(none, share(1, 2)) is None
    low, high = share_difference(share(0, 50), share(0, 50)) or (0, 0)
    assert low == pytest.approx(-high) and 0.05 < high < 0.1  # nobody is not never


@pytest.mark.parametrize(("rate", "users"), [(0.05, 400), (0.3, 60)])
def test_intervals_hold_as_often_as_they_say(rate: float, users: int) -> None:
    rng, inside = np.random.default_rng(1), np.zeros(2)
    lift = 0.05
    for _ in range(2_000):
        one = share(int(rng.binomial(users, rate + lift)), users)
        other = share(int(rng.binomial(2 * users, rate)), 2 * users)
        for place, ends in enumerate((share_difference(one, other), mean_difference(one, other))):
            assert ends is not None
            inside[place] += ends[0] <= lift <= ends[1]
    assert 0.935 < inside[0] / 2_000 < 0.97
    assert 0.93 < inside[1] / 2_000 < 0.97


def test_a_planted_difference_is_found_as_often_as_promised() -> None:
    users, rate = 1_500, 0.1
    rng = np.random.default_rng(2)
    plan = share(int(rate * users), users)
    lift = detectable(plan, plan)
    found = 0
    for _ in range(1_000):
        one = share(int(rng.binomial(users, rate + lift)), users)
        ends = share_difference(one, share(int(rng.binomial(users, rate)), users))
        found += ends is not None and ends[0] > 0
    assert 0.75 < found / 1_000 < 0.85


def test_a_sequence_of_looks_is_wrong_as_seldom_as_one() -> None:
    """100 looks at an experiment without a difference: intervals for one look fail, these hold."""
    rng, wrong_once, wrong_ever, trials = np.random.default_rng(3), 0, 0, 300
    for _ in range(trials):
        values = (rng.random((2, 5_000)) < 0.2).astype(float)
        sums, plain, always = values.cumsum(1), False, False
        for users in range(50, 5_001, 50):
            means = sums[:, users - 1] / users
            groups = [
                Sample(users, mean, mean * (1 - mean) * users / (users - 1)) for mean in means
            ]
            once, ever = mean_difference(*groups), any_time(*groups)
            assert once is not None and ever is not None
            assert ever[0] < once[0] and once[1] < ever[1]
            plain |= not once[0] <= 0 <= once[1]
            always |= not ever[0] <= 0 <= ever[1]
        wrong_once += plain
        wrong_ever += always
    assert wrong_once / trials > 0.2
    assert wrong_ever / trials <= 0.05


def test_the_sequence_is_narrowest_where_it_was_meant_to_be() -> None:
    def ratio(tightest: int) -> float:
        one = Sample(2_500, 0.1, 0.09)
        ends = any_time(one, one, tightest=tightest)
        once = mean_difference(one, one)
        assert ends is not None and once is not None
        return (ends[1] - ends[0]) / (once[1] - once[0])

    best = min(range(500, 50_000, 250), key=ratio)
    assert best == pytest.approx(5_000, rel=0.1) and 1.4 < ratio(5_000) < 1.7


def test_group_sizes_that_were_not_planned_are_seen() -> None:
    from scipy.stats import chisquare

    assert sample_ratio([900, 100], [9, 1]) == pytest.approx(1)
    assert sample_ratio([870, 130], [9, 1]) == pytest.approx(
        chisquare([870, 130], [900, 100]).pvalue
    )
    assert sample_ratio([5_300, 4_700], [0.5, 0.5]) < 1e-8
    assert sample_ratio([0, 0], [0.5, 0.5]) == sample_ratio([7], [1]) == 1
    rng = np.random.default_rng(4)
    ps = [sample_ratio(rng.multinomial(500, [0.5, 0.3, 0.2]), [5, 3, 2]) for _ in range(2_000)]
    assert 0.03 < np.mean(np.array(ps) < 0.05) < 0.07
