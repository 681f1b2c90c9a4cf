"""How a table of neighbours is made: every row by search, or only those that have changed.

A score hangs on its two items alone, so a row can only have changed if its own item has, if it held
an item that has, or if such an item now reaches the last place of either list. A table refreshed so
equals one built anew, bit for bit, where the search is exact; with an index, as far as that finds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.metrics.ranking import top_k
from tastemaker.recommend.item_search import Doubles, Flags, ItemSearch, Rows, Voices
from tastemaker.recommend.merge import DIAL, ItemHeads, Vectors, weighed
from tastemaker.recommend.neighbour_table import Entries, NeighbourTable

KEPT = 100
"""Items kept by each head."""
_SCORES = 2**22
"""Scores of either head that are computed at a time: 16 MB."""
_FEWEST = 16
"""Rows that are computed at a time at least, however many items there are."""


def build_table(search: ItemSearch, kept: int = KEPT, dial: float = DIAL) -> NeighbourTable:
    """The table of all items.

    Args:
        search: The items.
        kept: Items kept by each head, at least 1.
        dial: The usual weight on relevance, in [0, 1].
    """
    rows = np.arange(len(search), dtype=np.int64)
    return _finished(search, _made(search, rows, kept, dial), kept, dial)


def refresh_table(table: NeighbourTable, before: ItemHeads, now: ItemSearch) -> NeighbourTable:
    """The table of items some of which have changed; only rows that this can touch are made anew.

    Args:
        table: The table of the items as they were.
        before: Those items.
        now: The items as they are, each in the row it had; new ones follow, and an item that is
            gone has zero vectors.
    """
    changed, moved = _changed(before, now.heads)
    stale = changed.copy()
    stale[: len(table)] |= _held(table.entries, moved)
    stale[: len(table)] |= _reached(table, now, moved)
    fewest = min(int(v.sum()) for voices in (table.voices, now.voices) for v in _known(voices))
    if fewest <= table.kept + 1:
        stale[:] = True  # a row may hold all that a head knows, or do so no longer
    fresh = _made(now, np.flatnonzero(stale), table.kept, table.dial)
    entries = _spliced(table.entries, fresh, stale)
    return _finished(now, entries, table.kept, table.dial)


def _known(voices: Voices) -> tuple[Flags, Flags, Flags]:
    return voices.engages, voices.means, voices.listed


def _changed(before: ItemHeads, now: ItemHeads) -> tuple[Flags, Flags]:
    """(n,) items that changed at all, and those that other items see otherwise."""
    old, size = len(before.target), len(now.target)
    new = np.arange(size) >= old

    def differs(was: Vectors, is_now: Vectors) -> Flags:
        found = new.copy()
        found[:old] = (was != is_now[:old]).any(axis=1)
        return found

    moved = differs(before.target, now.target) | differs(before.relevance, now.relevance)
    return moved | differs(before.trigger, now.trigger), moved


def _held(entries: Entries, moved: Flags) -> Flags:
    """(n,) rows that hold one of some items."""
    counted = np.concatenate([[0], np.cumsum(moved[entries.items])])[entries.offsets]
    return np.diff(counted) > 0


def _reached(table: NeighbourTable, now: ItemSearch, moved: Flags) -> Flags:
    """(n,) rows whose last place, by either head, one of some items now reaches."""
    held, weights = table.entries, table.voices.dials(table.dial)
    least = held.least_engagement, held.least_relevance, held.least_usual
    columns, reached = np.flatnonzero(moved), np.zeros(len(table), np.bool_)
    step = max(_FEWEST, _SCORES // max(1, len(columns)))
    for start in range(0, len(table), step):
        rows = np.arange(start, min(start + step, len(table)))
        scores = now.parts(rows, columns)
        dials = _dials(now.voices, rows, scores, weights[rows, None])
        for (part, mine, known), last in zip(dials, least, strict=True):
            above = (part >= last[rows, None]) & known[columns]
            reached[rows] |= mine & above.any(axis=1)
    return reached


def _made(search: ItemSearch, rows: Rows, kept: int, dial: float) -> Entries:
    """Some rows, each in the order of the dial."""
    width = len(search) if search.index is None else 3 * kept * search.heads.target.shape[1]
    step = max(_FEWEST, _SCORES // max(1, width))
    parts = [
        _block(search, rows[start : start + step], kept, dial)
        for start in range(0, max(1, len(rows)), step)
    ]
    joined = (np.concatenate(column) for column in zip(*parts, strict=True))
    counts, items, engagement, relevance, *least = joined
    return Entries(_offsets(counts), items, engagement, relevance, *least)


def _block(
    search: ItemSearch, rows: Rows, kept: int, dial: float
) -> tuple[npt.NDArray[np.generic], ...]:
    """Lengths, items, both scores, and the last score of both lists, of a few rows."""
    weights = search.voices.dials(dial)[rows, None]
    best = _best_of_all if search.index is None else _best_of_found
    lists, least = best(search, rows, kept, weights)
    both = np.sort(np.concatenate(lists, axis=1), axis=1)
    there = both >= 0
    there[:, 1:] &= both[:, 1:] != both[:, :-1]
    engaging, meaning = search.pairs(rows, np.maximum(both, 0))
    order = _order(
        both, there, weighed(engaging, meaning, weights), _answers(search, both, weights)
    )
    placed = [np.take_along_axis(part, order, 1) for part in (there, both, engaging, meaning)]
    found = placed[0]
    return (found.sum(1), placed[1][found].astype(np.int32), placed[2][found], placed[3][found],
            *least)  # fmt: skip


Lists = tuple[list[Rows], list[Vectors]]
"""Of each dial: (R, m) items, −1 where there is none, and (R,) the least score that is kept."""


def _best_of_all(search: ItemSearch, rows: Rows, kept: int, weights: Doubles) -> Lists:
    """The best of all items at each of the three dials."""
    lists, least = [], []
    for part, mine, known in _dials(search.voices, rows, search.parts(rows), weights):
        masked = np.where(mine[:, None] & known, part, np.float32(-np.inf))
        masked[np.arange(len(rows)), rows] = -np.inf
        codes = top_k(torch.from_numpy(masked), min(kept, len(search))).numpy()
        last = np.take_along_axis(masked, np.maximum(codes[:, -1:] - 1, 0), 1)[:, 0]
        whole = (masked > -np.inf).sum(1) <= kept
        lists.append(codes - 1)
        least.append(np.where(whole, np.float32(-np.inf), last))
    return lists, least


def _best_of_found(search: ItemSearch, rows: Rows, kept: int, weights: Doubles) -> Lists:
    """The best of what an index finds at each of the three dials."""
    lists, least = [], []
    for place, dials in enumerate((np.zeros(len(rows)), np.ones(len(rows)), weights[:, 0])):
        items = search.candidates(rows, kept, np.nan_to_num(dials))
        scores = search.pairs(rows, np.maximum(items, 0))
        dialled = list(_dials(search.voices, rows, scores, weights))
        part, mine, known = dialled[place]
        masked = np.where(mine[:, None] & known[items] & (items >= 0), part, np.float32(-np.inf))
        order = np.lexsort((items, -masked), axis=1)[:, :kept]
        best, last = (np.take_along_axis(x, order, 1) for x in (items, masked))
        whole = int(known.sum()) <= kept
        lists.append(np.where(last > -np.inf, best, -1))
        least.append(np.full(len(rows), -np.inf, np.float32) if whole else last[:, -1])
    return lists, least


def _dials(
    voices: Voices, rows: Rows, scores: tuple[Vectors, Vectors], weights: Doubles
) -> Iterator[tuple[Vectors, Flags, Flags]]:
    """At engagement, relevance and the usual dial: scores, rows that have such, items in them."""
    both = (weights[:, 0] > 0) & (weights[:, 0] < 1)
    yield scores[0], voices.asks[rows], voices.engages
    yield scores[1], voices.means[rows], voices.means
    yield weighed(*scores, weights), both, voices.listed


def _answers(search: ItemSearch, items: Rows, weights: Doubles) -> Flags:
    """Which of some items can be in a list at the dial of each row."""
    voices = search.voices
    means = np.where(weights == 1, voices.means[items], voices.listed[items])
    return np.where(weights == 0, voices.engages[items], means)


def _order(items: Rows, there: Flags, scores: Vectors, answers: Flags) -> Rows:
    """Places of each row: what can be listed by score, then by the lower item; the rest after."""
    order: Rows = np.lexsort((items, -scores, ~answers, ~there), axis=1)
    return order


def _spliced(old: Entries, fresh: Entries, stale: Flags) -> Entries:
    """The rows of `fresh` in place of the stale ones of `old`, or after its end."""
    size, kept = len(stale), np.flatnonzero(~stale)
    counts = np.zeros(size, np.int64)
    counts[kept], counts[stale] = np.diff(old.offsets)[kept], np.diff(fresh.offsets)
    starts = np.zeros(size, np.int64)
    starts[kept], starts[stale] = old.offsets[kept], fresh.offsets[:-1] + len(old.items)
    offsets = _offsets(counts)
    places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)

    def of_entries(before: npt.NDArray[np.generic], new: npt.NDArray[np.generic]) -> Vectors:
        taken: Vectors = np.concatenate([before, new])[places]
        return taken

    def of_rows(before: Vectors, new: Vectors) -> Vectors:
        taken = np.empty(size, np.float32)
        taken[kept], taken[stale] = before[kept], new
        return taken

    return Entries(
        offsets,
        of_entries(old.items, fresh.items).astype(np.int32),
        of_entries(old.engagement, fresh.engagement),
        of_entries(old.relevance, fresh.relevance),
        of_rows(old.least_engagement, fresh.least_engagement),
        of_rows(old.least_relevance, fresh.least_relevance),
        of_rows(old.least_usual, fresh.least_usual),
    )


def _offsets(counts: npt.NDArray[np.int64]) -> Rows:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _finished(search: ItemSearch, entries: Entries, kept: int, dial: float) -> NeighbourTable:
    """The table of some rows, with how much of each is certain at the dial."""
    voices, weights = search.voices, search.voices.dials(dial)
    least = np.where(weights == 0, entries.least_engagement, entries.least_usual)
    least = np.where(weights == 1, entries.least_relevance, least)
    wide = np.repeat(weights, np.diff(entries.offsets))
    answers = _answers(search, entries.items.astype(np.int64), wide)
    listed = np.diff(np.concatenate([[0], np.cumsum(answers)])[entries.offsets])
    sure = np.where(least > -np.inf, np.minimum(listed, kept), listed)
    return NeighbourTable(entries, voices, sure.astype(np.int32), dial, kept)
