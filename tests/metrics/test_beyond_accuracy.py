"""Coverage, diversity, novelty and personalisation against references of a few lines."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp

from tastemaker.metrics.beyond_accuracy import (
    coverage,
    entropy,
    explorers,
    gini,
    held_groups,
    novelty,
    personalisation,
    popularity_share,
)
from tests.metrics.brute_force import flat

ITEMS, GROUPS, USERS, K = 40, 6, 120, 5


@pytest.fixture
def lists() -> np.ndarray:
    """Distinct items; a third of the lists are shorter than K, one is empty."""
    rng = np.random.default_rng(0)
    found = np.stack([rng.permutation(ITEMS)[:K] + 1 for _ in range(USERS)]).astype(np.int32)
    for row in range(0, USERS, 3):
        found[row, rng.integers(1, K + 1) :] = 0
    found[0] = 0
    return found


@pytest.fixture
def membership() -> sp.csr_array:
    """Up to three groups an item; some items have none."""
    return sp.csr_array((np.random.default_rng(1).random((ITEMS, GROUPS)) < 0.25).astype(float))


@pytest.fixture
def counts() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 9, ITEMS)


def test_coverage_and_gini(lists: np.ndarray) -> None:
    shown = Counter(int(code) for code in lists.ravel() if code)
    assert coverage(lists, ITEMS + 10) == pytest.approx(len(shown) / (ITEMS + 10))
    exposure = [shown.get(code, 0) for code in range(1, ITEMS + 11)]
    apart = sum(abs(x - y) for x in exposure for y in exposure)
    expected = apart / (2 * len(exposure) * sum(exposure))
    assert gini(lists, ITEMS + 10) == pytest.approx(expected, abs=1e-9)


def test_coverage_and_gini_of_extremes() -> None:
    everyone = np.tile(np.array([3, 1], np.int32), (9, 1))
    assert coverage(everyone, 20) == 2 / 20
    assert gini(everyone, 20) == pytest.approx(18 / 20)
    assert gini(np.arange(1, 21, dtype=np.int32).reshape(10, 2), 20) == 0.0
    assert (coverage(everyone * 0, 20), gini(everyone * 0, 20)) == (0.0, 0.0)


@pytest.mark.parametrize("count", [False, True])
def test_entropy(lists: np.ndarray, membership: sp.csr_array, count: bool) -> None:
    dense, found = membership.toarray(), entropy(lists, membership, count)
    for row, value in zip(lists, found, strict=True):
        shares = [0.0] * GROUPS
        for code in row[row > 0]:
            labels = np.flatnonzero(dense[code - 1])
            for group in labels:
                shares[group] += 1 if count else 1 / len(labels)
        total = sum(shares)
        bits = -sum(s / total * math.log2(s / total) for s in shares if s)
        assert value == pytest.approx(bits, abs=1e-9)


def test_entropy_of_one_group_and_of_equal_groups() -> None:
    one_each = sp.csr_array(np.eye(8))
    assert entropy(np.array([[1, 2, 3, 4, 5, 6, 7, 8]]), one_each) == pytest.approx([3.0])
    together = sp.csr_array(np.ones((8, 1)))
    assert entropy(np.array([[1, 2, 3]]), together).tolist() == [0.0]
    assert entropy(np.array([[1, 2]]), sp.csr_array((8, 3))).tolist() == [0.0]


def test_novelty_and_popularity_share(lists: np.ndarray, counts: np.ndarray) -> None:
    popular = sorted(range(ITEMS), key=lambda at: (-counts[at], at))[:4]
    found, shares = novelty(lists, counts), popularity_share(lists, counts)
    total = counts.sum() + ITEMS
    for row, value, share in zip(lists, found, shares, strict=True):
        codes = [int(code) for code in row if code]
        surprise = [-math.log2((counts[code - 1] + 1) / total) for code in codes]
        hits = [code - 1 in popular for code in codes]
        assert value == pytest.approx(sum(surprise) / max(1, len(codes)), abs=1e-9)
        assert share == pytest.approx(sum(hits) / max(1, len(codes)), abs=1e-9)


def test_popular_items_are_the_stated_share() -> None:
    everything = np.arange(1, 101, dtype=np.int32)[None]
    for share in (0.1, 0.29, 0.57, 1.0):
        assert popularity_share(everything, np.arange(100), share)[0] == pytest.approx(share)
    few = popularity_share(np.array([[1, 2, 3]], np.int32), np.array([5, 5, 1]))
    assert few[0] == pytest.approx(1 / 3), "at least one item is popular, the lower of equals"


def test_personalisation_is_the_mean_over_pairs(lists: np.ndarray) -> None:
    rows = [set(row[row > 0].tolist()) for row in lists[:50]]
    found = personalisation(lists[:50], ITEMS)
    for user, value in enumerate(found):
        others = [len(rows[user] & row) / K for at, row in enumerate(rows) if at != user]
        assert value == pytest.approx(1 - sum(others) / 49, abs=1e-9)
    pairs = [len(one & other) / K for one, other in combinations(rows, 2)]
    assert found.mean() == pytest.approx(1 - sum(pairs) / len(pairs), abs=1e-9)


def test_personalisation_of_extremes() -> None:
    same = np.tile(np.array([4, 2], np.int32), (7, 1))
    assert personalisation(same, 20).tolist() == [0.0] * 7
    disjoint = np.arange(1, 15, dtype=np.int32).reshape(7, 2)
    assert personalisation(disjoint, 20).tolist() == [1.0] * 7
    assert personalisation(same[:1], 20).tolist() == [0.0]


def test_explorers_meet_a_group_they_had_not_held(membership: sp.csr_array) -> None:
    rng, dense = np.random.default_rng(3), membership.toarray() > 0
    contexts = [rng.integers(1, ITEMS + 1, rng.integers(0, 5)).tolist() for _ in range(USERS)]
    targets = [rng.integers(1, ITEMS + 1, rng.integers(1, 3)).tolist() for _ in range(USERS)]
    held, wanted = (
        held_groups(offsets, items, membership)
        for items, offsets in (flat(contexts), flat(targets))
    )

    def groups(codes: list[int]) -> set[int]:
        return {int(group) for code in codes for group in np.flatnonzero(dense[code - 1])}

    expected = [
        bool(groups(new) - groups(past)) for past, new in zip(contexts, targets, strict=True)
    ]
    assert explorers(held, wanted).tolist() == expected
    assert 0 < sum(expected) < USERS
    items, offsets = flat(contexts)
    assert held_groups(offsets[40:], items, membership).tolist() == held[40:].tolist()
