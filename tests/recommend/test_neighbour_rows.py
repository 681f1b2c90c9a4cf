"""How a table is made: a refreshed one is the one built anew, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.recommend import neighbour_rows
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.neighbour_rows import build_table, refresh_table
from tastemaker.recommend.neighbour_table import NeighbourTable
from tests.recommend.test_item_search import sparse_heads
from tests.recommend.test_merge import some_heads
from tests.recommend.test_neighbour_table import coarse_heads


def identical(one: NeighbourTable, other: NeighbourTable) -> bool:
    parts = [(vars(x.entries) | vars(x.voices) | {"sure": x.sure}) for x in (one, other)]
    names = [name for name, part in parts[0].items() if isinstance(part, np.ndarray)]
    same = all(
        parts[0][name].dtype == parts[1][name].dtype
        and np.array_equal(parts[0][name], parts[1][name])
        for name in names
    )
    return same and (one.dial, one.kept) == (other.dial, other.kept)


def changed(heads: ItemHeads, rng: np.random.Generator, more: int) -> ItemHeads:
    """Some items turned, some silenced, some added."""
    fresh = some_heads(more, int(rng.integers(1000)))
    parts = {}
    for name in ("trigger", "target", "relevance"):
        part = np.concatenate(
            [vars(heads)[name], vars(fresh)[name][:, : vars(heads)[name].shape[1]]]
        )
        some = rng.integers(len(part), size=2)
        turned = rng.normal(size=(2, part.shape[1]))
        part[some] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
        parts[name] = part
    gone = rng.integers(len(part))
    for part in parts.values():
        part[gone] = 0
    return ItemHeads(**parts)


@pytest.mark.parametrize("kept", [3, 10, 70])
@pytest.mark.parametrize("make", [some_heads, sparse_heads])
def test_a_refreshed_table_is_the_one_built_anew(make, kept: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    heads = make(80)
    table = build_table(ItemSearch(heads), kept, 0.4)
    for step in range(12):
        now = changed(heads, rng, more=step % 3)
        search = ItemSearch(now)
        table = refresh_table(table, heads, search)
        assert identical(table, build_table(search, kept, 0.4))
        heads = now


def test_among_equal_scores_too() -> None:
    rng, heads = np.random.default_rng(0), coarse_heads()
    table = build_table(ItemSearch(heads), 5, 0.5)
    for _ in range(10):
        now = replace(heads, target=heads.target.copy(), relevance=heads.relevance.copy())
        now.target[rng.integers(80)] = np.eye(4)[rng.integers(4)]
        now.relevance[rng.integers(80)] = 0
        table = refresh_table(table, heads, ItemSearch(now))
        assert identical(table, build_table(ItemSearch(now), 5, 0.5))
        heads = now


def test_only_rows_that_can_have_changed_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = some_heads(400)
    table, made = build_table(ItemSearch(heads), 10), []
    plain = neighbour_rows._made

    def counting(search: ItemSearch, rows: np.ndarray, kept: int, dial: float) -> object:
        made.extend(rows.tolist())
        return plain(search, rows, kept, dial)

    monkeypatch.setattr(neighbour_rows, "_made", counting)
    assert identical(refresh_table(table, heads, ItemSearch(heads)), table)
    assert made == []
    asked = replace(heads, trigger=heads.trigger.copy())
    asked.trigger[7] = -asked.trigger[7]
    refresh_table(table, heads, ItemSearch(asked))
    assert made == [7]
    made.clear()
    moved = replace(heads, target=heads.target.copy())
    moved.target[7] = -moved.target[7]
    refresh_table(table, heads, ItemSearch(moved))
    assert 7 in made
    assert len(made) < 100


def test_an_item_that_is_gone_is_in_no_row() -> None:
    heads = some_heads(50)
    table = build_table(ItemSearch(heads), 10)
    assert (table.entries.items == 7).any()
    parts = {name: part.copy() for name, part in vars(heads).items()}
    for part in parts.values():
        part[7] = 0
    refreshed = refresh_table(table, heads, ItemSearch(ItemHeads(**parts)))
    assert not (refreshed.entries.items == 7).any()
    assert refreshed.nearest(7, 5) is not None


def test_one_item_alone_is_beside_nothing() -> None:
    table = build_table(ItemSearch(some_heads(1)))
    answer = table.nearest(0, 5)
    assert answer is not None
    assert not len(answer.items)
