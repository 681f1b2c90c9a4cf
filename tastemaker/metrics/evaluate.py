"""evaluate(): full-catalogue ranking of a model on a split, one value a user and metric.

Both conventions for items already seen come out of one pass: the headline leaves them out, names
that end in `/unfiltered` keep them. Where targets repeat items of their context, leaving those out
would leave out answers, so only `filter_seen=False` is accepted and there is no second convention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.metrics.ranking import (
    Floats,
    check_scores,
    multi_target,
    ranks,
    single_target,
    ties,
    top_k,
)
from tastemaker.metrics.targets import count_targets, refuse_repeats, repeated_targets
from tastemaker.seams import Recommender


@dataclass(frozen=True, eq=False)
class EvalOptions:
    """How rankings are made and read; recorded with every result."""

    ks: tuple[int, ...] = (1, 5, 10, 20, 50)
    """cut-offs"""
    filter_seen: bool = True
    """headline convention: leave out the items of the context"""
    candidates: npt.NDArray[np.bool_] | None = None
    """(I,) items that may be recommended; None: all"""
    chunk: int = 64
    """users scored at a time"""
    list_length: int | None = None
    """items kept of each ranking; None: the largest of `ks`"""

    def __post_init__(self) -> None:
        """Refuse cut-offs and sizes below 1."""
        sizes = (*self.ks, self.chunk, 1 if self.list_length is None else self.list_length)
        if not self.ks or min(sizes) < 1:
            raise BadInput(
                f"Cut-offs {self.ks}, chunk {self.chunk}, list length {self.list_length}: "
                "each must be at least 1.",
                "evaluation options",
                "Give whole numbers from 1 up, such as ks=(10,).",
            )

    @property
    def length(self) -> int:
        """Items kept of each ranking."""
        return self.list_length or max(self.ks)

    def conventions(self, repeats: bool) -> dict[str, bool]:
        """Suffix of a metric's name → whether seen items are left out; unfiltered first."""
        if self.filter_seen:
            return {"/unfiltered": False, "": True}
        return {"": False} if repeats else {"": False, "/filtered": True}


@dataclass(frozen=True)
class Evaluation:
    """What one model did on Q users."""

    users: npt.NDArray[np.int64]
    """(Q,) user codes"""
    per_user: dict[str, Floats]
    """metric → (Q,)"""
    lists: npt.NDArray[np.int32]
    """(Q, length) item codes recommended under the headline convention; 0 pads"""
    ranks: npt.NDArray[np.int64] | None
    """(Q,) rank of the target, where each user has one; `UNRANKABLE` where it was masked"""
    unrankable: int
    """targets scored −inf or not among the candidates, which count as misses"""
    tied: float
    """share of targets whose score another item shares; with several targets a user, only an item
    of the list or the one after it counts, since no other tie can change a metric"""

    def mean(self, metric: str) -> float:
        """Mean over users."""
        return float(self.per_user[metric].mean())

    def to_frame(self, user_ids: pl.Series) -> pl.DataFrame:
        """One row a user: `user_id` and a column a metric."""
        ids = user_ids.gather(self.users).alias("user_id")
        return pl.DataFrame([ids, *(pl.Series(n, v) for n, v in self.per_user.items())])


@torch.inference_mode()
def evaluate(
    model: Recommender, queries: Queries, options: EvalOptions | None = None
) -> Evaluation:
    """Rank the whole catalogue for every query.

    Chunk size, order of the queries and number of threads change no value.

    Args:
        model: Anything with `score`.
        queries: Contexts and targets; a repeated target of one query counts once.
        options: How to rank.

    Raises:
        NumericFault: If a score is NaN or +inf.
        BadInput: If seen items are left out though a target is one of them, if a query has no
            target or there is none, or if the model's catalogue is not that of the queries.
    """
    options = options or EvalOptions()
    counts = count_targets(queries)
    repeats = repeated_targets(queries)
    if options.filter_seen:
        refuse_repeats(queries, repeats)
    single = bool((np.diff(queries.target_offsets) == 1).all())
    conventions = options.conventions(bool(repeats.any()))
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    # Contexts of like length share a chunk, so that a model reads little padding.
    order = np.argsort(-queries.contexts.lengths, kind="stable")
    for chunk in _chunks(model, queries.take(order), options):
        read = _single if single else _multi
        for name, value in read(chunk, options, conventions).items():
            parts.setdefault(name, []).append(value)
    back = np.argsort(order)
    whole = {name: np.concatenate(values) for name, values in parts.items()}
    per_user: dict[str, Floats] = {}
    for suffix in sorted(conventions):
        placed = whole[f"placed{suffix}"][back]
        if single:
            measured = single_target(placed.astype(np.int64), options.ks)
        else:
            measured = multi_target(placed.astype(np.bool_), counts, options.ks)
        per_user |= {f"{name}{suffix}": value for name, value in measured.items()}
    return Evaluation(
        queries.contexts.users,
        per_user,
        whole["lists"][back].astype(np.int32),
        whole["placed"][back].astype(np.int64) if single else None,
        int(whole["masked"].sum()),
        float(whole["tied"].mean()),
    )


