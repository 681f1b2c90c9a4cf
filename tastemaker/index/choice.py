"""Which kind an index is: exact while that is cheap, then a graph, or cells within limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.index.calibrate import Kind
from tastemaker.index.cells import Cells
from tastemaker.index.graph import Graph

EXACT = 25_000_000
"""Values of all vectors up to which every one is looked at."""
_A_ROW = 25
"""Bytes of a vector beside its values."""

ENGINES: dict[Kind, type[Graph] | type[Cells]] = {"hnsw": Graph, "ivf": Cells}


@dataclass(frozen=True)
class IndexOptions:
    """What an index is to be."""

    recall: float = 0.98
    """share of the best `at` that an approximate search is to find, above 0, at most 1"""
    at: int = 10
    """how many are the best; take the length of your lists"""
    kind: Literal["auto", "exact", "hnsw", "ivf"] = "auto"
    """auto: exact up to 25 million values; above, hnsw, or ivf where hnsw breaks a limit"""
    memory: int | None = None
    """bytes that the index may hold; None: any"""
    build_seconds: float | None = None
    """CPU-seconds that building may take, by an estimate; None: any"""
    seed: int = 0
    """of graph, cells and drawn queries"""

    def __post_init__(self) -> None:
        """Refuse what means nothing.

        Raises:
            BadInput: If a value is out of range.
        """
        if not 0 < self.recall <= 1:
            what = f"A recall of {self.recall} is out of range."
            raise BadInput(what, "recall", "Give a number above 0, at most 1.")
        if self.at < 1:
            raise BadInput(f"The best {self.at} are none.", "at", "Give 1 or more.")
        if self.kind not in ("auto", "exact", *ENGINES):
            what = f"There is no index of kind {self.kind!r:.80}."
            raise BadInput(what, "kind", "Give auto, exact, hnsw or ivf.")
        if self.seed < 0:
            raise BadInput(f"The seed {self.seed} is below 0.", "seed", "Give 0 or more.")


def chosen(count: int, dim: int, options: IndexOptions) -> Kind:
    """The kind for a number of vectors of length `dim`; the same on every machine.

    Raises:
        OutOfResources: If no kind that comes into question keeps the limits.
    """
    kinds: tuple[Kind, ...] = ("hnsw", "ivf") if count * dim > EXACT else ("exact",)
    kinds = kinds if options.kind == "auto" else (options.kind,)
    for kind in kinds:
        needed, seconds = costs(kind, count, dim)
        roomy = options.memory is None or needed <= options.memory
        quick = options.build_seconds is None or seconds <= options.build_seconds
        if roomy and quick:
            return kind
    raise OutOfResources(
        f"{count:,} vectors of length {dim} need {needed:,} bytes and about {seconds:,.0f} "
        f"CPU-seconds as {kind}, the least of {', '.join(kinds)}.",
        f"memory = {options.memory}, build_seconds = {options.build_seconds}",
        'Allow as much, index fewer vectors, or choose kind="exact", which is slower to search.',
    )


def costs(kind: Kind, count: int, dim: int) -> tuple[int, float]:
    """Bytes that an index holds, and CPU-seconds that it takes to build, both about."""
    held = count * (4 * dim + _A_ROW)
    if kind == "exact":
        return held, 0.0
    engine = ENGINES[kind]
    return held + engine.bytes(count, dim), engine.seconds(count, dim)
