"""Next-item models across silos: what federated training asks of one.

A model that knows items by id is shared but for what is `private`; rows of its item table may be
averaged over the silos that saw them. Its classes are groups of items from public metadata, never
from what users of several silos did together.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.counts import counted
from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Contexts, Int64s
from tastemaker.data.groupings import Grouping
from tastemaker.data.problems import shown
from tastemaker.errors import BadInput
from tastemaker.nn.next_item import IdModel
from tastemaker.seams import Outputs

TABLE = "items.weight"
"""Name of the item table in a model that knows items by id."""
ABSENT = -1e4
"""Logit of what does not compete: no share of any softmax, and still finite."""


class FederatedItems(nn.Module):
    """A next-item model as clients train it; implements `Federable` and `Grouped`."""

    groups: Tensor
    """(I,) int64 group of each item; no weight, so that it is never sent."""

    def __init__(
        self,
        model: IdModel,
        groups: Grouping,
        private: Collection[str] = (),
        row_wise: bool = True,
    ) -> None:
        """Take a model.

        Args:
            model: SASRec, eSASRec or HSTU.
            groups: Its items in some 10 to 50 groups, the same at every silo. An item of several
                counts to the smallest.
            private: Names of its modules or parameters that never leave a silo, such as
                `final_norm`.
            row_wise: Average each row of the item table over the silos that saw the item; else
                as all other weights.

        Raises:
            BadInput: If the model has no such part, or the groups are of other items.
        """
        super().__init__()
        if groups.of != "items" or groups.num_members != model.num_items:
            members = counted(groups.num_members, groups.of.removesuffix("s"))
            what = f"The groups are of {members}, the model of {counted(model.num_items, 'item')}."
            raise BadInput(what, "groups", "Group the items of the silos' shared catalogue.")
        self.model, self.groups = model, torch.from_numpy(smallest_groups(groups))
        self.private = _within(model, private)
        self.by_row = frozenset({f"model.{TABLE}"} - self.private if row_wise else ())

    def forward(self, batch: Batch) -> Tensor:
        """The model's own loss: sum over targets / `target_count`."""
        return self.model.loss(batch)

    loss = forward

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> NextItemBatches:
        """Steps of training events as the model wants them."""
        return self.model.batches(train, rows, seed)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item."""
        return self.model.score(contexts)

    def outputs(self, part: Batch) -> Outputs:
        """Logits of what competes for each target: all items, or the target and the negatives.

        Padding, as a position or as an item, is not among them. The model's own loss of the same
        states comes along.
        """
        competing = self.model.competitors(part)
        states = self.model.states(part, vectors=competing.inputs)
        wanted = competing.targets > 0
        states, targets = states[wanted], competing.targets[wanted]
        drawn, table = competing.negatives, competing.table
        own = self.model.competition(states, table, targets, drawn) / max(1, part.target_count)
        if self.model.config.loss == "softmax" or drawn is None:
            return Outputs(states @ table[1:].T, targets - 1, states, None, own)
        # Column 0 is the target; of the negatives each is one, and one that is it is absent.
        rivals = torch.unique(drawn)
        same = rivals[None, :] == targets[:, None]
        positive = (states * table[targets]).sum(1, keepdim=True)
        logits = torch.cat([positive, (states @ table[rivals].T).masked_fill(same, ABSENT)], 1)
        others = (rivals - 1).expand(same.shape).masked_fill(same, -1)
        classes = torch.cat([(targets - 1)[:, None], others], 1)
        return Outputs(logits, torch.zeros_like(targets), states, classes, own)


def smallest_groups(grouping: Grouping) -> Int64s:
    """(M,) one group of each member: of its groups the smallest, which says most of it.

    Of equal ones the first. Those that are nobody's are left out of the numbers.
    """
    held = grouping.membership.tocsr()
    sizes = np.bincount(held.indices, minlength=grouping.num_groups)
    order = np.argsort(sizes, kind="stable")
    rank = np.argsort(order, kind="stable")
    lowest = np.minimum.reduceat(rank[held.indices], held.indptr[:-1])
    groups: Int64s = np.unique(order[lowest], return_inverse=True)[1].astype(np.int64)
    return groups


def _within(model: nn.Module, parts: Collection[str]) -> frozenset[str]:
    """Names of the weights that the named parts consist of.

    Raises:
        BadInput: If the model has no such part.
    """
    names = set(model.state_dict())
    found: set[str] = set()
    for part in sorted(parts):
        inside = {name for name in names if name == part or name.startswith(f"{part}.")}
        if not inside:
            known = sorted({name.partition(".")[0] for name in names})
            fix = f"Parts of this model: {', '.join(known)}."
            raise BadInput(f"The model has no part {shown(part)}.", "private", fix)
        found |= inside
    return frozenset(f"model.{name}" for name in found)
