"""What the page of an item shows of it: the catalogue's words, and how much happened when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.polarity import polarities
from tastemaker.run.saved import SavedRun
from tastemaker.serve.pictures import ItemPictures
from tastemaker.serve.web.strip import Strip, strip_of

_WORDS = {"text": "Text", "image": "Image", "video": "Video"}
"""Column of the catalogue beside title and categories → what it is called."""


@dataclass(frozen=True)
class ItemView:
    """An item."""

    item: str
    title: str
    categories: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    """(name, text) of what else the catalogue says"""
    events: int
    """of the run's log"""
    users: int
    """different ones whose events these are"""
    against: int
    """events that speak against it"""
    strip: Strip | None


@dataclass(frozen=True, eq=False)
class ItemViews:
    """The items of a run, to be looked at."""

    saved: SavedRun
    said: npt.NDArray[np.int8]
    """(N,) what each event of the whole log says of its item"""
    pictures: ItemPictures | None = None
    """those that are shown, whose paths need not be"""

    @classmethod
    def of(cls, saved: SavedRun, pictures: ItemPictures | None = None) -> ItemViews:
        """Those of a run."""
        return cls(saved, polarities(saved.data.interactions, saved.data.declared), pictures)

    def item(self, item: str) -> ItemView:
        """An item that the log or the catalogue has.

        Args:
            item: Its id.
        """
        saved, log = self.saved, self.saved.data.interactions
        row = self._row(item)
        title = str(row.get("title") or "").strip() or item
        seen = self.pictures is not None and item in self.pictures
        said = {n: label for n, label in _WORDS.items() if not (seen and n == "image")}
        words = tuple((label, str(row[name])) for name, label in said.items() if row.get(name))
        categories = row.get("categories")
        code = saved.data.interactions.item_codes.get(item)
        places = np.empty(0, np.int64) if code is None else np.flatnonzero(log.items == code)
        users = np.unique(np.searchsorted(log.offsets, places, side="right"))
        likes = (self.said[places] > 0).tolist()
        strip = None if log.times is None else strip_of(log.times[places].tolist(), likes)
        return ItemView(
            item,
            title,
            tuple(map(str, categories)) if isinstance(categories, list) else (),
            words,
            len(places),
            len(users),
            len(places) - sum(likes),
            strip,
        )

    def _row(self, item: str) -> dict[str, object]:
        """What the catalogue says; empty where it does not have the item."""
        found = self.saved.data.catalog.frame.filter(pl.col("item_id") == item)
        return found.row(0, named=True) if len(found) else {}
