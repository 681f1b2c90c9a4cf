"""What goes with an item: do lists hold what people took next, and is it similar (mtmh §5)?

A query is an item, its trigger; every metric is first a value per trigger. Lists (T, K) hold item
codes 1..I, best first and never the trigger itself, 0 where a list is shorter, as those of
`beyond_accuracy`, whose novelty, coverage and popularity share serve here too.

Similarity judged by the encoder that a model learnt from is circular: a `Judge` refuses that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from tastemaker.data.contexts import Contexts, Int32s, Int64s, ranges
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.metrics.ranking import check_scores, multi_target, top_k
from tastemaker.seams import Encode

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Scores = Callable[[Int32s], Vectors]
"""(Q,) trigger codes → (Q, I) scores, column j for item code j + 1."""

_CHUNK = 512
"""Triggers scored at a time."""
_PAIRS = 500_000
"""Items of lists compared with their triggers at a time."""


@dataclass(frozen=True, eq=False)
class Following:
    """What people took after each trigger in the evaluation period."""

    triggers: Int32s
    """(T,) item codes, rising"""
    targets: Int32s
    """flat item codes: each trigger's distinct targets, rising"""
    offsets: Int64s
    """(T+1,) row bounds into `targets`"""
    traffic: Floats
    """(T,) events that followed the trigger, also those whose items were left out since"""

    @classmethod
    def of(cls, queries: Queries, window: int = 5) -> Following:
        """Each target with each of the last `window` events before it, whichever part they are of.

        An item that follows itself is no pair.
        """
        firsts, thens = _predecessors(queries, window)
        size = int(max(firsts.max(initial=0), thens.max(initial=0))) + 1
        keys, counts = np.unique(firsts.astype(np.int64) * size + thens, return_counts=True)
        owners, targets = np.divmod(keys, size)
        triggers, starts = np.unique(owners, return_index=True)
        traffic = np.add.reduceat(counts, starts) if len(starts) else counts
        bounds = np.append(starts, len(keys)).astype(np.int64)
        return cls(
            triggers.astype(np.int32), targets.astype(np.int32), bounds, traffic.astype(float)
        )

    def __len__(self) -> int:
        """Number of triggers T."""
        return len(self.triggers)

    @property
    def owners(self) -> Int64s:
        """The row of each entry of `targets`."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def asked_from(self, wanted: npt.NDArray[np.bool_]) -> Following:
        """Only the triggers that are `wanted` (I,); row j is item code j + 1."""
        return self._rows(np.flatnonzero(wanted[self.triggers - 1]))

    def towards(self, wanted: npt.NDArray[np.bool_]) -> Following:
        """Only the targets that are `wanted` (I,), and the triggers that keep one."""
        kept = wanted[self.targets - 1]
        counts = np.bincount(self.owners[kept], minlength=len(self))
        bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        fewer = replace(self, targets=self.targets[kept], offsets=bounds)
        return fewer._rows(np.flatnonzero(counts))

    def _rows(self, rows: Int64s) -> Following:
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        bounds = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        taken = self.targets[ranges(starts, ends)]
        return Following(self.triggers[rows], taken, bounds, self.traffic[rows])


def _predecessors(queries: Queries, window: int) -> tuple[Int32s, Int32s]:
    """Item codes of what came before each target, up to `window` events back, and of the target."""
    past: Contexts = queries.contexts
    owner = np.repeat(np.arange(len(queries)), np.diff(queries.target_offsets))
    place = np.arange(len(owner)) - queries.target_offsets[:-1][owner]
    firsts, thens = [], []
    for gap in range(1, window + 1):
        within = np.flatnonzero(place >= gap)
        firsts.append(queries.target_items[within - gap])
        thens.append(queries.target_items[within])
        # The others reach back into the context, from its end.
        back = gap - place
        reaching = np.flatnonzero((back > 0) & (back <= past.lengths[owner]))
        firsts.append(past.items[past.offsets[1:][owner[reaching]] - back[reaching]])
        thens.append(queries.target_items[reaching])
    first, then = np.concatenate(firsts), np.concatenate(thens)
    other = first != then
    return first[other], then[other]


def best_lists(scores: Scores, triggers: Int32s, k: int) -> Int32s:
    """(T, k) the k best items for each trigger by exact search, equal scores by the lower code.

    Args:
        scores: What to rank by; −inf is never shown, and neither is the trigger.
        triggers: (T,) item codes.
        k: At most I − 1 are found.

    Raises:
        NumericFault: If a score is NaN or +inf; it names positions of triggers.
    """
    lists = [np.zeros((0, k), np.int32)]
    for start in range(0, len(triggers), _CHUNK):
        some = triggers[start : start + _CHUNK]
        table = torch.from_numpy(np.array(scores(some), np.float32))
        check_scores(table, np.arange(start, start + len(some)))
        table[torch.arange(len(some)), torch.from_numpy(some.astype(np.int64)) - 1] = -torch.inf
        found = top_k(table, k).numpy().astype(np.int32)
        lists.append(np.pad(found, ((0, 0), (0, k - found.shape[1]))))
    return np.concatenate(lists)


def recall(lists: Int32s, following: Following, ks: Sequence[int]) -> dict[str, Floats]:
    """`recall@K` → (T,) share of a trigger's targets among the first K of its list.

    Args:
        lists: (T, K) with K at least the largest of `ks`.
        following: The same triggers in the same order.
        ks: Cut-offs.

    Raises:
        BadInput: If the lists are too few or too short: only lists of equal K can be compared.
    """
    if len(lists) != len(following) or lists.shape[1] < max(ks):
        what = f"Lists of shape {lists.shape} for {len(following):,} triggers at {max(ks)}."
        raise BadInput(what, "lists", "Give one list a trigger, as long as the largest K.")
    size = 1 + int(max(lists.max(initial=0), following.targets.max(initial=0)))
    true = following.owners * size + following.targets
    hits = np.isin(np.arange(len(lists))[:, None] * size + lists, true)
    values = multi_target(hits, np.diff(following.offsets), ks)
    return {f"recall@{k}": values[f"recall@{k}"] for k in ks}


def by_traffic(values: Floats, traffic: Floats) -> Floats:
    """(T,) values whose plain mean is the mean of `values` weighted by `traffic`."""
    weighted: Floats = values * traffic / traffic.mean()
    return weighted


@dataclass(frozen=True, eq=False)
class Judge:
    """Similarity in the eyes of an encoder that no model under test has learnt from."""

    vectors: Vectors
    """(I, D) row j is item code j + 1; of length one, or zero where nothing is known"""

    @classmethod
    def of(cls, encode: Encode, texts: Sequence[str], learnt: Collection[str]) -> Judge:
        """The vectors of all items.

        Args:
            encode: The judge's encoder.
            texts: (I,) what is written about each item.
            learnt: Identities of the encoders that models under test learnt from or search by.

        Raises:
            BadInput: If the judge is one of them, by its identity.
        """
        if encode.identity in learnt:
            what = "The encoder that judges is one that a model learnt from: that is circular."
            raise BadInput(what, "judge", "Judge by an encoder of another family.")
        return cls(encode(texts))

    def relevance(self, lists: Int32s, triggers: Int32s) -> Floats:
        """(T,) mean cosine of the items of each list to its trigger."""
        return relevance(self.vectors, lists, triggers)

    def diversity(self, lists: Int32s) -> Floats:
        """(T,) one minus the mean cosine over the pairs of items in a list; 0 for less than two."""
        vectors, count = _padded(self.vectors), (lists > 0).sum(1)
        sums = np.stack([vectors[row].sum(0) for row in lists])
        own = (np.linalg.norm(vectors, axis=1) ** 2)[lists].sum(1)
        alike = ((sums**2).sum(1) - own) / np.maximum(count * (count - 1), 1)
        apart: Floats = np.where(count > 1, 1 - alike, 0.0)
        return apart


def relevance(vectors: Vectors, lists: Int32s, triggers: Int32s) -> Floats:
    """(T,) mean cosine of the items of each list to its trigger; an empty list has 0.

    Args:
        vectors: (I, D) row j is item code j + 1; an item whose vector is zero is like nothing.
        lists: (T, K).
        triggers: (T,) item codes.
    """
    unit = _padded(vectors)
    cosines = np.stack([unit[row] @ unit[of] for row, of in zip(lists, triggers, strict=True)])
    mean: Floats = cosines.sum(1) / np.maximum((lists > 0).sum(1), 1)
    return mean


def category_match(lists: Int32s, triggers: Int32s, membership: sp.csr_array) -> Floats:
    """(T,) share of each list that has a category in common with its trigger.

    Args:
        lists: (T, K).
        triggers: (T,) item codes.
        membership: (I, G) 0/1; row j is item code j + 1.
    """
    rows = sp.csr_array(membership.astype(np.float64))
    common = np.zeros(lists.shape)
    places, columns = np.nonzero(lists)
    for start in range(0, len(places), _PAIRS):
        place, column = places[start : start + _PAIRS], columns[start : start + _PAIRS]
        of, item = triggers[place].astype(np.int64) - 1, lists[place, column].astype(np.int64) - 1
        common[place, column] = np.asarray(rows[of].multiply(rows[item]).sum(1)).ravel() > 0
    mean: Floats = common.sum(1) / np.maximum((lists > 0).sum(1), 1)
    return mean


def share_of(lists: Int32s, wanted: npt.NDArray[np.bool_]) -> Floats:
    """(T,) share of each list that is `wanted` (I,), such as items without training events."""
    padded = np.concatenate([[False], wanted])
    share: Floats = padded[lists].sum(1) / np.maximum((lists > 0).sum(1), 1)
    return share


def long_tail(train_counts: Int64s, share: float = 0.5) -> npt.NDArray[np.bool_]:
    """(I,) items that are not among the most frequent ones which have `share` of all events."""
    order = np.argsort(-train_counts, kind="stable")
    before = np.cumsum(train_counts[order]) - train_counts[order]
    tail = np.ones(len(train_counts), bool)
    tail[order[before < share * train_counts.sum()]] = False
    return tail


def _padded(vectors: Vectors) -> Floats:
    """(I+1, D) rows of length one or zero, by item code."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    padded: Floats = np.concatenate([np.zeros((1, wide.shape[1])), unit])
    return padded
