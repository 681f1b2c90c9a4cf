"""Lists of items that are the same for everybody: what is popular and what is new, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer, Chosen
from tastemaker.run.wishes import Wishes
from tastemaker.serve.opened import Opened

LISTED = 20
"""Items of a page."""


@dataclass(frozen=True)
class ItemLists:
    """One page of each list; hidden items are among them."""

    popular: Answer
    latest: Answer | None
    """None: the log has no times"""
    number: int
    """of the page, from 1"""
    after: int | None
    """the page after; None: there is none"""

    @property
    def first(self) -> int:
        """Place of the first item of the page."""
        return (self.number - 1) * LISTED + 1


def item_lists(run: Opened, number: int, most: int) -> ItemLists:
    """One page of each list.

    Args:
        run: Whose items they are.
        number: Of the page, from 1.
        most: Items that an answer may reach to.

    Raises:
        BadInput: If the page lies beyond that.
    """
    k = min(LISTED, most)
    offset, browse = (number - 1) * k, run.saved.browse
    if offset + k > most:
        raise BadInput("The lists do not go on that far.", "page", "Look for items by title.")
    wishes = Wishes(k, offset)
    popular = browse.popular(wishes)
    after = number + 1 if popular.complete and offset + 2 * k <= most else None
    timed = run.saved.data.interactions.times is not None
    return ItemLists(popular, browse.latest(wishes) if timed else None, number, after)


def named(run: Opened, items: Sequence[str]) -> list[Chosen]:
    """Items by their titles; those that the log does not have by their ids.

    Args:
        run: Whose titles they are.
        items: Ids.
    """
    codes, titles = run.saved.interactions.item_codes, run.saved.shelf.titles
    return [Chosen(one, titles[codes[one] - 1] if one in codes else one) for one in items]
