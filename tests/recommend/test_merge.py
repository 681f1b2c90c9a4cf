"""Two heads, one list: the dial between them."""

import numpy as np
import pytest

from tastemaker.recommend.merge import (
    ItemHeads,
    Neighbours,
    best_first,
    quota,
    standardised,
    weighed,
)


def some_heads(items: int = 40, seed: int = 0) -> ItemHeads:
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=(items, width)).astype(np.float32) for width in (6, 6, 4)]
    trigger, target, meaning = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in drawn)
    return ItemHeads(trigger, target, meaning)


@pytest.mark.parametrize("relevance", [0.0, 0.3, 1.0])
def test_one_inner_product_is_the_weighted_sum_of_both_scores(relevance: float) -> None:
    heads, rows = some_heads(), np.array([3, 0, 39])
    fused = heads.queries(rows, relevance) @ heads.stored().T
    engaging = heads.trigger[rows] @ heads.target.T
    similar = heads.relevance[rows] @ heads.relevance.T
    want = (1 - relevance) * engaging + relevance * similar
    np.testing.assert_allclose(fused, want, atol=1e-6)


def union(heads: ItemHeads, trigger: int, kept: int) -> Neighbours:
    """Both heads' lists of one item, by plain arithmetic."""
    engaging = (heads.trigger[trigger] @ heads.target.T).astype(np.float32)
    similar = (heads.relevance[trigger] @ heads.relevance.T).astype(np.float32)
    others = np.delete(np.arange(len(engaging)), trigger)
    lists = [others[np.argsort(-part[others])[:kept]] for part in (engaging, similar)]
    items = np.unique(np.concatenate(lists)).astype(np.int32)
    return Neighbours(items, engaging[items], similar[items], 0.5)


@pytest.mark.parametrize("share", [None, 0, 3, 10])
def test_a_quota_gives_k_distinct_items_and_never_the_one_asked_from(share: int | None) -> None:
    engaging, similar = [7, 1, 2, 3, 4, 5, 6], [1, 9, 2, 7, 8, 10, 11, 12]
    items = quota(engaging, similar, 10, share, trigger=7)
    assert len(items) == len(set(items)) == 10
    assert 7 not in items
    if share is None:
        assert items[:4] == [1, 9, 2, 8]
    if share == 0:
        assert items[:7] == [1, 9, 2, 8, 10, 11, 12]
    if share == 3:
        assert [item for item in items[:6] if item in (1, 2, 3)] == [1, 2, 3]


def test_a_quota_gives_all_there_is() -> None:
    assert sorted(quota([1, 2], [2, 3], 50, trigger=3)) == [1, 2]
    assert quota([], [], 5) == []
    assert quota([5], [6], 1, 0) == [6]


def test_standardised_fusion_gives_each_heads_own_list_at_either_end() -> None:
    heads, kept = some_heads(), 8
    for trigger in range(5):
        both = union(heads, trigger, kept)
        engaging = heads.trigger[trigger] @ heads.target.T
        similar = heads.relevance[trigger] @ heads.relevance.T
        for dial, part in ((0.0, engaging), (1.0, similar)):
            want = [item for item in np.argsort(-part) if item != trigger][:kept]
            assert standardised(both, kept, dial).tolist() == want


def test_standardised_fusion_weighs_both_scores_alike_whatever_their_spread() -> None:
    both = union(some_heads(), 3, 8)
    wide = both._replace(engagement=both.engagement * 1000 + 5)
    for dial in (0.3, 0.5, 0.8):
        assert standardised(wide, 8, dial).tolist() == standardised(both, 8, dial).tolist()
    flat = both._replace(engagement=np.zeros_like(both.engagement))
    assert standardised(flat, 8, 0.0).tolist() == both.items[:8].tolist()


def test_equal_scores_go_to_the_lower_item() -> None:
    items = np.array([9, 4, 7, 1, 8, 3, 2, 6], np.int32)
    scores = np.array([1, 2, 2, 0, 2, 0, 0, 0], np.float32)
    for k in range(1, 12):
        assert items[best_first(scores, items, k)].tolist() == [4, 7, 8, 9, 1, 2, 3, 6][:k]


def test_scores_never_fall_where_both_heads_rise() -> None:
    rng = np.random.default_rng(0)
    low = rng.normal(size=(2, 1000)).astype(np.float32)
    high = np.nextafter(low, np.float32(np.inf))
    for dial in np.linspace(0, 1, 11):
        assert (weighed(*high, float(dial)) >= weighed(*low, float(dial))).all()
