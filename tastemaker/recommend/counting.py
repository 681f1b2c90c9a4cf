"""Counting models: popularity, neighbours and first-order transitions; no gradient, seconds to fit.

They stand beside every neural model, since a model that does not beat counting is not worth its
training (protocol §4, performance §4.2). Each is fitted on the training events and scores the raw
counts of what it saw; deterministic to the byte. What can be set is in a model's `KNOBS`: values
worth trying, the default first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts, ranges
from tastemaker.recommend.ease import Ease, binary
from tastemaker.recommend.neighbours import nearest
from tastemaker.recommend.one_row import row_times
from tastemaker.recommend.saved_tensors import Saved

Array = npt.NDArray[Any]
Knobs = dict[str, tuple[float, ...]]
"""Setting → the values that a search tries, the default first."""


@dataclass(frozen=True)
class Popularity:
    """Training events of each item; the same list for everybody."""

    counts: Array
    """(I,) float32"""

    KNOBS: ClassVar[Knobs] = {}

    @classmethod
    def fit(cls, contexts: Contexts, num_items: int, **set_to: float) -> Self:
        """Count the events of each item."""
        counts = np.bincount(contexts.items, minlength=num_items + 1)[1:]
        return cls(counts.astype(np.float32))

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) counts."""
        return torch.from_numpy(self.counts).repeat(len(contexts), 1)

    def tensors(self) -> dict[str, Array]:
        """The counts."""
        return {"counts": self.counts}

    @classmethod
    def from_tensors(cls, saved: Saved) -> Self:
        """The model as it was saved, its parts checked."""
        return cls(saved.floats("counts", (saved.num_items,), np.float32))


@dataclass(frozen=True)
class _Transitions(ABC):
    """Items that follow items: s = Σ over the newest context items, weighted by distance, of W.

    An empty context is answered by popularity: every score carries a tiny multiple of it, too
    small to reorder what the counts tell apart.
    """

    weights: sp.csr_array
    """(I, I) W[a, b]: what item a says for item b"""
    popularity: Array
    """(I,) float64 training events"""

    knobs: Mapping[str, float]
    """`reach`: newest context items that speak; `decay`: weight of an item one step further back;
    and what shapes the weights"""

    KNOBS: ClassVar[Knobs] = {}
    tie_break: ClassVar[float] = 1e-9
    """weight of popularity"""

    @classmethod
    def fit(cls, contexts: Contexts, num_items: int, **set_to: float) -> Self:
        """Count pairs and turn counts into weights."""
        knobs = {name: values[0] for name, values in cls.KNOBS.items()} | set_to
        popularity = np.bincount(contexts.items, minlength=num_items + 1)[1:].astype(np.float64)
        return cls(cls.weigh(contexts, num_items, popularity, knobs), popularity, knobs)

    @classmethod
    @abstractmethod
    def weigh(
        cls, contexts: Contexts, num_items: int, popularity: Array, knobs: Mapping[str, float]
    ) -> sp.csr_array:
        """(I, I) weights from the training events."""

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) sums of weights; in float64 until the end, so that ties break as they should."""
        if len(contexts) == 1:
            scores = row_times(*_decayed_row(contexts, self.knobs), self.weights)[None]
        else:
            rows = _decayed(contexts, len(self.popularity), self.knobs)
            scores = (rows @ self.weights).toarray()
        scores += self.tie_break * self.popularity
        return torch.from_numpy(scores.astype(np.float32))

    def tensors(self) -> dict[str, Array]:
        """The weights in compressed rows, and the popularity."""
        parts = {name: getattr(self.weights, name) for name in ("data", "indices", "indptr")}
        knobs = {f"knob.{name}": np.array([value], float) for name, value in self.knobs.items()}
        return {**parts, "popularity": self.popularity, **knobs}

    @classmethod
    def from_tensors(cls, saved: Saved) -> Self:
        """The model as it was saved, its parts checked."""
        popularity = saved.floats("popularity", (saved.num_items,), np.float64)
        knobs = {name: saved.number(f"knob.{name}", name) for name in cls.KNOBS}
        return cls(saved.square(), popularity, knobs)


@dataclass(frozen=True)
class Markov(_Transitions):
    """`markov-last-5`: s[i] = Σ_k .7^(k−1)·T[x_k, i] / (Σ_j T[x_k, j] + 10), T adjacent pairs.

    `prior` is the 10, which lets rare items speak softly. Source: performance §4.2, whose
    regression values tests hold it to.
    """

    KNOBS: ClassVar[Knobs] = {
        "reach": (5, 1, 2, 3, 10, 20, 50),
        "decay": (0.7, 0.3, 0.5, 0.8, 0.9, 0.95),
        "prior": (10.0, 0.0, 1.0, 3.0, 30.0, 100.0),
    }

    @classmethod
    def weigh(
        cls, contexts: Contexts, num_items: int, popularity: Array, knobs: Mapping[str, float]
    ) -> sp.csr_array:
        """Rows of T divided by their total plus `prior`."""
        counts = _pairs(contexts, num_items, 1)
        totals = np.asarray(counts.sum(1)).ravel() + knobs["prior"]
        return sp.csr_array(sp.diags_array(1 / np.maximum(totals, 1e-9)) @ counts)


@dataclass(frozen=True)
class MarkovFirst(_Transitions):
    """`markov-1`: what followed the newest item, T[x₁, i] + 1e-6·popularity."""

    KNOBS: ClassVar[Knobs] = {"reach": (1,), "decay": (0.7,)}
    tie_break: ClassVar[float] = 1e-6

    @classmethod
    def weigh(
        cls, contexts: Contexts, num_items: int, popularity: Array, knobs: Mapping[str, float]
    ) -> sp.csr_array:
        """T itself."""
        return _pairs(contexts, num_items, 1)


@dataclass(frozen=True)
class CoOccurrence(_Transitions):
    """Items seen soon after: s_i = Σ_x .8^a·c(x, i)/√(c(x)·c(i)), over the whole context.

    c(x, i) counts i within the `window` of 5 events after x (directed variant of protocol §4).
    """

    KNOBS: ClassVar[Knobs] = {
        "reach": (1_000_000,),
        "decay": (0.8, 0.5, 0.7, 0.9, 0.95, 1.0),
        "window": (5, 1, 2, 3, 10, 20),
    }

    @classmethod
    def weigh(
        cls, contexts: Contexts, num_items: int, popularity: Array, knobs: Mapping[str, float]
    ) -> sp.csr_array:
        """Counts divided by the root of both items' counts."""
        counts = sum(
            (_pairs(contexts, num_items, gap) for gap in range(2, int(knobs["window"]) + 1)),
            start=_pairs(contexts, num_items, 1),
        )
        scale = sp.diags_array(1 / np.sqrt(np.maximum(popularity, 1)))
        return sp.csr_array(scale @ counts @ scale)