@dataclass(frozen=True)
class _Chunk:
    """Scores of B users with what they are to be compared to."""

    scores: Tensor
    """(B, I) float32, candidates only"""
    owners: Tensor
    """flat row of each target"""
    columns: Tensor
    """flat column of each target"""
    seen: Tensor
    """flat position in `scores` of each context item"""

    def leave_out_seen(self) -> None:
        """Mask what the contexts hold, in place."""
        self.scores.view(-1).index_fill_(0, self.seen, -torch.inf)

    def own(self) -> Tensor:
        """Score of each target."""
        return self.scores[self.owners, self.columns]


def _chunks(model: Recommender, queries: Queries, options: EvalOptions) -> Iterator[_Chunk]:
    barred: Tensor | None = None
    for start in range(0, len(queries), options.chunk):
        stop = min(start + options.chunk, len(queries))
        contexts = queries.contexts.slice(start, stop)
        scores = model.score(contexts).float().contiguous()
        _check_catalogue(scores, contexts, queries, options)
        check_scores(scores, contexts.users)
        if options.candidates is not None:
            if barred is None:
                barred = torch.from_numpy(np.flatnonzero(~options.candidates)).to(scores.device)
            scores.index_fill_(1, barred, -torch.inf)
        bounds = queries.target_offsets[start : stop + 1]
        owners = np.repeat(np.arange(stop - start), np.diff(bounds))
        rows = np.repeat(np.arange(stop - start), contexts.lengths)
        flat = (
            owners,
            queries.target_items[bounds[0] : bounds[-1]].astype(np.int64) - 1,
            rows * scores.shape[1] + contexts.items - 1,
        )
        yield _Chunk(scores, *(torch.from_numpy(indices).to(scores.device) for indices in flat))


def _single(
    chunk: _Chunk, options: EvalOptions, conventions: dict[str, bool]
) -> dict[str, npt.NDArray[np.generic]]:
    """Ranks under each convention; the headline's lists and ties."""
    measured = {"masked": chunk.own() == -torch.inf}
    for suffix, leave_out in conventions.items():
        if leave_out:
            chunk.leave_out_seen()
        measured[f"placed{suffix}"] = ranks(chunk.scores, chunk.columns)
        if not suffix:
            measured["lists"] = top_k(chunk.scores, options.length)
            measured["tied"] = ties(chunk.scores, chunk.columns)
    return {name: value.cpu().numpy() for name, value in measured.items()}


def _multi(
    chunk: _Chunk, options: EvalOptions, conventions: dict[str, bool]
) -> dict[str, npt.NDArray[np.generic]]:
    """Which places of the lists hold a target, under each convention; the headline's lists."""
    own = chunk.own()
    measured = {"masked": own == -torch.inf}
    longest = max(options.length, *options.ks)
    wanted = torch.zeros(len(chunk.scores), chunk.scores.shape[1] + 1, dtype=torch.bool)
    wanted = wanted.to(own.device)
    wanted[chunk.owners, chunk.columns + 1] = True
    for suffix, leave_out in conventions.items():
        if leave_out:
            chunk.leave_out_seen()
        # One place more than is read shows the ties that decided the last place.
        lists = top_k(chunk.scores, longest + 1)
        measured[f"placed{suffix}"] = wanted.gather(1, lists[:, :longest])
        if not suffix:
            measured["lists"] = lists[:, : options.length]
            measured["tied"] = _list_ties(chunk, lists)
    return {name: value.cpu().numpy() for name, value in measured.items()}


def _list_ties(chunk: _Chunk, lists: Tensor) -> Tensor:
    """Of each target, whether an item of the list other than itself has its score."""
    scores = chunk.scores.gather(1, (lists - 1).clamp(min=0)).masked_fill(lists == 0, torch.nan)
    own = chunk.own()[:, None]
    other = lists[chunk.owners] != chunk.columns[:, None] + 1
    return ((scores[chunk.owners] == own) & other).any(1)


def _check_catalogue(
    scores: Tensor, contexts: Contexts, queries: Queries, options: EvalOptions
) -> None:
    """A code outside 1..I would mask an item of another user's row, so none is let through."""
    num_items = scores.shape[-1]
    listed = num_items if options.candidates is None else len(options.candidates)
    low = min(contexts.items.min(initial=1), queries.target_items.min())
    high = max(contexts.items.max(initial=1), queries.target_items.max())
    if tuple(scores.shape) != (len(contexts), listed) or low < 1 or high > num_items:
        raise BadInput(
            f"The model gave scores of shape {tuple(scores.shape)} for {len(contexts)} users, a "
            f"candidate mask of {listed:,} items and item codes from {low} to {high:,}.",
            "model",
            "Score (B, I) with the catalogue the queries were made from; codes run from 1 to I.",
        )
