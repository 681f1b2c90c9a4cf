"""evaluate(): full-catalogue ranking of a model on a split, one value a user and metric.

Both conventions for items already seen come out of one pass: the headline leaves them out, names
that end in `/unfiltered` keep them. Where targets repeat items of their context, leaving those out
would leave out answers, so only `filter_seen=False` is accepted and there is no second convention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.metrics.ranking import (
    Floats,
    multi_target,
    ranks,
    single_target,
    ties,
    top_k,
)
from tastemaker.metrics.scored import Scored, scores_of
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
    read = partial(_single if single else _multi, options=options, conventions=conventions)
    whole, masked, tied = _gathered(model, queries, options, read)
    per_user: dict[str, Floats] = {}
    for suffix in sorted(conventions):
        placed = whole[f"placed{suffix}"]
        if single:
            measured = single_target(placed.astype(np.int64, copy=False), options.ks)
        else:
            measured = multi_target(placed.astype(np.bool_, copy=False), counts, options.ks)
        per_user |= {f"{name}{suffix}": value for name, value in measured.items()}
    return Evaluation(
        queries.contexts.users,
        per_user,
        whole["lists"].astype(np.int32, copy=False),
        whole["placed"].astype(np.int64, copy=False) if single else None,
        masked,
        tied,
    )


def _gathered(
    model: Recommender,
    queries: Queries,
    options: EvalOptions,
    read: Callable[[Scored], dict[str, Tensor]],
) -> tuple[dict[str, npt.NDArray[np.generic]], int, float]:
    """What is read of each query's scores, in rows (Q, ...); targets masked; share of those tied.

    Rows are written into arrays made once: a small array kept from each chunk would lie between
    the freed scores of two, and scores of one size could not take the place of those before.
    """
    whole: dict[str, npt.NDArray[np.generic]] = {}
    masked = tied = 0
    # Contexts of like length share a chunk, so that a model reads little padding.
    order = np.argsort(-queries.contexts.lengths, kind="stable")
    done = 0
    for scored in scores_of(model, queries.take(order), options.chunk, options.candidates):
        values = {name: value.cpu().numpy() for name, value in read(scored).items()}
        masked += int(values.pop("masked").sum())
        tied += int(values.pop("tied").sum())
        rows = order[done : done + len(values["lists"])]
        for name, value in values.items():
            if name not in whole:
                whole[name] = np.empty((len(order), *value.shape[1:]), value.dtype)
            whole[name][rows] = value
        done += len(rows)
    return whole, masked, tied / len(queries.target_items)


def _single(
    scored: Scored, options: EvalOptions, conventions: Mapping[str, bool]
) -> dict[str, Tensor]:
    """Ranks under each convention; the headline's lists and ties."""
    measured = {"masked": scored.target_scores() == -torch.inf}
    for suffix, leave_out in conventions.items():
        if leave_out:
            scored.leave_out_seen()
        measured[f"placed{suffix}"] = ranks(scored.scores, scored.columns)
        if not suffix:
            measured["lists"] = top_k(scored.scores, options.length).int()
            measured["tied"] = ties(scored.scores, scored.columns)
    return measured


def _multi(
    scored: Scored, options: EvalOptions, conventions: Mapping[str, bool]
) -> dict[str, Tensor]:
    """Which places of the lists hold a target, under each convention; the headline's lists."""
    target_scores = scored.target_scores()
    measured = {"masked": target_scores == -torch.inf}
    longest = max(options.length, *options.ks)
    wanted = torch.zeros(len(scored.scores), scored.scores.shape[1] + 1, dtype=torch.bool)
    wanted = wanted.to(target_scores.device)
    wanted[scored.owners, scored.columns + 1] = True
    for suffix, leave_out in conventions.items():
        if leave_out:
            scored.leave_out_seen()
        # One place more than is read shows the ties that decided the last place.
        lists = top_k(scored.scores, longest + 1)
        measured[f"placed{suffix}"] = wanted.gather(1, lists[:, :longest])
        if not suffix:
            measured["lists"] = lists[:, : options.length].int()
            measured["tied"] = _list_ties(scored, lists)
    return measured


def _list_ties(scored: Scored, lists: Tensor) -> Tensor:
    """Of each target, whether an item of the list other than itself has its score."""
    scores = scored.scores.gather(1, (lists - 1).clamp(min=0)).masked_fill(lists == 0, torch.nan)
    target_scores = scored.target_scores()[:, None]
    other = lists[scored.owners] != scored.columns[:, None] + 1
    return ((scores[scored.owners] == target_scores) & other).any(1)
