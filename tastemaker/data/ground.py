"""What every model is built on: the items of a log, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.groupings import Grouping

CATEGORY = "category"
"""Name of the grouping that a catalogue's categories are."""
EVENT = "event"
"""Name of the grouping that a log's kinds of event are."""
INTEREST = "interest"
"""Name of the grouping of users by what they verifiably like, where somebody has made it."""


@dataclass(frozen=True)
class Ground:
    """One value for all that the coming models ask for; each takes what it needs of it."""

    num_items: int
    """I"""
    catalog: Catalog = field(default_factory=Catalog.empty)
    """I rows, row i for item code i + 1; none where nothing is known about the items"""
    train: Contexts | None = None
    """training events, one row a user; None where a trained model is opened"""
    groupings: Mapping[str, Grouping] = field(default_factory=dict)
    """name → groups of the items, the kinds of event or the users; may be empty, as where a trained
    model is opened: what it needs of them it has kept"""
    unseen: Catalog = field(default_factory=Catalog.empty)
    """C rows: items of the catalogue that the log never saw, in its order; they have no code"""

    @classmethod
    def of(
        cls,
        item_ids: pl.Series,
        catalog: Catalog,
        train: Contexts | None = None,
        event_names: Sequence[str] = (),
    ) -> Ground:
        """What there is to train on.

        Args:
            item_ids: (I,) ids in code order.
            catalog: Any catalogue; where it has categories, they are a grouping.
            train: Training events, one row a user.
            event_names: The log's kinds of event; where there are some, they are a grouping.
        """
        aligned = catalog.align(item_ids)
        groupings = {}
        if aligned.frame["categories"].drop_nulls().list.len().sum():
            groupings[CATEGORY] = Grouping.from_categories(aligned, item_ids)
        if event_names:
            groupings[EVENT] = Grouping.from_event_names(event_names)
        return cls(len(item_ids), aligned, train, groupings, catalog.without(item_ids))
