"""What a run shows of itself: what is popular, what is new, items by title, and histories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.polarity import CODES, polarities
from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer, Chosen
from tastemaker.run.histories import asker_given
from tastemaker.run.lists import best_items
from tastemaker.run.ranking import Request, items_of, rank_all
from tastemaker.run.similar import AllItems
from tastemaker.run.title_search import TitleSearch
from tastemaker.run.user_lists import codes_of
from tastemaker.run.wishes import PLAIN, Id, Wishes, id_of, undialled, unreasoned, whole

if TYPE_CHECKING:
    from tastemaker.run.opened import OpenedRun

LATEST = "latest"
"""What ranks by when items came."""
_POLARITY: dict[int, Polarity] = {CODES[name]: name for name in POLARITIES}


@dataclass(frozen=True)
class Happened:
    """An event of somebody's history, as the data have it."""

    item: str
    title: str
    time: int | None
    """seconds since 1970; None: the log has order alone"""
    kind: str
    value: float | None
    """such as a rating; None: the log has none"""
    polarity: Polarity
    """what it says of the item"""


@dataclass(frozen=True)
class Newest:
    """Items by when the log saw them first: a `Recommender` that says the same to everybody."""

    num_items: int

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) place of each item in the order in which they came, which their codes have."""
        return torch.arange(self.num_items, dtype=torch.float32).repeat(len(contexts), 1)


@dataclass(frozen=True, eq=False)
class Browsing:
    """A run that is looked through."""

    run: OpenedRun

    def popular(self, wishes: Wishes = PLAIN) -> Answer:
        """What most people chose.

        Raises:
            BadInput: If a wish cannot be meant, or would have no effect.
        """
        asker = asker_given(self.run, (), (), "")
        return rank_all(self.run, [Request(asker, unreasoned(wishes))])[0]

    def latest(self, wishes: Wishes = PLAIN) -> Answer:
        """What the log saw first last; its score is its place in the order in which items came.

        Raises:
            BadInput: If the log has no times, or a wish cannot be meant or would have no effect.
        """
        run = self.run
        if run.data.interactions.times is None:
            fix = "Train on a log with times, or ask for what is popular."
            raise BadInput("The log has no times, so nothing says what is new.", "latest", fix)
        choice = run.shelf.choice(undialled(unreasoned(wishes)))
        newest, nobody = Newest(run.interactions.num_items), Contexts.single([])
        items = items_of(run, best_items(newest, nobody, [], choice))
        said = ["These are the items that the data saw last.", *run.shelf.remarks(wishes, True)]
        complete = len(items) == wishes.k
        return Answer("", False, LATEST, " ".join(said), (), items, complete)

    def search(self, text: str, k: int = 10) -> tuple[Chosen, ...]:
        """Items by id or title: an id wins, then titles that begin so, hold the words, or are near.

        Args:
            text: What was typed; case, accents and signs do not count.
            k: Number of items, at least 1; of equally good ones those with more events come first.

        Raises:
            BadInput: If k cannot be meant.
        """
        most, items = whole(k, "k", least=1), self._items
        own = items.item_codes.get(text)
        rows = [row for row in self._titles.rows(text, most) if row + 1 != own]
        rows = [own - 1, *rows] if own else rows
        ids, titles = items.item_ids, self._titles.titles
        return tuple(Chosen(ids[row], titles[row]) for row in rows[:most])

    def history(self, user: Id) -> tuple[Happened, ...]:
        """All that a user did, oldest first; nothing of one whom the data does not have."""
        run, code = self.run, int(codes_of(self.run.data.interactions, [id_of(user)])[0])
        if code < 0:
            return ()
        log, ids = run.data.interactions, run.interactions.item_ids
        said, events = self._said, []
        for place in range(int(log.offsets[code]), int(log.offsets[code + 1])):
            item = int(log.items[place]) - 1
            events.append(
                Happened(
                    ids[item],
                    run.shelf.titles[item],
                    None if log.times is None else int(log.times[place]),
                    log.event_names[0 if log.events is None else int(log.events[place])],
                    None if log.values is None else _number(log.values[place]),
                    _POLARITY[int(said[place])],
                )
            )
        return tuple(events)

    @cached_property
    def _said(self) -> npt.NDArray[np.int8]:
        return polarities(self.run.data.interactions, self.run.data.declared)

    @cached_property
    def _items(self) -> AllItems:
        return AllItems.of(self.run.interactions.item_ids, self.run.data.catalog)

    @cached_property
    def _titles(self) -> TitleSearch:
        run, ids = self.run, self._items.item_ids
        titles = run.data.catalog.align(ids).titles()
        counts = np.bincount(run.interactions.items, minlength=len(ids) + 1)[1:]
        return TitleSearch(pl.Series(titles, dtype=pl.String), counts)


def _number(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)
