"""Users of a run → what is recommended to each: lists of codes, and tables of many users.

A user of whom nothing is known gets what is popular.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.run.lists import Choice, Lists, best_items

if TYPE_CHECKING:
    from tastemaker.run.saved import SavedRun

BATCH = 128
"""Users answered at a time."""
POPULARITY = "popularity"
"""What ranks for somebody of whom nothing is known."""

Codes = npt.NDArray[np.int64]
"""(B,) user codes; -1 for a user whom the data does not have."""


def codes_of(log: Interactions, users: Sequence[str]) -> Codes:
    """The code of each user id in a log."""
    known = log.user_codes
    return np.array([known.get(user, -1) for user in users], np.int64)


def rows_of(log: Interactions, users: Codes) -> Contexts:
    """A row of a log for each user code; an empty one for -1."""
    known = np.maximum(users, 0)
    starts = log.offsets[known]
    ends = np.where(users < 0, starts, log.offsets[known + 1])
    return Contexts.gather(users, starts, ends, log.columns)


def lists_of(saved: SavedRun, users: Codes, model: str, choice: Choice) -> Lists:
    """The best items of some users, all of them ranked by one model.

    Args:
        saved: The run.
        users: Their codes.
        model: Name of a model of the run.
        choice: What may be listed, and how much of it.

    Raises:
        BadInput: If the run has no such model.
        NumericFault: If a score is NaN or +infinite.
    """
    contexts, barred = rows_of(saved.interactions, users), [rows_of(saved.refused, users)]
    if not saved.config["repeats"]:
        barred.append(contexts)
    _ = saved.remembering  # which the model reads from then on
    ranking, heads = saved.models.get(model), saved.models.heads_in(model)
    return best_items(ranking, contexts, barred, choice, heads)


def intents_of(saved: SavedRun, lists: Lists, user: Codes, place: Codes) -> list[str]:
    """What spoke for the items at some places of lists; empty where heads took no part.

    Args:
        saved: The run.
        lists: Lists of B users.
        user: (n,) rows of the lists.
        place: (n,) places in these rows.
    """
    if saved.shelf.heads is None or lists.heads is None:
        return [""] * len(user)
    return [saved.shelf.heads.intent(head) for head in lists.heads[user, place].tolist()]


def tables_of(
    saved: SavedRun, users: Sequence[str], model: str, choice: Choice
) -> Iterator[pl.DataFrame]:
    """Tables of at most `BATCH` users each, a row an item, as `SavedRun.recommend_all` has them.

    Args:
        saved: The run.
        users: Different user ids; of none there is one table without rows.
        model: Name of the model that ranks for users of whom something is known.
        choice: What may be listed, and how much of it.
    """
    titles = pl.Series(saved.shelf.titles, dtype=pl.String)
    starts = range(0, max(1, len(users)), BATCH)
    return (_table(saved, users[n : n + BATCH], model, choice, titles) for n in starts)


def _table(
    saved: SavedRun, users: Sequence[str], model: str, choice: Choice, titles: pl.Series
) -> pl.DataFrame:
    """The table of some users, whoever ranks for them."""
    codes = codes_of(saved.interactions, users)
    past = rows_of(saved.interactions, codes).lengths > 0
    groups = [(np.flatnonzero(past), model), (np.flatnonzero(~past), POPULARITY)]
    rankings = []
    for rows, name in [group for group in groups if len(group[0])] or groups[1:]:
        lists = lists_of(saved, codes[rows], name, choice)
        user, place = np.nonzero(lists.items)
        item = pl.Series(lists.items[user, place] - 1)
        columns = {
            "row": rows[user],
            "user_id": pl.Series(users, dtype=pl.String).gather(rows[user]),
            "known": codes[rows][user] >= 0,
            "rank": place + choice.first + 1,
            "item_id": saved.interactions.item_ids.gather(item),
            "title": titles.gather(item),
            "score": lists.scores[user, place].round(6),
            "model": pl.repeat(name, len(user), dtype=pl.String, eager=True),
        }
        if saved.shelf.heads is not None:
            columns["intent"] = pl.Series(intents_of(saved, lists, user, place), dtype=pl.String)
        rankings.append(pl.DataFrame(columns))
    return pl.concat(rankings).sort("row", "rank").drop("row")
