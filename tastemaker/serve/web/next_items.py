"""What comes next for somebody, as a page shows it: the list, why, and how it moved.

All of it is asked of one run, in the thread that ranks. What a model refuses, such as a group that
it has no heads for, stands in place of its list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tastemaker.errors import BadInput, TastemakerError
from tastemaker.run.answers import Answer
from tastemaker.run.explained import thinker_of
from tastemaker.run.wishes import Wishes
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.web.moves import Moves, moved, placed


@dataclass(frozen=True)
class NextItems:
    """A list, or why there is none."""

    model: str
    """that was asked"""
    answer: Answer | None
    moves: Moves
    problem: BadInput | None = None


_NONE = Moves((), (), False)


def next_items(run: Opened, asked: Asked, before: Asked | None = None) -> NextItems:
    """The best items for somebody.

    Args:
        run: What answers.
        asked: Who asks, and what they wish.
        before: The same before something happened, as many items or more; None: nothing is
            compared.
    """
    name = run.saved.model_name(asked.model)
    try:
        answer = _answer(run, asked)
        if before is None:
            return NextItems(name, answer, placed(answer))
        return NextItems(name, answer, moved(answer, _answer(run, before)))
    except BadInput as error:
        return NextItems(name, None, _NONE, error)


def without(told: Told, event: str) -> Told | None:
    """What was told of a user but for one event; None: it is not there."""
    left = tuple(one for one in told.events if one.event_id != event)
    return None if len(left) == len(told.events) else replace(told, events=left)


def _answer(run: Opened, asked: Asked) -> Answer:
    explain = (
        asked.wishes.because
        and _thinks(run, asked.wishes, asked.model)
        and len(run.asker(asked).context.items) > 0
    )
    (answer,) = run.rank([replace(asked, explain=explain)])
    if isinstance(answer, TastemakerError):
        raise answer
    return answer


def _thinks(run: Opened, wishes: Wishes, model: str) -> bool:
    """Whether thoughts take part in a ranking."""
    try:
        thinker_of(run.saved.models, run.saved.ranking(wishes, model))
    except BadInput:
        return False
    return True