@dataclass(frozen=True)
class ItemKNN(_Transitions):
    """Item neighbours: cosine of the users who chose them, 100 neighbours each, no order."""

    KNOBS: ClassVar[Knobs] = {
        "reach": (1_000_000,),
        "decay": (1.0, 0.7, 0.8, 0.9, 0.95),
        "neighbours": (100, 20, 50, 200, 500),
    }

    @classmethod
    def weigh(
        cls, contexts: Contexts, num_items: int, popularity: Array, knobs: Mapping[str, float]
    ) -> sp.csr_array:
        """Cosines, the largest of each column of the similarity kept."""
        return nearest(binary(contexts, num_items), int(knobs["neighbours"]))


def _pairs(contexts: Contexts, num_items: int, gap: int) -> sp.csr_array:
    """(I, I) how often item b stands `gap` events after item a in one user's row."""
    first = ranges(
        contexts.offsets[:-1], np.maximum(contexts.offsets[:-1], contexts.offsets[1:] - gap)
    )
    before, after = contexts.items[first] - 1, contexts.items[first + gap] - 1
    pairs = sp.coo_array((np.ones(len(first)), (before, after)), (num_items, num_items))
    return sp.csr_array(pairs)


def _decayed(contexts: Contexts, num_items: int, knobs: Mapping[str, float]) -> sp.csr_array:
    """(B, I) weight of each context item: decay^(steps back), over the newest `reach`."""
    ends = contexts.offsets[1:]
    starts = np.maximum(contexts.offsets[:-1], ends - int(knobs["reach"]))
    events = ranges(starts, ends)
    lengths = ends - starts
    rows = np.repeat(np.arange(len(lengths)), lengths)
    back = np.repeat(ends, lengths) - 1 - events
    weights = knobs["decay"] ** back.astype(np.float64)
    shape = (len(lengths), num_items)
    return sp.csr_array(sp.coo_array((weights, (rows, contexts.items[events] - 1)), shape))


def _decayed_row(contexts: Contexts, knobs: Mapping[str, float]) -> tuple[Array, Array]:
    """Items of the only row, ascending from 0, and the weight of each, as `_decayed` has them."""
    items = contexts.items[max(0, len(contexts.items) - int(knobs["reach"])) :]
    weights = knobs["decay"] ** np.arange(len(items) - 1, -1, -1, dtype=np.float64)
    columns, places = np.unique(items - 1, return_inverse=True)
    return columns, np.bincount(places, weights, len(columns))


COUNTING: dict[str, type[Any]] = {
    "popularity": Popularity,
    "co-occurrence": CoOccurrence,
    "markov-last-5": Markov,
    "markov-1": MarkovFirst,
    "item-knn": ItemKNN,
    "ease": Ease,
}
"""Name → model, in the order of tables."""
