"""Where the other models of a run place the items of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tastemaker.run.answers import Answer
from tastemaker.serve.opened import Asked, Opened

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
    wishes = replace(asked.wishes, k=reach, because=False)
    names = [name for name in run.saved.models.names if name != listed.model]
    answers = run.rank([replace(asked, wishes=wishes, model=name) for name in names])
    found = {
        name: {item.item: rank for rank, item in enumerate(answer.items, start=1)}
        for name, answer in zip(names, answers, strict=True)
        if isinstance(answer, Answer)  # one has no such heads, say
    }
    return {
        item.item: tuple(
            (name, ranks[item.item]) for name, ranks in found.items() if item.item in ranks
        )
        for item in listed.items
    }
