"""Exact search from an item: exact indeed, whatever is computed beside it."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.errors import NumericFault
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import ItemHeads
from tests.recommend.test_merge import some_heads


def sparse_heads(items: int = 60, seed: int = 1) -> ItemHeads:
    """Items of which some lack a vector, two are the same, and the last has none at all."""
    heads, rng = some_heads(items, seed), np.random.default_rng(seed)
    for part in (heads.trigger, heads.target, heads.relevance):
        part[rng.random(items) < 0.2] = 0
        part[11] = part[7]
        part[-1] = 0
    heads.trigger[0], heads.relevance[1] = 0, 0
    return heads


def by_hand(heads: ItemHeads, row: int, dial: float) -> list[int]:
    """All items that can follow one, best first, in double precision."""
    asks, means = heads.trigger[row].any(), heads.relevance[row].any()
    if not asks and not means:
        return []
    dial = 1.0 if not asks else 0.0 if not means else dial
    known = heads.target.any(axis=1), heads.relevance.any(axis=1)
    may = {0.0: known[0], 1.0: known[1]}.get(dial, known[0] | known[1])
    wide = [x.astype(np.float64) for x in (heads.trigger, heads.target, heads.relevance)]
    scores = (1 - dial) * (wide[1] @ wide[0][row]) + dial * (wide[2] @ wide[2][row])
    items = [i for i in range(len(scores)) if may[i] and i != row]
    return sorted(items, key=lambda i: (-round(scores[i], 6), i))


@pytest.mark.parametrize("dial", [0.0, 0.3, 0.5, 1.0])
def test_the_best_items_by_hand(dial: float) -> None:
    heads = sparse_heads()
    search = ItemSearch(heads)
    for row in range(len(search)):
        want = by_hand(heads, row, dial)
        assert search.nearest(row, 5, dial).items.tolist() == want[:5]
        assert search.nearest(row, 10**6, dial).items.tolist() == want


def test_one_head_answers_for_a_silent_one() -> None:
    search = ItemSearch(sparse_heads())
    cold, unwritten, nothing = 0, 1, 59
    assert search.nearest(cold, 5, 0.2).dial == 1
    assert search.nearest(unwritten, 5, 0.8).dial == 0
    assert search.nearest(nothing, 5, 0.5).dial is None
    assert not len(search.nearest(nothing, 5, 0.5).items)


def test_an_item_with_content_only_is_found_by_relevance() -> None:
    heads = some_heads()
    heads.trigger[5], heads.target[5] = 0, 0
    heads.relevance[5] = heads.relevance[6]
    search = ItemSearch(heads)
    assert search.nearest(6, 3, 1.0).items[0] == 5
    assert 5 not in search.nearest(6, 100, 0.0).items
    assert 5 in search.nearest(6, 100, 0.5).items


def test_a_score_is_the_same_whatever_is_computed_beside_it() -> None:
    heads = some_heads(500)
    search, rows = ItemSearch(heads), np.arange(500)
    whole = search.parts(rows)
    columns = np.array([499, 3, 77])
    for one in (0, 1):
        alone = np.concatenate([search.parts(rows[i : i + 1])[one] for i in rows])
        assert (alone == whole[one]).all()
        assert (search.parts(rows, columns)[one] == whole[one][:, columns]).all()
    turned = ItemHeads(heads.trigger[::-1], heads.target[::-1], heads.relevance[::-1])
    assert (ItemSearch(turned).parts(rows)[0] == whole[0][::-1, ::-1]).all()


def test_only_what_is_allowed_comes_and_what_is_favoured_first() -> None:
    search = ItemSearch(some_heads())
    allow = np.zeros(40, np.bool_)
    allow[[2, 3, 9]] = True
    assert sorted(search.nearest(3, 5, 0.5, allow).items.tolist()) == [2, 9]
    last = int(search.nearest(3, 100, 0.5).items[-1])
    boosts = np.zeros(40)
    boosts[last] = 5
    assert search.nearest(3, 4, 0.5, None, boosts).items[0] == last
    assert not len(search.nearest(3, 5, 0.5, np.zeros(40, np.bool_)).items)


@pytest.mark.parametrize("value", [np.nan, np.inf, 7.0])
@pytest.mark.parametrize("part", ["trigger", "target", "relevance"])
def test_vectors_that_are_no_directions_are_refused(part: str, value: float) -> None:
    heads = some_heads()
    wrong = vars(heads)[part].copy()
    wrong[4, 1] = value
    with pytest.raises(NumericFault, match=part) as caught:
        ItemSearch(replace(heads, **{part: wrong}))
    assert "4" in caught.value.where
