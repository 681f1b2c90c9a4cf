"""Ranks, lists and accuracy against references of a few lines, ties and masks included."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import NumericFault
from tastemaker.metrics.ranking import check_scores, multi_target, ranks, single_target, ties, top_k
from tests.metrics import brute_force as reference

# Few distinct values, so that ties are everywhere; −0 equals +0; −inf is a mask.
SCORES = st.sampled_from([-math.inf, -2.0, -0.0, 0.0, 1.0, 1.5, 3.0])


@st.composite
def tables(draw: st.DrawFn) -> list[list[float]]:
    rows, items = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    return draw(
        st.lists(st.lists(SCORES, min_size=items, max_size=items), min_size=rows, max_size=rows)
    )


@settings(max_examples=300, deadline=None)
@given(tables(), st.integers(1, 14), st.integers(0, 11))
def test_ranks_lists_and_ties_equal_the_references(
    table: list[list[float]], k: int, target: int
) -> None:
    scores, items = torch.tensor(table), len(table[0])
    target %= items
    targets = torch.full((len(table),), target)
    found, tied, lists = ranks(scores, targets), ties(scores, targets), top_k(scores, k)
    for row, place, shared, ranked in zip(
        table, found.tolist(), tied.tolist(), lists.tolist(), strict=True
    ):
        assert place == reference.rank(row, target + 1)
        own = row[target]
        assert shared == (own > -math.inf and row.count(own) > 1)
        expected = reference.top(row, k)
        assert ranked == expected + [0] * (min(k, items) - len(expected))


@pytest.mark.parametrize("distinct", [1, 3, 40, 10**6])
@pytest.mark.parametrize("k", [1, 10, 50])
def test_large_lists_break_ties_by_the_lower_item(distinct: int, k: int) -> None:
    scores = np.random.default_rng(0).integers(0, distinct, (64, 700)).astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k] + 1
    assert top_k(torch.from_numpy(scores), k).tolist() == expected.tolist()


@pytest.mark.parametrize("distinct", [2, 10**6])
def test_rows_beyond_what_is_compared_at_a_time(distinct: int) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, distinct, (40, 70_000)).astype(np.float32)
    targets = rng.integers(0, 70_000, 40)
    own = scores[np.arange(40), targets][:, None]
    table, wanted = torch.from_numpy(scores), torch.from_numpy(targets)
    assert ranks(table, wanted).tolist() == (scores >= own).sum(1).tolist()
    assert ties(table, wanted).tolist() == ((scores == own).sum(1) > 1).tolist()
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3] + 1
    assert top_k(table, 3).tolist() == best.tolist()


def test_ranking_leaves_the_scores_alone() -> None:
    scores = torch.tensor([[1.0, 1.0, 0.0, -math.inf]])
    before = scores.clone()
    ranks(scores, torch.tensor([0]))
    top_k(scores, 2)
    assert torch.equal(scores, before)


def test_hand_example() -> None:
    found = single_target(np.array([1, 3, 11]), [10])
    assert found["hr@10"].mean() == pytest.approx(0.6667, abs=1e-4)
    assert found["ndcg@10"].mean() == pytest.approx(0.5)
    assert found["mrr@10"].mean() == pytest.approx(0.4444, abs=1e-4)


def test_hand_example_with_several_targets() -> None:
    hits = np.array([[True, False, True, False]])
    found = multi_target(hits, np.array([3]), [4])
    ideal = 1 + 1 / math.log2(3) + 0.5
    assert found["recall@4"][0] == pytest.approx(2 / 3)
    assert found["ndcg@4"][0] == pytest.approx(1.5 / ideal)
    assert (found["mrr@4"][0], found["hr@4"][0]) == (1.0, 1.0)


def test_single_target_equals_the_reference() -> None:
    places, ks = np.arange(1, 130), [1, 2, 5, 10, 50, 200]
    found = single_target(places, ks)
    assert len(found) == 3 * len(ks)
    for k in ks:
        for name in ("hr", "ndcg", "mrr"):
            expected = [reference.single(int(place), k)[name] for place in places]
            np.testing.assert_allclose(found[f"{name}@{k}"], expected, rtol=0, atol=1e-9)


def test_several_targets_equal_the_reference() -> None:
    rng = np.random.default_rng(1)
    hits = rng.random((150, 20)) < 0.15
    targets = hits.sum(1) + rng.integers(0, 9, 150)
    targets = np.maximum(targets, 1)
    found = multi_target(hits, targets, [1, 3, 20])
    for row in range(150):
        wanted = [*np.flatnonzero(hits[row]), *range(100, 100 + targets[row] - hits[row].sum())]
        for k in (1, 3, 20):
            expected = reference.multi(range(20), wanted, k)
            for name, value in expected.items():
                assert found[f"{name}@{k}"][row] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_name_user_and_item(bad: float) -> None:
    scores = torch.zeros(3, 4)
    scores[1, 2] = bad
    scores[0, 0] = -math.inf
    with pytest.raises(NumericFault) as caught:
        check_scores(scores, np.array([70, 71, 72]))
    assert "positions [71]" in caught.value.where and "position 2" in caught.value.where
    assert caught.value.exit_code == 4


def test_masked_scores_are_no_fault() -> None:
    check_scores(torch.full((2, 3), -math.inf), np.array([0, 1]))
