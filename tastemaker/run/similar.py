"""Items that go with an item: what people also engage with, what is really similar, and between.

A run whose model has two heads keeps the neighbours of every item in a table, which answers most
requests; what it does not say for certain is searched exactly. For any other run both heads are
counted when they are first asked. One head answers where the other knows nothing of the item; where
neither does, the answer is what is popular.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.errors import ArtefactError
from tastemaker.recommend.counted_heads import COUNTED, counted_heads
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import DIAL, Dialled, Neighbours, TwoHeaded
from tastemaker.recommend.neighbour_rows import KEPT, build_table
from tastemaker.recommend.neighbour_table import NeighbourTable
from tastemaker.run.answers import Answer, Chosen, Recommendation
from tastemaker.run.folder import INDEX, NEIGHBOURS
from tastemaker.run.item_index import index_of, keep_index, opened_index
from tastemaker.run.likeness import Likeness
from tastemaker.run.lists import Choice
from tastemaker.run.shelf import Shelf
from tastemaker.run.spread import POOL
from tastemaker.run.titles import Titles
from tastemaker.run.user_lists import rows_of
from tastemaker.run.wishes import PLAIN, Id, Wishes, id_of, unreasoned
from tastemaker.seams import Learned
from tastemaker.train.journal import LOG

if TYPE_CHECKING:
    from tastemaker.run.saved import SavedRun

LARGEST = 200_000
"""Items of which a table is made: the work grows with their square, to half an hour or so."""

ROWS = 20_000
"""Items whose neighbours stay in memory where no table was made: 30 MB."""


@dataclass(frozen=True)
class AllItems:
    """Items of a log in the order of their codes, then those of a catalogue that it never saw."""

    item_ids: pl.Series
    """(n,) ids"""

    @property
    def num_items(self) -> int:
        """Items, n."""
        return len(self.item_ids)

    @cached_property
    def item_codes(self) -> dict[str, int]:
        """Id → code, from 1."""
        return {item: code for code, item in enumerate(self.item_ids.to_list(), start=1)}

    @classmethod
    def of(cls, item_ids: pl.Series, catalog: Catalog) -> AllItems:
        """The items of a log and of any catalogue."""
        unseen = catalog.without(item_ids).frame["item_id"]
        return cls(pl.concat([item_ids.rename("item_id"), unseen]))


@dataclass(frozen=True, eq=False)
class Beside:
    """All n items of a run, ready to be asked from."""

    model: str
    shelf: Shelf
    """all of them, also those without events"""
    search: ItemSearch
    dial: float
    """the usual weight on relevance"""
    table: NeighbourTable | None
    """None: every answer is searched"""

    @classmethod
    def of(cls, saved: SavedRun) -> Beside:
        """The items of a run, with the table that it keeps, where it has one.

        A model that says what goes with an item is asked; for any other it is counted.

        Raises:
            ArtefactError: If the model or the table is of other items.
        """
        name, catalog = saved.models.neural_name, saved.data.catalog
        items = AllItems.of(saved.interactions.item_ids, catalog)
        aligned = catalog.align(items.item_ids)
        search = searched(saved.models.neural)
        if search is None:
            log = saved.interactions
            chosen = rows_of(log, np.arange(log.num_users))
            name, search = COUNTED, ItemSearch(counted_heads(chosen, log.num_items, aligned))
        if len(search) != items.num_items:
            what, fix = "The model is of other items", "Restore the run from a copy."
            want, holds = f"{items.num_items:,} items", f"{len(search):,}"
            raise ArtefactError(str(saved.path), what, want, holds, fix)
        path = saved.path / NEIGHBOURS
        table = NeighbourTable.open(path, len(search)) if path.exists() else None
        search = replace(search, index=opened_index(saved.path / INDEX, search))
        likeness = Likeness(search.heads.stored)
        shelf = Shelf(items, catalog, aligned, search.voices.listed, likeness=likeness)
        return cls(name, shelf, search, dial_of(saved.models.neural), table)

    @cached_property
    def names(self) -> Titles:
        """The items by id and title."""
        return Titles(self.shelf.log.item_ids, pl.Series(self.shelf.titles, dtype=pl.String))

    def answer(self, item: Id, wishes: Wishes) -> Answer:
        """What goes with an item; no items where neither head knows it.

        Raises:
            BadInput: If there is no such item, or several; or a wish names an unknown one.
        """
        choice = self.shelf.choice(unreasoned(wishes))
        text = id_of(item, "--item")
        code = self.shelf.log.item_codes.get(text)
        row = self.names.find(text) if code is None else code - 1
        wanted = self.dial if wishes.relevance is None else wishes.relevance
        near = self._apart(self._near(row, choice, wanted), choice)
        items = tuple(self._items(near, choice))
        asked, known = self._chosen(row), near.dial is not None
        said = [_reason(asked, wanted, near.dial), *self.shelf.remarks(wishes)]
        complete = len(items) == wishes.k
        return Answer("", known, self.model, " ".join(said), (), items, complete, asked, near.dial)

    def _near(self, row: int, choice: Choice, dial: float) -> Neighbours:
        """From the first place that is wanted or not, the best items beside one."""
        last = choice.first + choice.k
        count = min(last if choice.spread is None else max(last, POOL), len(self.search))
        allow = None if choice.wished is None else choice.wished.numpy()
        if choice.boosts is not None:
            return self.search.nearest(row, count, dial, allow, choice.boosts.numpy())
        if self.table is None and dial == self.dial and allow is None and count <= KEPT:
            near = self._remembered(row)
            items, engagement, relevance, used = near
            return Neighbours(items[:count], engagement[:count], relevance[:count], used)
        found = self.table.nearest(row, count, dial, allow) if self.table else None
        return self.search.nearest(row, count, dial, allow) if found is None else found

    @cached_property
    def _kept(self) -> dict[int, Neighbours]:
        """The neighbours at the usual dial of the rows that were asked from last."""
        return {}

    def _remembered(self, row: int) -> Neighbours:
        """The neighbours of a row at the usual dial; those of items that are asked for stay."""
        near = self._kept.get(row)
        if near is None:
            near = self.search.nearest(row, KEPT, self.dial)
            if len(self._kept) >= ROWS:
                self._kept.pop(next(iter(self._kept)))  # the one that has stood there longest
            self._kept[row] = near
        return near

    def at_once(self, item: Id, wishes: Wishes) -> bool:
        """Whether an answer is a look-up of microseconds, for which no thread need be asked."""
        row = self.shelf.log.item_codes.get(id_of(item, "--item"), 0) - 1
        plain = replace(wishes, k=2, offset=0) == replace(PLAIN, k=2)
        last = wishes.offset + wishes.k
        if row < 0 or not plain:
            return False
        return last <= self.table.sure[row] if self.table else row in self._kept and last <= KEPT

    def _apart(self, near: Neighbours, choice: Choice) -> Neighbours:
        """The same items as they are to be listed, where they are to lie apart."""
        if choice.spread is None:
            return near
        last, codes = choice.first + choice.k, near.items.astype(np.int64) + 1
        order = choice.spread.order(codes, _scores(near, choice), last)[:last]
        engagement, relevance = near.engagement[order], near.relevance[order]
        return Neighbours(near.items[order], engagement, relevance, near.dial)

    def _items(self, near: Neighbours, choice: Choice) -> list[Recommendation]:
        dial, scores = near.dial or 0.0, _scores(near, choice)
        labels, items = self.shelf.categories, []
        for place, row in list(enumerate(near.items.tolist()))[choice.first :]:
            parts = {
                "engagement": _shown((1 - dial) * float(near.engagement[place])),
                "relevance": _shown(dial * float(near.relevance[place])),
            }
            chosen, score = self._chosen(row), _shown(float(scores[place]))
            items.append(Recommendation(chosen.item, chosen.title, score, labels[row], parts))
        return items

    def _chosen(self, row: int) -> Chosen:
        return Chosen(self.shelf.ids[row], self.shelf.titles[row])


def _scores(near: Neighbours, choice: Choice) -> npt.NDArray[np.float64]:
    """(k,) what ranks items beside one, with what is favoured."""
    scores = near.scores.astype(float)
    return scores if choice.boosts is None else scores + choice.boosts.numpy()[near.items]


def answer_similar(saved: SavedRun, item: Id, wishes: Wishes) -> Answer:
    """What goes with an item of a run; what is popular where nothing is known of it.

    Raises:
        BadInput: If the run's model cannot say, the item is unknown or not the only one of its
            title, or a wish names an unknown item or group.
    """
    answer = saved.beside.answer(item, wishes)
    if answer.known or answer.item is None:
        return answer
    others = replace(wishes, relevance=None, deny=(*wishes.deny, answer.item.item))
    popular = saved.answer("", others)
    wanted = saved.beside.dial if wishes.relevance is None else wishes.relevance
    said = " ".join([_reason(answer.item, wanted, None), *saved.shelf.remarks(others)])
    return replace(popular, known=False, reason=said, item=answer.item)


def searched(model: Learned) -> ItemSearch | None:
    """The items of a model that has two heads; None for any other.

    Raises:
        NumericFault: If a vector of theirs is not finite.
    """
    return ItemSearch(model.item_heads()) if isinstance(model, TwoHeaded) else None


def dial_of(model: Learned) -> float:
    """The usual weight on relevance: that of the model's options, where they have one."""
    config = model.config
    return config.relevance if isinstance(config, Dialled) else DIAL


