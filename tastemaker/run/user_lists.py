"""Users of a run → what is recommended to each: lists of codes, and tables of many users.

A user of whom nothing is known gets what is popular.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.run.lists import Choice, Lists, best_items, best_of_each

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

BATCH = 128
"""Users answered at a time."""
POPULARITY = "popularity"
"""What ranks for somebody of whom nothing is known."""

Codes = npt.NDArray[np.int64]
"""(B,) user codes; -1 for a user whom the data does not have."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What is known of B users, a row each."""

    chosen: Contexts
    """what they chose, oldest first"""
    refused: Contexts
    """what they are never shown"""

    @classmethod
    def of(cls, saved: OpenedRun, users: Codes) -> Rows:
        """Users of the run's own log, by code; nothing is known of -1."""
        return cls(rows_of(saved.interactions, users), rows_of(saved.refused, users))


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


def lists_of(saved: OpenedRun, rows: Rows, model: str, choice: Choice) -> Lists:
    """The best items of some users, all of them ranked by one model, and with one choice.

    Args:
        saved: The run.
        rows: What is known of them.
        model: Name of a model of the run.
        choice: What may be listed, and how much of it.

    Raises:
        BadInput: If the run has no such model.
        NumericFault: If a score is NaN or +infinite.
    """
    ranker = saved.ranker(model)
    return best_items(ranker.model, rows.chosen, _barred(saved, rows), choice, ranker.heads)


def lists_of_each(
    saved: OpenedRun, rows: Rows, model: str, choices: Sequence[Choice]
) -> list[Lists]:
    """As `lists_of`, with a choice for each user, all of one steering; lists of one row each."""
    ranker = saved.ranker(model)
    return best_of_each(ranker.model, rows.chosen, _barred(saved, rows), choices, ranker.heads)


def _barred(saved: OpenedRun, rows: Rows) -> list[Contexts]:
    """What each user is not shown."""
    return [rows.refused] if saved.config["repeats"] else [rows.refused, rows.chosen]


def intents_of(saved: OpenedRun, lists: Lists, user: Codes, place: Codes) -> list[str]:
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
    saved: OpenedRun, users: Sequence[str], model: str, choice: Choice
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
    saved: OpenedRun, users: Sequence[str], model: str, choice: Choice, titles: pl.Series
) -> pl.DataFrame:
    """The table of some users, whoever ranks for them."""
    codes = codes_of(saved.interactions, users)
    every = Rows.of(saved, codes)
    past = every.chosen.lengths > 0
    groups = [(np.flatnonzero(past), model), (np.flatnonzero(~past), POPULARITY)]
    rankings = []
    for rows, name in [group for group in groups if len(group[0])] or groups[1:]:
        some = Rows(every.chosen.take(rows), every.refused.take(rows))
        lists = lists_of(saved, some, name, choice)
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
