"""Exact search: the k largest inner products of every query, in bounded memory.

A product of matrices in float32 rounds otherwise in blocks of other shapes, so it only names the
rows that may be among the best: all within twice its largest error of the k-th best. The scores of
these are summed in float64, pair by pair and always in one order, and rounded once. A score is so
a function of its two vectors alone: equal vectors score equal and go by the lower id wherever they
lie, and lists of shards merge to the list of the whole, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Read = npt.NDArray[Any]
"""An array as it was read; who takes it has checked its type."""
Floats = npt.NDArray[np.float32]
Lists = tuple[Ids, Floats]
"""(Q, k) ids and scores, best first; −1 and −inf where there are fewer."""

_QUERIES = 256
"""Most queries at a time."""
_ROWS = 2**13
"""Fewest rows at a time; a block of their scores stays in the cache."""
_SCORES = 2**21
"""Scores at a time: 8 MB."""
_VALUES = 2**23
"""Values of vectors at a time: 32 MB where they are copied together."""
_PAIRS = 2**20
"""Pairs that are kept before they are settled: 20 MB."""
_SUMMED = 2**20
"""Products in float64 at a time: 8 MB."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Vectors that are searched."""

    ids: Ids
    """(n,), each once among those that may be given"""
    vectors: Floats
    """(n, D)"""
    longest: float
    """no vector is longer"""
    may: npt.NDArray[np.bool_] | None = None
    """(n,) rows that may be given; None: all"""
    chosen: Ids | None = None
    """row numbers that alone are looked at, each once; None: all"""

    def __len__(self) -> int:
        """Rows that are looked at."""
        return len(self.ids if self.chosen is None else self.chosen)

    def block(self, start: int, stop: int) -> tuple[Ids, Floats]:
        """Numbers and vectors of the looked-at rows `start` to `stop`."""
        if self.chosen is not None:
            numbers = self.chosen[start:stop]
            return numbers, self.vectors[numbers]
        return np.arange(start, min(stop, len(self))), self.vectors[start:stop]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Queries with rows that may be among their best."""

    query: Ids
    """(p,) numbers of queries"""
    row: Ids
    """(p,) numbers of rows"""
    score: Floats
    """(p,)"""

    def __getitem__(self, some: npt.NDArray[np.bool_] | Ids) -> Pairs:
        """Some of them."""
        return Pairs(self.query[some], self.row[some], self.score[some])


def search_exactly(rows: Rows, queries: Floats, k: int) -> Lists:
    """The k best rows of each query, best first, equal ones by the lower id.

    Args:
        rows: What is searched.
        queries: (Q, D), finite.
        k: At least 1.
    """
    ids, scores = _nothing(len(queries), k)
    most = min(k, len(rows))
    if most:
        silent = ~queries.any(1)
        ids[silent, :most], scores[silent, :most] = _lowest(rows, most)
        asking = np.flatnonzero(~silent)
        for start in range(0, len(asking), _QUERIES):
            some = asking[start : start + _QUERIES]
            ids[some, :most], scores[some, :most] = _best(rows, queries[some], most)
    return ids, scores


def merged(lists: Sequence[Lists], k: int) -> Lists:
    """The k best of several lists for the same queries, such as those of shards.

    Args:
        lists: Each (Q, any) ids and scores; an id stands in one of them only.
        k: At least 1.
    """
    ids = np.concatenate([one for one, _ in lists], axis=1)
    scores = np.concatenate([one for _, one in lists], axis=1)
    query, place = np.nonzero(ids >= 0)
    return _listed(query, ids[query, place], scores[query, place], (len(ids), k))


def ranked(rows: Rows, queries: Floats, found: Ids, k: int) -> Lists:
    """The k best among rows that something else found, with their exact scores.

    Args:
        rows: What was searched.
        queries: (Q, D).
        found: (Q, any) numbers of rows, each once a query; negative: none.
        k: At least 1.
    """
    query, place = np.nonzero(found >= 0)
    row = found[query, place]
    scores = inner_products(queries, rows.vectors, query, row)
    return _listed(query, rows.ids[row], scores, (len(queries), k))


def inner_products(queries: Floats, vectors: Floats, query: Ids, row: Ids) -> Floats:
    """(p,) inner products of pairs of rows, each a function of its two vectors alone."""
    scores = np.empty(len(query), np.float32)
    step = max(1, _SUMMED // queries.shape[1])
    for start in range(0, len(query), step):
        some = slice(start, start + step)
        products = np.multiply(queries[query[some]], vectors[row[some]], dtype=np.float64)
        scores[some] = products.sum(1) + 0.0  # which makes −0 a 0
    return scores


def lengths(vectors: Floats) -> npt.NDArray[np.float64]:
    """(n,) lengths; not finite where a value is not."""
    step, found = max(1, _SUMMED // max(1, vectors.shape[1])), np.empty(len(vectors))
    for start in range(0, len(vectors), step):
        some = vectors[start : start + step].astype(np.float64)
        found[start : start + step] = np.sqrt(np.einsum("nd,nd->n", some, some))
    return found


def _nothing(queries: int, k: int) -> Lists:
    return np.full((queries, k), -1, np.int64), np.full((queries, k), -np.inf, np.float32)


def _lowest(rows: Rows, k: int) -> Lists:
    """(k,) ids and scores for a query of zeros, which every vector answers with 0."""
    numbers = np.arange(len(rows.ids)) if rows.chosen is None else rows.chosen
    numbers = numbers if rows.may is None else numbers[rows.may[numbers]]
    ids, scores = _nothing(1, k)
    lowest = np.sort(rows.ids[numbers])[:k]
    ids[0, : len(lowest)], scores[0, : len(lowest)] = lowest, 0
    return ids[0], scores[0]


def _best(rows: Rows, queries: Floats, k: int) -> Lists:
    """The same for a few queries, none of zeros."""
    width = max(_ROWS, min(_SCORES // len(queries), _VALUES // queries.shape[1]))
    slack = 2 * _error(queries, rows.longest)
    tops = np.full((len(queries), k), -np.inf, np.float32)
    room = np.empty(len(queries) * min(width, len(rows)), np.float32)
    held: list[Pairs] = []
    for start in range(0, len(rows), width):
        numbers, vectors = rows.block(start, start + width)
        shape = len(queries), len(vectors)
        scores = np.matmul(queries, vectors.T, out=room[: shape[0] * shape[1]].reshape(shape))
        if rows.may is not None:
            scores[:, ~rows.may[numbers]] = -np.inf
        groups = _groups(scores, k)
        highest = scores if groups == 1 else _maxima(scores, groups)
        tops = _largest(np.concatenate([tops, highest], axis=1), k)
        floor = tops.min(1) - slack
        pairs = _above(scores, highest, groups, floor)
        held.append(Pairs(pairs.query, numbers[pairs.row], pairs.score))
        if sum(len(one.query) for one in held) > _PAIRS:
            held = [_settled(rows, queries, held, floor, k)]
    last = _settled(rows, queries, held, floor, k)
    return _listed(last.query, rows.ids[last.row], last.score, (len(queries), k))


def _error(queries: Floats, longest: float) -> Floats:
    """(Q,) what a float32 inner product, in any order, can differ at most from its rounded value.

    D roundings of 2^-24 of the product of both lengths, two more to round sum and bound, and as
    much again; what underflows comes on top.
    """
    dim = queries.shape[1]
    bound = (dim + 2) * 2.0**-23 * lengths(queries) * longest + dim * 2.0**-125
    found: Floats = np.nextafter(bound.astype(np.float32), np.float32(np.inf))
    return found


def _groups(scores: Floats, k: int) -> int:
    """Columns whose maximum alone is compared; enough of them remain that the k-th best is low."""
    return next((size for size in (32, 8) if scores.shape[1] // size >= 4 * k), 1)


def _maxima(scores: Floats, size: int) -> Floats:
    """(Q, G + rest): the largest of columns g, g + G, … for each g; the rest of the columns."""
    whole = scores.shape[1] // size
    main = scores[:, : whole * size].reshape(len(scores), size, whole).max(1)
    return np.concatenate([main, scores[:, whole * size :]], axis=1)


def _largest(scores: Floats, k: int) -> Floats:
    """(Q, k) the largest of each row, in any order; there are at least k."""
    return np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:]


def _above(scores: Floats, highest: Floats, size: int, floor: Floats) -> Pairs:
    """What reaches the floor of its row and may be given; `row` is a column of `scores`."""
    query, group = np.nonzero((highest >= floor[:, None]) & (highest > -np.inf))
    if size == 1:
        return Pairs(query, group, scores[query, group])
    whole = scores.shape[1] // size
    single = group >= whole
    # One of the rest stands for itself alone.
    columns = np.where(single, whole * size + group - whole, group)[:, None]
    columns = columns + whole * np.arange(size)
    columns[single, 1:] = columns[single, :1]
    values = scores[query[:, None], columns]
    good = (values >= floor[query][:, None]) & (values > -np.inf)
    good[single, 1:] = False
    one, place = np.nonzero(good)
    return Pairs(query[one], columns[one, place], values[one, place])


def _settled(rows: Rows, queries: Floats, held: list[Pairs], floor: Floats, k: int) -> Pairs:
    """The k best pairs of each query, with their exact scores."""
    pairs = Pairs(
        np.concatenate([one.query for one in held]),
        np.concatenate([one.row for one in held]),
        np.concatenate([one.score for one in held]),
    )
    pairs = pairs[pairs.score >= floor[pairs.query]]
    exact = inner_products(queries, rows.vectors, pairs.query, pairs.row)
    pairs = Pairs(pairs.query, pairs.row, exact)
    return pairs[_first(pairs.query, rows.ids[pairs.row], exact, k)[0]]


def _first(query: Ids, ids: Ids, scores: Floats, k: int) -> tuple[Ids, Ids]:
    """Which pairs are among the k best of their query, in order; and the place of each there."""
    order = np.lexsort((ids, -scores, query))
    sorted_queries = query[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_queries, sorted_queries)
    kept = place < k
    return order[kept], place[kept]


def _listed(query: Ids, ids: Ids, scores: Floats, shape: tuple[int, int]) -> Lists:
    """Pairs as lists of the shape (Q, k)."""
    all_ids, all_scores = _nothing(*shape)
    order, place = _first(query, ids, scores, shape[1])
    all_ids[query[order], place] = ids[order]
    all_scores[query[order], place] = scores[order]
    return all_ids, all_scores
