"""A few users of a run by title: what they chose, what came next, what was recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.run.profile import Profiler
from tastemaker.seams import Headed, Reasoning

INTERESTS = 6
USERS = 3
ITEMS = 10


@dataclass(frozen=True)
class Known:
    """What is known of users and items that examples are made of."""

    log: Interactions
    """the log that queries were made from"""
    catalog: Catalog
    """titles, aligned with the item codes"""
    refused: Interactions
    """the same users with the items that each refused, which nobody is shown"""
    profiler: Profiler | None = None
    """what tells their interests; None: these are not shown"""


def examples(
    measured: Evaluation,
    queries: Queries,
    known: Known,
    users: int = USERS,
    heads: Headed | None = None,
    thinker: Reasoning | None = None,
) -> list[JsonObject]:
    """A few users spread over the log.

    Args:
        measured: What a model did on the queries.
        queries: Contexts and targets.
        known: What is known of their users and items.
        users: How many.
        heads: The model with named heads that took part in the ranking, to say which spoke.
        thinker: The model that thinks, whether it ranked or not, to say what it thought.
    """
    log, refused = known.log, known.refused
    titles, categories = known.catalog.titles(), known.catalog.frame["categories"].to_list()
    named = heads.head_names if heads else ()

    def shown(row: int) -> JsonObject:
        context = queries.contexts.slice(row, row + 1).items
        bounds = queries.target_offsets
        user = int(measured.users[row])
        offered = measured.lists[row][~np.isin(measured.lists[row], [0, *refused.history(user)])]
        targets = queries.target_items[bounds[row] : bounds[row + 1]]
        intents = _intents(heads, named, queries.contexts.slice(row, row + 1), offered[:ITEMS])
        return {
            "user": log.user_ids[user],
            **_thoughts(thinker, queries.contexts.slice(row, row + 1)),
            **_likes(known, log.user_ids[user], log.decode(targets)),
            "history": [titles[code - 1] for code in context[::-1][:ITEMS]],
            "held_out": [titles[code - 1] for code in targets],
            "recommendations": [
                {
                    "item": log.item_ids[int(code) - 1],
                    "title": titles[code - 1],
                    "categories": categories[code - 1] or [],
                    "hit": bool(code in targets),
                    **intent,
                }
                for code, intent in zip(offered[:ITEMS], intents, strict=True)
            ],
        }

    return [shown(int(row)) for row in _rows(len(queries), users)]


def _likes(known: Known, user: str, hidden: Sequence[str]) -> JsonObject:
    """What a user likes as far as models could know it; nothing where nothing names it."""
    if known.profiler is None:
        return {}
    found = known.profiler.of_user(user, hidden).first(INTERESTS)
    return {"profile": found.to_json()} if found.interests or found.dislikes else {}


def _thoughts(thinker: Reasoning | None, context: Contexts) -> JsonObject:
    """What a model thought about a user; nothing of one that does not think."""
    if thinker is None or not thinker.thinks:
        return {}
    return {"thoughts": [asdict(thought) for thought in thinker.thoughts(context)[0]]}


@torch.inference_mode()
def _intents(
    heads: Headed | None, names: Sequence[str], context: Contexts, codes: npt.NDArray[np.int32]
) -> list[dict[str, str]]:
    """For each item code, what spoke for it; nothing where a model without heads ranked."""
    if heads is None:
        return [{}] * len(codes)
    speakers = heads.spoken(context)[1][0].tolist()
    said = [speakers[code - 1] for code in codes.tolist()]
    return [{"intent": names[head] if head >= 0 else ""} for head in said]


def _rows(count: int, users: int) -> npt.NDArray[np.int64]:
    """Rows spread evenly, neither the first nor the last of many."""
    return np.unique(np.linspace(0, count - 1, users + 2).astype(np.int64)[1:-1])
