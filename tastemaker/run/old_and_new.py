"""Is a new run worse than the old one? Both are asked about what happened since the old one learnt.

Each user's newest events, which the new run has held out and the old one never saw, are what really
came next. Before them both know the same events, and each ranks with the model that it recommends
with, among the items that it may recommend: one that a run does not know stands last in its list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts, Int64s, along, ranges
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split, split
from tastemaker.files import JsonObject
from tastemaker.metrics.comparisons import compare
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.metrics.headline import K
from tastemaker.options import HEADLINE
from tastemaker.run.saved import SavedRun
from tastemaker.run.user_lists import POPULARITY
from tastemaker.seams import Recommender

FEWEST = 50
"""Users with newest events who settle it by themselves; of fewer, one alone would."""
Flags = npt.NDArray[np.bool_]


def compared(old: SavedRun, new: SavedRun, since: Flags, unlearnt: Flags) -> JsonObject | None:
    """The new run less the old one, in NDCG@10, user by user.

    Args:
        old: A run.
        new: One of a log that has the old one's items first, divided in the same way.
        since: (N,) events of the new run's `interactions` that the old one does not have.
        unlearnt: (N,) those that it was neither trained nor chosen on, `since` among them.

    Returns:
        A paired comparison with `on`: `newest`, those alone; or, where fewer than `FEWEST` users
        have such, `test`, all test events that both have held out. None where there is none.
    """
    cuts = split(new.interactions, new.config["split"])
    on, queries = "newest", held_out(cuts, since)
    if len(queries) < FEWEST:
        on, queries = "test", held_out(cuts, unlearnt)
    if not len(queries):
        return None
    scoring = EvalOptions((K,), filter_seen=not new.config["repeats"])
    ours, theirs = (
        evaluate(Asked(run, new), queries, scoring).per_user[HEADLINE] for run in (new, old)
    )
    strange = int((queries.target_items > old.interactions.num_items).sum())
    means = {"new": float(ours.mean()), "old": float(theirs.mean())}
    models = {"new_model": new.model_name(), "old_model": old.model_name()}
    told = {"on": on, "metric": HEADLINE, **means, **models, "targets": len(queries.target_items)}
    return told | {"unknown_to_old": strange, **compare(ours, theirs).to_json()}


def worse(comparison: JsonObject, margin: float) -> str:
    """In which way the new run is worse, in words; empty where it is not.

    Args:
        comparison: As `compared` gives it.
        margin: Part of the old run's value that may be lost on average, to allow for chance.
    """
    if comparison["ci95"][1] < 0:
        return "its interval lies wholly below 0"
    if comparison["difference"] < -margin * comparison["old"]:
        return f"it loses more than {margin:.0%} of the old value"
    return ""


def held_out(cuts: Split, wanted: Flags) -> Queries:
    """Users with test events among the wanted ones: those to predict, from all before the test."""
    log = cuts.interactions
    places = ranges(cuts.valid_end, log.offsets[1:])
    owners = np.repeat(np.arange(log.num_users), log.offsets[1:] - cuts.valid_end)
    keep = wanted[places] & (cuts.train_end > log.offsets[:-1])[owners]
    places, owners = places[keep], owners[keep]
    users, counts = np.unique(owners, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    starts, ends = log.offsets[:-1][users], cuts.valid_end[users]
    contexts = Contexts.gather(users.astype(np.int64), starts, ends, log.columns)
    if log.times is not None:
        contexts = replace(contexts, request_times=log.times[places][offsets[:-1]])
    return Queries(contexts, log.items[places], offsets)


@dataclass(frozen=True, eq=False)
class Asked(Recommender):
    """A run that is asked in the codes of another one, which has its items first."""

    run: SavedRun
    other: SavedRun

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of the other run's items; −inf where this one may not recommend them."""
        own = self._own(contexts)
        scores = self.run.model().score(own)
        if len(nothing := np.flatnonzero(own.lengths == 0)):
            popular = self.run.model(POPULARITY).score(own.take(nothing))
            scores[torch.from_numpy(nothing)] = popular.to(scores)
        listed = torch.from_numpy(self.run.models.candidates).to(scores.device)
        scores[:, ~listed] = -torch.inf
        width = self.other.interactions.num_items
        told = scores.new_full((len(contexts), width), -torch.inf)
        told[:, : scores.shape[1]] = scores
        return told

    def _own(self, contexts: Contexts) -> Contexts:
        """The contexts in this run's codes, without events of items that it does not know."""
        log = self.run.interactions
        known = contexts.items <= log.num_items
        offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int64)[contexts.offsets]
        columns: dict[str, Any] = dict.fromkeys(("times", "events", "polarities"))
        columns |= {n: c[known] for n, c in along(contexts, "event") if n in log.columns}
        if (kinds := columns["events"]) is not None:
            columns["events"] = np.where(kinds < len(log.event_names), kinds, 0).astype(kinds.dtype)
        asked_at = None if log.times is None else contexts.request_times
        users = self._users[contexts.users]
        return replace(contexts, users=users, offsets=offsets, request_times=asked_at, **columns)

    @cached_property
    def _users(self) -> Int64s:
        """Code of each of the other run's users in this one; -1 for strangers."""
        codes = self.run.interactions.user_codes
        ids = self.other.interactions.user_ids.to_list()
        return np.array([codes.get(user, -1) for user in ids], np.int64)
