"""Two heads, one list: the dial between them."""

import numpy as np
import pytest

from tastemaker.recommend.merge import ItemHeads


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
