"""How a list moved: each item's place now and before, and what left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tastemaker.run.answers import Answer, Recommendation

Change = Literal["", "new", "up", "down"]


@dataclass(frozen=True)
class Place:
    """An item of a list."""

    rank: int
    """from 1"""
    item: Recommendation
    before: int | None
    """its rank before; None: it was not that far up, or nothing is compared"""
    change: Change
    """empty: it stands where it stood, or nothing is compared"""

    @property
    def moved(self) -> str:
        """How it moved, in words; empty where it did not."""
        if not self.change:
            return ""
        if self.before is None:
            return "new here"
        places = abs(self.before - self.rank)
        return f"{self.change} {places:,}" if self.change != "new" else f"new, was {self.before:,}"


@dataclass(frozen=True)
class Moves:
    """A list beside the one before."""

    places: tuple[Place, ...]
    gone: tuple[Recommendation, ...]
    """items of the list before that are not in this one, best first"""
    compared: bool

    def count(self, *changes: Change) -> int:
        """Items that changed so."""
        return sum(place.change in changes for place in self.places)

    @property
    def words(self) -> str:
        """How the list moved, as a sentence; empty where nothing is compared."""
        if not self.compared:
            return ""
        said = [
            f"{count:,} {name}"
            for name, count in (
                ("new", self.count("new")),
                ("up", self.count("up")),
                ("down", self.count("down")),
            )
            if count
        ]
        return f"{', '.join(said)}." if said else "The list stays as it was."


def placed(answer: Answer, first: int = 1) -> Moves:
    """A list that is compared with none.

    Args:
        answer: The list.
        first: Rank of its first item.
    """
    places = [Place(n, item, None, "") for n, item in enumerate(answer.items, start=first)]
    return Moves(tuple(places), (), False)


def moved(answer: Answer, before: Answer) -> Moves:
    """A list beside the one before.

    Args:
        answer: The list now.
        before: The list before, of the same wishes, as long or longer.
    """
    k = len(answer.items)
    ranks = {item.item: rank for rank, item in enumerate(before.items, start=1)}
    places = [_place(rank, item, ranks, k) for rank, item in enumerate(answer.items, start=1)]
    here = {item.item for item in answer.items}
    gone = [item for item in before.items[:k] if item.item not in here]
    return Moves(tuple(places), tuple(gone), True)


def _place(rank: int, item: Recommendation, ranks: dict[str, int], k: int) -> Place:
    before = ranks.get(item.item)
    if before is None or before > k:
        return Place(rank, item, before, "new")
    change: Change = "" if before == rank else "up" if rank < before else "down"
    return Place(rank, item, before, change)
