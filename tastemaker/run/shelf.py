"""The items of a run that a request can choose from: ids and names → what may be listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from tastemaker.counts import by_count, counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.run.likeness import Likeness
from tastemaker.run.lists import Choice
from tastemaker.run.spread import Spread
from tastemaker.run.steering import Named, NamedHeads, Names, listed
from tastemaker.run.wishes import Wishes
from tastemaker.seams import Steering

_NAMED = 10
"""Unknown items that a message names."""


class CodedItems(Protocol):
    """Items with codes from 1: those of a log."""

    @property
    def item_ids(self) -> pl.Series:
        """(I,) ids in the order of their codes."""
        ...

    @property
    def item_codes(self) -> dict[str, int]:
        """Id → code."""
        ...

    @property
    def num_items(self) -> int:
        """I."""
        ...


@dataclass(frozen=True)
class Shelf:
    """I items with their catalogue."""

    log: CodedItems
    catalog: Catalog
    """every item of the data, also those that the log never saw"""
    aligned: Catalog
    """its rows in the order of the item codes"""
    candidates: npt.NDArray[np.bool_]
    """(I,) items with training events: the ones that may be recommended"""
    heads: NamedHeads | None = None
    """heads that a request can name; None: the run's model has none"""
    likeness: Likeness | None = None
    """which items are alike; None: nothing says"""

    @cached_property
    def titles(self) -> list[str]:
        """(I,) a name to show for each item."""
        return self.aligned.titles()

    @cached_property
    def ids(self) -> list[str]:
        """(I,) ids; a list, from which ten are taken in no time."""
        return [str(item) for item in self.log.item_ids.to_list()]

    @cached_property
    def categories(self) -> list[tuple[str, ...]]:
        """(I,) categories of each item; none where nothing is known of it."""
        return [tuple(names or ()) for names in self.aligned.frame["categories"].to_list()]

    @cached_property
    def grouping(self) -> Grouping:
        """Items by category.

        Raises:
            BadInput: If the catalogue has no categories.
        """
        return Grouping.from_categories(self.aligned, self.log.item_ids)

    @cached_property
    def names(self) -> Names:
        """What a request can name.

        Raises:
            BadInput: If there is nothing.
        """
        try:
            categories = self.grouping
        except BadInput:
            if self.heads is None:
                raise
            return Names(None, self.heads)
        return Names(categories, self.heads)

    @cached_property
    def without_events(self) -> frozenset[str]:
        """Ids of items of the catalogue that the log never saw: no model of a run can rank them."""
        return frozenset(self.catalog.frame["item_id"].to_list()) - self.log.item_codes.keys()

    def unknown(self, items: Iterable[str]) -> list[str]:
        """Those of some item ids that neither the log nor the catalogue has."""
        known = self.log.item_codes
        return [i for i in items if i not in known and i not in self.without_events]

    def choice(self, wishes: Wishes) -> Choice:
        """What a request allows and favours.

        Raises:
            BadInput: If an item or a group is unknown, or a group is boosted twice, or no head is
                of all the groups that are named.
        """
        allow = None if wishes.allow is None else self._listed(map(str, wishes.allow), "--allow")
        deny = ~self._listed(map(str, wishes.deny), "--deny") if wishes.deny else None
        hidden = ~self._known(map(str, wishes.hidden)) if wishes.hidden else None
        only, boosts = self._only(wishes), self._boosts(wishes)
        members = [self._members(group) for group in only if not group.axis]
        masks = [mask for mask in (allow, deny, hidden) if mask is not None]
        masks += [torch.stack(members).any(0)] if members else []
        favoured = {group: weight for group, weight in boosts.items() if not group.axis}
        return Choice(
            torch.from_numpy(self.candidates),
            torch.stack(masks).all(0) if masks else None,
            self._added(favoured) if favoured else None,
            wishes.offset,
            wishes.k,
            self._steering(only, boosts),
            self._spread(wishes.diversify) if wishes.diversify else None,
        )

    def remarks(self, wishes: Wishes, popular: bool = False) -> list[str]:
        """What an answer should say of its wishes, a sentence each.

        Args:
            wishes: The wishes.
            popular: Whether what is popular ranked, for want of a history that heads could read.
        """
        remarks = []
        only, boosts = self._only(wishes), self._boosts(wishes)
        if members := [group for group in only if not group.axis]:
            remarks.append(f"Only from: {_spelt(members)}.")
        if favoured := [group for group in boosts if not group.axis and boosts[group] >= 0]:
            remarks.append(f"Favoured groups: {_spelt(favoured)}.")
        if avoided := [group for group in boosts if not group.axis and boosts[group] < 0]:
            remarks.append(f"Less of: {_spelt(avoided)}.")
        speaking = [group for group in only if group.axis]
        louder = [group for group in boosts if group.axis]
        if popular and (speaking or louder):
            heads = _spelt([*speaking, *louder])
            remarks.append(f"Heads speak from a history, so {heads} could not be asked.")
        elif speaking or louder:
            if speaking:
                remarks.append(f"Only what {listed(speaking, ' and ')} heads say.")
            if louder:
                remarks.append(f"Favoured heads: {_spelt(louder)}.")
        allowed, codes = set(map(str, wishes.allow or ())), self.log.item_codes
        bare = sum(not (i in codes and self.candidates[codes[i] - 1]) for i in allowed)
        if bare:
            remarks.append(
                f"{bare:,} of {counted(len(allowed), 'allowed item')} "
                f"{by_count(bare, 'has', 'have')} no training events and cannot be recommended."
            )
        return remarks

    def _listed(self, items: Iterable[str], where: str) -> Tensor:
        """(I,) true for those of the items that the log has."""
        ids = list(items)
        if unknown := self.unknown(ids):
            some = ", ".join(map(repr, unknown[:_NAMED]))
            more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
            what = f"Listed items that this run does not know: {some}{more}."
            raise BadInput(what, where, "Use ids as they are written in the data.")
        return self._known(ids)

    def _known(self, items: Iterable[str]) -> Tensor:
        """(I,) true for those of the items that the log has, whatever the others are."""
        codes = self.log.item_codes
        known = torch.zeros(self.log.num_items, dtype=torch.bool)
        known[[codes[item] - 1 for item in items if item in codes]] = True
        return known

    def _spread(self, weight: float) -> Spread:
        if self.likeness is None:
            fix = "Leave it out, or ask a run of a model that knows items by vectors."
            raise BadInput("Nothing says which of these items are alike.", "--diversify", fix)
        return Spread(weight, self.likeness.vectors)

    def steers(self, wishes: Wishes) -> bool:
        """Whether a request names heads, so that their model ranks.

        Raises:
            BadInput: If it names an unknown group.
        """
        return any(group.axis for group in (*self._only(wishes), *self._boosts(wishes)))

    def _only(self, wishes: Wishes) -> list[Named]:
        """The groups that a request is for, each once."""
        return list(dict.fromkeys(self.names.find(name, "--only") for name in wishes.only))

    def _boosts(self, wishes: Wishes) -> dict[Named, float]:
        """The groups that a request favours, and by how much."""
        weights: dict[Named, float] = {}
        twins: dict[Named, str] = {}
        for name, weight in wishes.boost.items():
            group = self.names.find(name, "--boost")
            if group in twins:
                what = f"{twins[group]!r} and {name!r} are one group, boosted twice."
                raise BadInput(what, "--boost", "Boost each group once.")
            weights[group], twins[group] = weight, name
        return weights

    def _steering(self, only: list[Named], boosts: dict[Named, float]) -> Steering | None:
        """What is asked of heads; None: nothing."""
        if self.heads is None:
            return None
        louder = {group: weight for group, weight in boosts.items() if group.axis}
        return self.heads.steering([group for group in only if group.axis], louder)

    def _members(self, category: Named) -> Tensor:
        return torch.from_numpy(self.grouping.members(category.code))

    def _added(self, boosts: dict[Named, float]) -> Tensor:
        """(I,) float64 sum of the weights of each item's categories."""
        total = torch.zeros(self.log.num_items, dtype=torch.float64)
        for category, weight in boosts.items():
            total += weight * self._members(category)
        return total


def _spelt(groups: Iterable[Named]) -> str:
    """Some groups as the data call them, each once."""
    return ", ".join(dict.fromkeys(group.name for group in groups))
