"""Heads of a run's neural model: what each learned from, and how often it speaks on the test."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.metrics.headline import K
from tastemaker.options import HEADLINE
from tastemaker.seams import Headed, HeadFacts, Learned

USERS = 2_000
"""Test users that are asked at most, spread over all."""
KEPT = 200
"""Heads that are recorded one by one at most, those that speak most."""
NAMED = 20
"""Groups of an axis that are named at most."""
_CHUNK = 64
"""Users scored at a time."""

Int64s = npt.NDArray[np.int64]


def heads_of_run(model: Learned, cuts: Split, measured: Evaluation) -> JsonObject:
    """What results say of a model's heads; nothing of a model without.

    Args:
        model: A trained model.
        cuts: What it was trained and measured on.
        measured: What it did on the test events.

    Returns:
        users (asked), count (heads), parameters (of the heads, of the backbone), axes (each with
        how many groups and the names of the first), untrained (axis → groups that no training
        event was of), other (axis → count, members, of: those in no group but `other`), heads: a
        row each with name, items (that it knows; None: all), targets (it learned from), weight (in
        the loss), share (of the final ten items of the users), ndcg@10 (of users whose next item it
        speaks for; None: nobody's) and how many these are.
    """
    if not isinstance(model, Headed):
        return {}
    model.train(False)
    facts, names = model.head_facts(cuts.train()), model.head_names
    queries = cuts.queries("test")
    count = len(queries)
    rows = np.unique(np.linspace(0, count - 1, min(count, USERS)).astype(np.int64))
    speaking, next_item = _speaking(
        model, queries.take(rows), measured.lists[rows, :K].astype(np.int64)
    )
    said = np.bincount(speaking[speaking >= 0], minlength=len(names))
    asked = np.bincount(next_item[next_item >= 0], minlength=len(names))
    ndcg = measured.per_user[HEADLINE][rows][next_item >= 0]
    gained = np.bincount(next_item[next_item >= 0], ndcg, minlength=len(names))
    module = cast(nn.Module, model)  # which every trained model is
    whole = sum(parameter.numel() for parameter in module.parameters())
    loud = np.argsort(-said, kind="stable")[:KEPT].tolist()
    return {
        "users": len(rows),
        "count": len(names),
        "parameters": {"heads": facts.parameters, "backbone": whole - facts.parameters},
        "axes": {
            axis: {"count": len(groups), "groups": groups[:NAMED]}
            for axis, groups in model.intents.items()
        },
        "untrained": _untrained(model, facts),
        "other": {
            axis: {"count": count, "members": members, "of": of}
            for axis, (count, members, of) in facts.other.items()
        },
        "heads": [
            {
                "name": names[head],
                "items": _some(int(facts.items[head]), cuts.interactions.num_items),
                "targets": int(facts.targets[head]),
                "weight": float(facts.weights[head]),
                "share": float(said[head] / max(1, said.sum())),
                HEADLINE: float(gained[head] / asked[head]) if asked[head] else None,
                "users": int(asked[head]),
            }
            for head in loud
        ],
    }


def _some(items: int, of: int) -> int | None:
    return items if items < of else None


@torch.inference_mode()
def _speaking(model: Headed, queries: Queries, lists: Int64s) -> tuple[Int64s, Int64s]:
    """Head that speaks for each item of (Q, k) lists and (Q,) for the next item; -1: none."""
    listed, wanted = [], []
    targets = queries.target_items[queries.target_offsets[:-1]].astype(np.int64)
    for start in range(0, len(queries), _CHUNK):
        own = slice(start, start + _CHUNK)
        speakers = model.spoken(queries.contexts.slice(start, start + _CHUNK))[1].cpu().numpy()
        codes = lists[own]
        heads = np.take_along_axis(speakers, np.maximum(codes - 1, 0), 1)
        listed.append(np.where(codes > 0, heads, -1))
        wanted.append(np.take_along_axis(speakers, targets[own, None] - 1, 1)[:, 0])
    return np.concatenate(listed), np.concatenate(wanted)


def _untrained(model: Headed, facts: HeadFacts) -> dict[str, list[str]]:
    """Axis → its groups whose heads learned from nothing."""
    bare = {
        axis: [
            name
            for group, name in enumerate(names)
            if not facts.targets[model.heads_of(axis, group).cpu()].any()
        ]
        for axis, names in model.intents.items()
    }
    return {axis: names for axis, names in bare.items() if names}
