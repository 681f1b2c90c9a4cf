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
from tastemaker.run.lists import Choice
from tastemaker.run.wishes import Wishes

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

    @cached_property
    def titles(self) -> list[str]:
        """(I,) a name to show for each item."""
        return self.aligned.titles()

    @cached_property
    def grouping(self) -> Grouping:
        """Items by category.

        Raises:
            BadInput: If the catalogue has no categories.
        """
        return Grouping.from_categories(self.aligned, self.log.item_ids)

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
            BadInput: If an item or a group is unknown, or a group is boosted twice.
        """
        allow = None if wishes.allow is None else self._listed(map(str, wishes.allow), "--allow")
        deny = ~self._listed(map(str, wishes.deny), "--deny") if wishes.deny else None
        only = [self._members(name, "--only") for name in wishes.only]
        masks = [mask for mask in (allow, deny) if mask is not None]
        masks += [torch.stack(only).any(0)] if only else []
        return Choice(
            torch.from_numpy(self.candidates),
            torch.stack(masks).all(0) if masks else None,
            self._boosts(wishes) if wishes.boost else None,
            wishes.offset,
            wishes.k,
        )

    def remarks(self, wishes: Wishes) -> list[str]:
        """What an answer should say of its wishes, a sentence each."""
        remarks = []
        if wishes.only:
            remarks.append(f"Only from: {self._spelt(wishes.only)}.")
        if wishes.boost:
            remarks.append(f"Favoured groups: {self._spelt(wishes.boost)}.")
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
        codes = self.log.item_codes
        listed = torch.zeros(self.log.num_items, dtype=torch.bool)
        listed[[codes[item] - 1 for item in ids if item in codes]] = True
        return listed

    def _members(self, group: str, where: str) -> Tensor:
        return torch.from_numpy(self.grouping.members(self.grouping.code(group, where)))

    def _spelt(self, groups: Iterable[str]) -> str:
        """Some groups as the data call them, each once."""
        names = (self.grouping.names[self.grouping.code(group)] for group in groups)
        return ", ".join(dict.fromkeys(names))

    def _boosts(self, wishes: Wishes) -> Tensor:
        """(I,) float64 sum of the weights of each item's groups."""
        total = torch.zeros(self.log.num_items, dtype=torch.float64)
        groups: dict[int, str] = {}
        for name, weight in wishes.boost.items():
            twin = groups.setdefault(self.grouping.code(name, "--boost"), name)
            if twin != name:
                what = f"{twin!r} and {name!r} are one group, boosted twice."
                raise BadInput(what, "--boost", "Boost each group once.")
            total += weight * self._members(name, "--boost")
        return total
