"""The index itself: vectors by number, found exactly or approximately."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.index.calibrate import QUERIES, Calibration, Kind, draw_queries, least_effort
from tastemaker.index.choice import ENGINES, IndexOptions, chosen
from tastemaker.index.exact import Floats, Ids, Lists, ranked, search_exactly
from tastemaker.index.kept import Parts, read_parts, write_parts
from tastemaker.index.store import Store, checked_ids, checked_vectors

GONE = 0.2
"""Share of the rows that may be gone before what is left is built anew, and by which the vectors
may change before recall is measured again."""
FEW = 2**20
"""Values of the vectors that may be given, up to which they are looked at one and all: a
millisecond for one query, less for each of many."""
_RARE = 0.02
"""Share of the vectors that may be given, up to which an approximate search is no faster."""
_LONG = 20
"""Where one in so many is asked for, neither."""
SHORT_LIST = 2**20
"""By how much a list may be longer than all there is."""
_SPARE = 8
"""Found beyond k, so that equal scores at the end can be told by id."""


class VectorIndex:
    """Nearest neighbours by inner product, as the seam `Index` says; `make_index` makes one.

    Args:
        parts: What it consists of.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def dim(self) -> int:
        """D, the length of a vector."""
        return self._parts.store.dim

    @property
    def calibration(self) -> Calibration:
        """What it is, and what it reached when that was last measured."""
        return self._parts.calibration

    @property
    def ids(self) -> Ids:
        """(N,) ids that can be found, the lowest first."""
        return np.sort(self._parts.store.ids[self._parts.store.alive])

    def __len__(self) -> int:
        """Vectors that can be found, N."""
        return len(self._parts.store)

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Take in n vectors (n, D) under new ids (n,), each 0 or above.

        Raises:
            BadInput: If an id is there already or given twice, or a value is not finite.
        """
        ready, numbers = checked_vectors(vectors, self.dim), checked_ids(ids)
        _same_length(numbers, ready)
        self._parts.store.add(numbers, ready)
        if self._parts.engine:
            self._parts.engine.add(ready)
        self._settle(len(numbers))

    def remove(self, ids: npt.ArrayLike) -> None:
        """Let go of vectors; no search gives them back, and their ids may be given again.

        Raises:
            BadInput: If an id is not there, or given twice.
        """
        numbers = checked_ids(ids)
        self._parts.store.remove(numbers)
        self._settle(len(numbers))

    def search(self, queries: npt.ArrayLike, k: int, allow: npt.ArrayLike | None = None) -> Lists:
        """The k vectors with the largest inner products, best first, equal ones by the lower id.

        Scores are exact whatever the kind. An approximate index may miss some of the best and, of
        more than a few that are equal at the end of a list, keep others than the lowest ids.

        Args:
            queries: (Q, D).
            k: At least 1, at most N + 2²⁰; where fewer can be found, a row ends in id −1 and
                score −inf.
            allow: Ids that may be given; those that are not there do not matter. None: all.

        Returns:
            (Q, k) ids and (Q, k) inner products.
        """
        asked = checked_vectors(queries, self.dim, "queries")
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise BadInput(f"Lists of {k!r:.80} cannot be made.", "k", "Give 1 or more.")
        if k > len(self) + SHORT_LIST:
            fix = f"There are {len(self):,} vectors: ask for no more."
            raise BadInput(f"Lists of {k!r:.80} would be nearly empty.", "k", fix)
        store, rows = self._parts.store, None
        if allow is not None:
            rows = np.unique(store.find(checked_ids(allow, "allow")))
            rows = rows[rows >= 0]
        count = len(store) if rows is None else len(rows)
        few = count * self.dim <= FEW or count <= _RARE * len(store) or k * _LONG >= count
        if self._parts.engine is None or few:
            return _exactly(store, rows, asked, int(k))
        return self._approximately(asked, int(k), self._effort, rows)

    def save(self, folder: Path) -> None:
        """Write it as an artefact at `folder`, which must not exist."""
        write_parts(folder, self._parts)

    @classmethod
    def open(cls, folder: Path) -> VectorIndex:
        """Read what `save` wrote; equal queries give equal answers.

        The vectors stay on the disk, from where the system fetches what is looked at.

        Raises:
            ArtefactError: If it is damaged or of another kind.
            BadInput: If it is approximate, and the extra that searches it is not installed.
        """
        return cls(read_parts(folder))

    @property
    def _effort(self) -> int:
        return self.calibration.parameters["effort"]

    def _approximately(self, queries: Floats, k: int, effort: int, rows: Ids | None) -> Lists:
        """What the engine finds, with exact scores; where that is too little, exact search.

        With a filter it must find many more than k: where few of the vectors near a query may be
        given, the best lie where the engine does not look. Filtered along one direction, a graph
        of 200,000 found .84 of the best without this rule.
        """
        store, engine = self._parts.store, self._parts.engine
        assert engine is not None
        may = None if len(store) == store.rows else store.alive
        count = len(store)
        if rows is not None:
            may, count = np.zeros(store.rows, bool), len(rows)
            may[rows] = True
        more = max(0, k - self._parts.options.at)
        wide = engine.wider(effort, count / store.rows, more)
        enough = 0 if rows is None else engine.enough(effort + more, wide, count)
        most = min(max(k + _SPARE, enough), count)
        found = engine.search(queries, most, wide, may)
        ids, scores = ranked(store.all(), queries, found, k)
        short = np.flatnonzero((found >= 0).sum(1) < min(max(k, enough), count))
        if len(short):
            ids[short], scores[short] = _exactly(store, rows, queries[short], k)
        return ids, scores

    def _settle(self, changed: int) -> None:
        """After a change: build anew or measure again where it has become another index."""
        parts = self._parts
        parts.changed += changed
        gone = parts.store.rows - len(parts.store) > GONE * parts.store.rows
        if gone:
            parts.store = parts.store.compacted()
        if parts.engine and (gone or parts.engine.outgrown(len(parts.store))):
            self._build(parts.calibration.kind)
        elif parts.changed > GONE * parts.calibration.vectors:
            self._measure(parts.calibration.build_seconds)

    def _build(self, kind: Kind) -> None:
        started = time.process_time()
        self._parts.engine = None
        if kind != "exact":
            vectors = self._parts.store.vectors
            self._parts.engine = ENGINES[kind].build(vectors, self._parts.options.seed)
        self._measure(time.process_time() - started)

    def _measure(self, build_seconds: float) -> None:
        """Set the effort, and say what it reaches."""
        parts, options = self._parts, self._parts.options
        engine, recall, error, queries = parts.engine, 1.0, 0.0, 0
        known: dict[str, int] = {}
        if engine:
            known = engine.built | {"effort": engine.efforts[0]}
        if engine and len(self):
            asked = parts.queries
            if not len(asked):
                living = np.flatnonzero(parts.store.alive)
                asked = draw_queries(parts.store.vectors, living, options.seed)
            exact = search_exactly(parts.store.all(), asked, options.at)
            reached = least_effort(
                lambda effort: self._approximately(asked, options.at, effort, None),
                exact, engine.efforts, options.recall,
            )  # fmt: skip
            known["effort"] = reached.effort
            recall, error, queries = reached.recall, reached.error, len(asked)
        parts.changed = 0
        parts.calibration = Calibration(
            kind=engine.kind if engine else "exact", parameters=known, wanted=options.recall,
            reached=recall, error=error, at=options.at, queries=queries, vectors=len(self),
            build_seconds=build_seconds, bytes=parts.nbytes,
        )  # fmt: skip
        if not parts.calibration.met:
            warnings.warn(_missed(parts.calibration), RecallMissed, stacklevel=4)


class RecallMissed(UserWarning):
    """An approximate index finds less than was asked for, whatever its effort."""


def make_index(
    vectors: npt.ArrayLike,
    ids: npt.ArrayLike | None = None,
    queries: npt.ArrayLike | None = None,
    options: IndexOptions | None = None,
) -> VectorIndex:
    """An index of vectors, of the kind that suits their number, measured against exact search.

    Args:
        vectors: (N, D) floating-point numbers, finite; zeros and repetitions are allowed.
        ids: (N,) whole numbers from 0 on, each once; None: the numbers of the rows.
        queries: (q, D) such as will be asked, to measure recall with; 500 of them are taken. None:
            they are drawn from the vectors.
        options: What it is to be.

    Raises:
        BadInput: If values, shapes or ids are wrong, or the extra `index` is needed and missing.
        OutOfResources: If no kind keeps the limits of the options.

    Warns:
        RecallMissed: If no effort reaches the recall; `calibration` says what is reached.
    """
    options = options or IndexOptions()
    ready = checked_vectors(vectors, None)
    numbers = np.arange(len(ready)) if ids is None else checked_ids(ids)
    _same_length(numbers, ready)
    store = Store.empty(ready.shape[1])
    asked = ready[:0]
    if queries is not None:
        asked = checked_vectors(queries, store.dim, "queries")
        rng = np.random.default_rng(options.seed)
        asked = asked[rng.permutation(len(asked))[:QUERIES]]
    kind = chosen(len(ready), store.dim, options)
    store.add(numbers, ready)
    index = VectorIndex(Parts(store, options, asked.copy()))
    index._build(kind)
    return index


def _exactly(store: Store, rows: Ids | None, queries: Floats, k: int) -> Lists:
    if rows is None:
        return search_exactly(store.all(), queries, k)
    return search_exactly(store.some(rows), queries, k)


def _same_length(ids: Ids, vectors: Floats) -> None:
    if len(ids) != len(vectors):
        what = f"There are {len(ids):,} ids for {len(vectors):,} vectors."
        raise BadInput(what, "ids", "Give an id for every vector.")


def _missed(one: Calibration) -> str:
    return (
        f"The index finds {one.reached:.4f} of the best {one.at} at most, less than the "
        f"{one.wanted} asked for ({one.kind}, {one.parameters})."
    )
