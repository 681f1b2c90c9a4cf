"""Where the other models of a run place the items of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.ranking import Request
from tastemaker.serve.opened import Asked, Opened
from tastemaker.serve.web.next_items import asker_of

Elsewhere = Mapping[str, tuple[tuple[str, int], ...]]
"""Item → (model, its rank there), of the models that place it far enough up."""


def elsewhere(run: Opened, asked: Asked, listed: Answer, reach: int) -> Elsewhere:
    """Ranks of the items of a list by each other model, with the same wishes.

    Args:
        run: What answered.
        asked: What was asked.
        listed: The answer.
        reach: Ranks that are looked through.
    """
    asker, own = asker_of(run, asked), listed.model
    wishes = replace(asked.wishes, k=reach, because=False)
    found: dict[str, dict[str, int]] = {}
    for name in run.saved.models.names:
        if name == own:
            continue
        try:
            (answer,) = run.saved.rank_many([Request(asker, wishes, name)])
        except BadInput:  # it has no such heads, say
            continue
        found[name] = {item.item: rank for rank, item in enumerate(answer.items, start=1)}
    return {
        item.item: tuple(
            (name, ranks[item.item]) for name, ranks in found.items() if item.item in ranks
        )
        for item in listed.items
    }
