"""Who asks, and what they wish → answers: the one path behind command line, Python and server.

Requests are answered together where one model ranks for them, each as if it were alone; sums over a
batch may differ in their last bits from those over one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tastemaker.counts import by_count, counted
from tastemaker.data.contexts import Contexts
from tastemaker.run.answers import Answer, Chosen, Recommendation
from tastemaker.run.because import reasons_of
from tastemaker.run.explained import Thinker, explained, thinker_of
from tastemaker.run.histories import Asker
from tastemaker.run.lists import Choice, Lists
from tastemaker.run.user_lists import POPULARITY, Rows, intents_of, lists_of_each
from tastemaker.run.wishes import Wishes, undialled

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

TOGETHER = 64
"""Requests that are answered in one pass."""
_SHOWN = 10
"""Items of a history that an answer shows."""


@dataclass(frozen=True, eq=False)
class Request:
    """One request."""

    asker: Asker
    wishes: Wishes = Wishes()
    model: str = ""
    """a model of the run; empty: the one it recommends with"""
    explain: bool = False
    """whether to add what the model thought"""


@dataclass(frozen=True, eq=False)
class _Task:
    """A request that can be answered: what ranks, and what may be listed."""

    request: Request
    model: str
    choice: Choice
    thinker: Thinker | None

    @classmethod
    def of(cls, saved: OpenedRun, request: Request) -> _Task:
        """Check a request.

        Raises:
            BadInput: If the run has no such model, a wish cannot be meant, or an explanation is
                wanted of a model that does not think.
        """
        wishes = undialled(request.wishes)
        choice, past = saved.shelf.choice(wishes), len(request.asker.context.items)
        name = saved.ranking(wishes, request.model) if past or request.explain else POPULARITY
        thinker = thinker_of(saved.models, name) if request.explain else None
        return cls(request, name if past else POPULARITY, choice, thinker)

    @property
    def asker(self) -> Asker:
        """Who asks."""
        return self.request.asker


def rank_all(saved: OpenedRun, requests: Sequence[Request]) -> list[Answer]:
    """Answers to requests, in their order; all are checked before the first is answered.

    Raises:
        BadInput: If the run has no such model, or a wish cannot be meant.
        NumericFault: If a score is NaN or +infinite.
    """
    tasks = [_Task.of(saved, request) for request in requests]
    groups: dict[tuple[str, int], list[int]] = {}
    for place, task in enumerate(tasks):
        # Steered heads answer one request at a time.
        alone = -1 if task.choice.steering is None else place
        groups.setdefault((task.model, alone), []).append(place)
    answers: dict[int, Answer] = {}
    for (model, _), places in groups.items():
        for start in range(0, len(places), TOGETHER):
            some = places[start : start + TOGETHER]
            rows = _rows([tasks[place].asker for place in some])
            every = lists_of_each(saved, rows, model, [tasks[place].choice for place in some])
            for place, lists in zip(some, every, strict=True):
                answers[place] = _answer(saved, tasks[place], lists)
    return [answers[place] for place in range(len(tasks))]


def _rows(askers: Sequence[Asker]) -> Rows:
    chosen = Contexts.joined([asker.context for asker in askers])
    ends = np.cumsum([0, *(len(asker.refused) for asker in askers)])
    refused = np.concatenate([asker.refused for asker in askers])
    return Rows(chosen, Contexts(chosen.users, ends.astype(np.int64), refused))


def _answer(saved: OpenedRun, task: _Task, lists: Lists) -> Answer:
    asker, wishes = task.asker, task.request.wishes
    past = asker.context.items
    items = items_of(saved, lists)
    codes = lists.items[0][lists.items[0] > 0]
    if wishes.because and len(past):
        items = reasons_of(saved, task.model, asker.context, task.choice, codes, items)
    said = [_reason(asker, task.model), *_passed_over(asker)]
    said += saved.shelf.remarks(wishes, not len(past))
    reason = " ".join(said)
    history = tuple(chosen(saved, int(code)) for code in past[::-1][:_SHOWN])
    complete = len(items) == wishes.k
    answer = Answer(asker.user, asker.known, task.model, reason, history, items, complete)
    return explained(answer, task.thinker, asker.context, codes) if task.thinker else answer


def items_of(saved: OpenedRun, lists: Lists) -> tuple[Recommendation, ...]:
    """The items of lists of one row, as they are shown."""
    places = np.flatnonzero(lists.items[0])
    codes, scores = lists.items[0, places], lists.scores[0, places]
    intents = intents_of(saved, lists, np.zeros_like(places), places)
    ids, titles, labels = saved.shelf.ids, saved.shelf.titles, saved.shelf.categories
    return tuple(
        Recommendation(ids[row], titles[row], round(score, 6), labels[row], intent=intent)
        for row, score, intent in zip((codes - 1).tolist(), scores.tolist(), intents, strict=True)
    )


def chosen(saved: OpenedRun, code: int) -> Chosen:
    """An item by its code."""
    return Chosen(saved.shelf.ids[code - 1], saved.shelf.titles[code - 1])


def _reason(asker: Asker, model: str) -> str:
    """Why these items, in words."""
    events = len(asker.context.items)
    if events:
        if asker.given:
            return f"Ranked by {model} from {counted(events, 'event')} that came with the request."
        return f"Ranked by {model} from {counted(events, 'event')} of this user."
    popular = "these are the most popular items."
    if asker.given:
        if not asker.events:
            return f"Nothing that was chosen came with the request; {popular}"
        return f"Nothing that came with the request is a choice of a known item; {popular}"
    if asker.known:
        return f"This user has chosen nothing in the data; {popular}"
    return f"This user is not in the data; {popular}"


def _passed_over(asker: Asker) -> list[str]:
    """What is to be said of events with unknown items."""
    if not asker.unknown:
        return []
    of = f"{asker.unknown:,} of {counted(asker.events, 'given event')}"
    verbs = by_count(asker.unknown, "is of an item", "are of items")
    passed = by_count(asker.unknown, "was", "were")
    return [f"{of} {verbs} that this run does not know, and {passed} passed over."]