def keep_neighbours(model: Learned, run: Path) -> None:
    """Write the table of neighbours where a run's model has any, and an index where it pays.

    Raises:
        NumericFault: If a vector of an item is not finite.
    """
    search = searched(model)
    if search is None:
        return
    dial = dial_of(model)
    if index := index_of(search, dial):
        keep_index(index, run / INDEX)
        search = replace(search, index=index)
        LOG.info("an index of %s items: %s", f"{len(search):,}", index.calibration.kind)
    elif len(search) > LARGEST:
        LOG.info("%s items: no table of neighbours; each answer is searched", f"{len(search):,}")
        return
    LOG.info("the neighbours of %s items", f"{len(search):,}")
    build_table(search, dial=dial).save(run / NEIGHBOURS)


def _shown(number: float) -> float:
    return round(number, 6) + 0.0  # no -0.0


def _reason(item: Chosen, wanted: float, used: float | None) -> str:
    """Why these items, in words."""
    said = f"From {item.title} (id {item.item}):"
    if used is None:
        return f"{said} neither its events nor its content are known; these are popular items."
    if used == wanted:
        return f"{said} engagement counts {1 - used:.2g}, relevance {used:.2g}."
    if used == 1:
        return (
            f"{said} it has no events beside other items to learn from, so relevance alone ranks."
        )
    return f"{said} nothing is known of its content, so engagement alone ranks."
