"""The table of neighbours: what it says is what exact search says, and it knows when."""

from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import ArtefactError
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import ItemHeads, Neighbours
from tastemaker.recommend.neighbour_rows import build_table
from tastemaker.recommend.neighbour_table import NeighbourTable
from tests.recommend.test_item_search import sparse_heads
from tests.recommend.test_merge import some_heads

DIALS = [n / 10 for n in range(11)]


def coarse_heads(items: int = 80, seed: int = 3) -> ItemHeads:
    """Items of few directions, so that most scores are equal to others."""
    rng = np.random.default_rng(seed)
    directions = np.eye(4, dtype=np.float32)
    return ItemHeads(*(directions[rng.integers(4, size=items)] for _ in range(3)))


def same(one: Neighbours, other: Neighbours) -> bool:
    parts = zip(one[:3], other[:3], strict=True)
    return one.dial == other.dial and all(np.array_equal(a, b) for a, b in parts)


def tables(heads: ItemHeads, kept: int, usual: float) -> tuple[ItemSearch, NeighbourTable]:
    search = ItemSearch(heads)
    return search, build_table(search, kept, usual)


@pytest.mark.parametrize("usual", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("kept", [1, 12, 100])
@pytest.mark.parametrize("make", [some_heads, sparse_heads, coarse_heads])
def test_it_says_what_exact_search_says_at_every_dial(make, kept: int, usual: float) -> None:  # type: ignore[no-untyped-def]
    search, table = tables(make(), kept, usual)
    allow = np.random.default_rng(0).random(len(search)) < 0.7
    said = asked = 0
    for row in [*range(0, len(search), 5), 0, 1, len(search) - 1]:
        for dial in DIALS:
            for k in (1, 5, 12, 10**6):
                for allowed in (None, allow):
                    answer = table.nearest(row, k, dial, allowed)
                    asked += 1
                    if answer is not None:
                        said += 1
                        assert same(answer, search.nearest(row, k, dial, allowed))
    assert said == asked if kept == 100 else said


@pytest.mark.parametrize("dial", [0.0, 0.5, 1.0])
def test_the_lists_of_three_dials_are_stored_whole(dial: float) -> None:
    search, table = tables(some_heads(400), 20, 0.5)
    for row in range(len(search)):
        answer = table.nearest(row, 20, dial)
        assert answer is not None
        assert same(answer, search.nearest(row, 20, dial))
    assert (table.sure >= 20).all()


def test_without_a_dial_the_usual_one_is_meant() -> None:
    search, table = tables(sparse_heads(), 10, 0.3)
    for row in range(len(search)):
        answer = table.nearest(row, 4)
        assert answer is not None
        assert same(answer, search.nearest(row, 4, 0.3))


def test_most_dials_need_no_search_where_items_lie_in_groups() -> None:
    rng = np.random.default_rng(0)
    centres, groups = rng.normal(size=(60, 16)), rng.integers(60, size=3000)
    drawn = (centres[groups] + 0.3 * rng.normal(size=(3, 3000, 16))).astype(np.float32)
    heads = ItemHeads(*(part / np.linalg.norm(part, axis=1, keepdims=True) for part in drawn))
    _, table = tables(heads, 100, 0.5)
    answers = [table.nearest(row, 10, dial) for row in range(0, 3000, 30) for dial in DIALS]
    assert sum(answer is not None for answer in answers) > 0.9 * len(answers)


def test_what_is_saved_is_mapped_and_answers_alike(tmp_path: Path) -> None:
    search, table = tables(sparse_heads(), 10, 0.3)
    table.save(tmp_path / "table")
    again = NeighbourTable.open(tmp_path / "table", len(search))
    assert (again.dial, again.kept, len(again)) == (0.3, 10, 60)
    assert not again.entries.items.flags.owndata
    for row in range(60):
        for dial in DIALS:
            one, other = table.nearest(row, 6, dial), again.nearest(row, 6, dial)
            assert (one is None) == (other is None)
            assert one is None or other is None or same(one, other)


def test_a_table_of_other_items_or_damaged_is_refused(tmp_path: Path) -> None:
    search, table = tables(some_heads(), 10, 0.5)
    table.save(tmp_path / "table")
    with pytest.raises(ArtefactError):
        NeighbourTable.open(tmp_path / "table", len(search) + 1)
    (tmp_path / "text").write_text("no table")
    with pytest.raises(ArtefactError):
        NeighbourTable.open(tmp_path / "text", len(search))
    table.entries.items[3] = 40
    table.save(tmp_path / "outside")
    with pytest.raises(ArtefactError):
        NeighbourTable.open(tmp_path / "outside", len(search))
