"""One user of a run → what to show: items with titles and scores, why these, and the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tastemaker.counts import counted
from tastemaker.run.answers import Answer, Chosen, Recommendation
from tastemaker.run.explained import explained, thinker_of
from tastemaker.run.user_lists import POPULARITY, codes_of, intents_of, lists_of, rows_of
from tastemaker.run.wishes import Id, Wishes, id_of, undialled

if TYPE_CHECKING:
    from tastemaker.run.saved import SavedRun

_CHOSEN = 10
"""Items of a history that are shown."""


def answer_user(
    saved: SavedRun, user: Id, wishes: Wishes, model: str = "", explain: bool = False
) -> Answer:
    """What a user gets, known or not.

    Args:
        saved: The run.
        user: User id as in the data.
        wishes: How many items, and which.
        model: A model of the run; empty: the one it recommends with.
        explain: Whether to add what was thought.

    Raises:
        BadInput: If a wish cannot be meant, a user, an item or a group is no id or name, or an
            explanation is wanted of a model that does not think.
    """
    user, choice = id_of(user), saved.shelf.choice(undialled(wishes))
    thinker = thinker_of(saved.models, saved.ranking(wishes, model)) if explain else None
    users = codes_of(saved.interactions, [user])
    past, known = rows_of(saved.interactions, users), bool(users[0] >= 0)
    name = saved.ranking(wishes, model) if len(past.items) else POPULARITY
    lists = lists_of(saved, users, name, choice)
    places = np.flatnonzero(lists.items[0])
    intents = intents_of(saved, lists, np.zeros_like(places), places)
    items = tuple(
        _item(saved, int(lists.items[0, place]), float(lists.scores[0, place]), intent)
        for place, intent in zip(places, intents, strict=True)
    )
    said = [_reason(known, name, len(past.items))]
    said += saved.shelf.remarks(wishes, not len(past.items))
    history = tuple(_chosen(saved, int(code)) for code in past.items[::-1][:_CHOSEN])
    complete = len(items) == wishes.k
    answer = Answer(user, known, name, " ".join(said), history, items, complete)
    return explained(answer, thinker, past, lists.items[0, places]) if thinker else answer


def _chosen(saved: SavedRun, code: int) -> Chosen:
    return Chosen(saved.interactions.item_ids[code - 1], saved.shelf.titles[code - 1])


def _item(saved: SavedRun, code: int, score: float, intent: str) -> Recommendation:
    labels, named = saved.catalog.frame["categories"][code - 1], _chosen(saved, code)
    categories = () if labels is None else tuple(labels)
    return Recommendation(named.item, named.title, round(score, 6), categories, intent=intent)


def _reason(known: bool, model: str, events: int) -> str:
    """Why these items, in words."""
    if not known:
        return "This user is not in the data; these are the most popular items."
    if not events:
        return "This user has chosen nothing in the data; these are the most popular items."
    return f"Ranked by {model} from {counted(events, 'event')} of this user."
