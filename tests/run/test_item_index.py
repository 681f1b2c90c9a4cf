"""The index of a run's items: it finds nearly always what exact search finds, said exactly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import ArtefactError
from tastemaker.index.choice import IndexOptions
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.neighbour_rows import build_table
from tastemaker.run.item_index import index_of, keep_index, opened_index

pytest.importorskip("faiss", reason="the extra `index` is not installed")
ITEMS, KEPT, USUAL = 3000, 20, 0.4
GRAPH = IndexOptions(kind="hnsw", at=KEPT)


def clustered() -> ItemHeads:
    """Items around fifty centres; the last ten have no meaning, the ten before no events."""
    rng = np.random.default_rng(0)
    centres, own = rng.normal(size=(50, 16)), rng.integers(0, 50, ITEMS)
    drawn = [centres[own] + 0.5 * rng.normal(size=(ITEMS, 16)) for _ in range(3)]
    parts = [(x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in drawn]
    parts[2][-10:], parts[0][-20:-10], parts[1][-20:-10] = 0, 0, 0
    return ItemHeads(*parts)


@pytest.fixture(scope="module")
def exact() -> ItemSearch:
    return ItemSearch(clustered())


@pytest.fixture(scope="module")
def indexed(exact: ItemSearch) -> ItemSearch:
    return replace(exact, index=index_of(exact, USUAL, GRAPH))


def test_few_items_need_no_index(exact: ItemSearch) -> None:
    assert index_of(exact, USUAL) is None


@pytest.mark.parametrize("dial", [0.0, USUAL, 0.8, 1.0])
def test_candidates_are_nearly_always_the_best_and_their_scores_exact(
    exact: ItemSearch, indexed: ItemSearch, dial: float
) -> None:
    met = total = 0
    for row in range(0, ITEMS, 37):
        want, got = (search.nearest(row, 10, dial) for search in (exact, indexed))
        assert len(got.items) == len(want.items) and row not in got.items
        assert (np.diff(got.scores) <= 0).all() and got.dial == want.dial
        known = dict(zip(want.items.tolist(), want.scores.tolist(), strict=True))
        for item, score in zip(got.items.tolist(), got.scores.tolist(), strict=True):
            assert known.get(item, score) == score
        met += len(known.keys() & set(got.items.tolist()))
        total += len(known)
    assert met / total >= 0.98


def test_what_is_allowed_alone_comes(exact: ItemSearch, indexed: ItemSearch) -> None:
    few = np.zeros(ITEMS, np.bool_)
    few[5::211] = True
    for row in (0, 5, ITEMS - 1, ITEMS - 15):
        want, got = (search.nearest(row, 10, 0.5, few) for search in (exact, indexed))
        assert got.items.tolist() == want.items.tolist()


def test_boosts_look_at_every_item(exact: ItemSearch, indexed: ItemSearch) -> None:
    boosts = np.zeros(ITEMS)
    boosts[1234] = 5.0
    want, got = (search.nearest(7, 5, 0.5, None, boosts) for search in (exact, indexed))
    assert got.items.tolist() == want.items.tolist() and got.items[0] == 1234


def test_a_table_is_nearly_that_of_exact_search(exact: ItemSearch, indexed: ItemSearch) -> None:
    want, got = (build_table(search, KEPT, USUAL) for search in (exact, indexed))
    met = total = 0
    for row in range(0, ITEMS, 29):
        for dial in (0.0, USUAL, 1.0):
            best, found = want.nearest(row, KEPT, dial), got.nearest(row, KEPT, dial)
            assert best is not None and found is not None
            met += len(set(best.items.tolist()) & set(found.items.tolist()))
            total += len(best.items)
    assert met / total >= 0.98


def test_it_is_kept_and_opened_and_of_these_items_alone(
    exact: ItemSearch, indexed: ItemSearch, tmp_path: Path
) -> None:
    assert opened_index(tmp_path / "index", exact) is None
    assert indexed.index is not None
    keep_index(indexed.index, tmp_path / "index")  # type: ignore[arg-type]
    keep_index(indexed.index, tmp_path / "index")  # type: ignore[arg-type]
    again = replace(exact, index=opened_index(tmp_path / "index", exact))
    for row in (3, 1500):
        assert (
            again.nearest(row, 10, 0.6).items.tolist()
            == indexed.nearest(row, 10, 0.6).items.tolist()
        )
    heads = exact.heads
    fewer = ItemSearch(ItemHeads(heads.trigger[:-1], heads.target[:-1], heads.relevance[:-1]))
    with pytest.raises(ArtefactError, match="other items"):
        opened_index(tmp_path / "index", fewer)
