"""Axes of human priors: named groups of items, of kinds of event or of users, and the horizons.

A target belongs to groups of every axis: by what it is, by the kind of its event, by whose it is.
Heads stand where the axes cross (spec priors §2): the groups of the first axis outermost, horizons
innermost, so that head c·Q + q is the q-th of group c.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.data.grouping_files import Of
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput

ORDER: tuple[Of, ...] = ("items", "events", "users")
"""Items first: what they are groups of decides which head may answer with which item."""
HORIZON = "horizon"
"""Name of the axis of horizons."""


def horizons(segments: int) -> tuple[str, ...]:
    """(S,) what the horizons are called, the shortest first."""
    between = {3: ["medium-term"]}.get(
        segments, [f"horizon {place} of {segments}" for place in range(2, segments)]
    )
    return ("short-term", *between, "long-term") if segments > 1 else ("next",)


class Axis(nn.Module):
    """The groups of one human prior."""

    bounds: Tensor
    """(M+2,) int64 where the groups of each member begin; member 0 is nobody, and in no group"""
    codes: Tensor
    """flat int64 groups of members 1..M, in rising order"""

    def __init__(self, name: str, grouping: Grouping) -> None:
        """Take a grouping of M members.

        Args:
            name: What the prior is called, such as `category`.
            grouping: Its groups.

        Raises:
            BadInput: If a member belongs to no group, so that no head could speak for it.
        """
        super().__init__()
        bare = int((np.diff(grouping.membership.indptr) == 0).sum())
        if bare:
            what = f"{bare:,} of {grouping.num_members:,} {grouping.of} belong to no {name}."
            raise BadInput(what, name, "Put them into a group `other`.")
        self.name, self.grouping = name, grouping
        table = grouping.membership.tocsr().sorted_indices()
        starts = np.concatenate([[0], table.indptr]).astype(np.int64)
        self.register_buffer("bounds", torch.from_numpy(starts), persistent=False)
        flat = torch.from_numpy(table.indices.astype(np.int64))
        self.register_buffer("codes", flat, persistent=False)

    @property
    def of(self) -> Of:
        """What its members are."""
        return self.grouping.of

    @property
    def size(self) -> int:
        """Number of groups."""
        return self.grouping.num_groups

    def members_of(self, batch: Batch, targets: Tensor) -> Tensor:
        """(B, N, P) int64 member that each target is judged by, 0 where there is none.

        Args:
            batch: The batch, with its users and kinds of event.
            targets: (B, N, P) item codes at each offset, 0 where there is none.
        """
        if self.of == "items":
            return targets
        if self.of == "users":
            assert batch.users is not None
            owners = self.known(batch.users + 1)
            return torch.where(targets > 0, owners[:, None, None], 0)
        kinds = batch.target_events
        if kinds is None:
            return (targets > 0).long()
        ahead = upcoming(kinds, targets.shape[2])
        return torch.where(targets > 0, ahead + 1, 0)

    def known(self, members: Tensor) -> Tensor:
        """The same members, 0 for those that the grouping does not have."""
        return torch.where(members <= self.grouping.num_members, members, 0)

    def groups_of(self, members: Tensor) -> tuple[Tensor, Tensor]:
        """All pairs of (T,) members and their groups: (R,) place among the members, (R,) group."""
        first, after = self.bounds[members], self.bounds[members + 1]
        counts = after - first
        place = torch.repeat_interleave(torch.arange(len(members), device=members.device), counts)
        begins = first - (counts.cumsum(0) - counts)
        index = begins[place] + torch.arange(len(place), device=members.device)
        return place, self.codes[index]

    def by_group(self, members: Tensor) -> list[Tensor]:
        """For each group the (n,) places among (T,) members of those it holds, in rising order."""
        place, groups = self.groups_of(members)
        order = groups.argsort(stable=True)
        counts = torch.bincount(groups, minlength=self.size).tolist()
        return list(torch.split(place[order], counts))


def upcoming(values: Tensor, offsets: int) -> Tensor:
    """(B, N) of what comes next → (B, N, P), offset p of what comes p later; 0 past the end."""
    ahead = torch.nn.functional.pad(values, (0, offsets - 1))
    return ahead.unfold(1, offsets, 1).contiguous()


class Axes(nn.Module):
    """All priors of a model in their order, and its horizons."""

    def __init__(self, priors: Sequence[Axis], segments: int) -> None:
        """Order the priors.

        Raises:
            BadInput: If two of them group the same kind of thing.
        """
        super().__init__()
        ordered = sorted(priors, key=lambda axis: ORDER.index(axis.of))
        for one, other in itertools.pairwise(ordered):
            if one.of == other.of:
                what = f"{one.name} and {other.name} both group {one.of}."
                raise BadInput(what, "--model.priors", "Choose one of the two.")
        self.priors, self.segments = nn.ModuleList(ordered), segments

    @property
    def listed(self) -> list[Axis]:
        """The priors, without the horizons."""
        return [cast(Axis, axis) for axis in self.priors]

    @property
    def items(self) -> Axis | None:
        """The prior that groups items, if there is one: it is the first."""
        return next((axis for axis in self.listed if axis.of == "items"), None)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Groups on each axis, horizons last."""
        return (*(axis.size for axis in self.listed), self.segments)

    @property
    def cells(self) -> int:
        """Combinations of groups of the priors, without horizons."""
        return math.prod(self.sizes[:-1])

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Axis → names of its groups, in the order of the axes."""
        named = {axis.name: axis.grouping.names for axis in self.listed}
        return {**named, HORIZON: horizons(self.segments)}

    def head_names(self, additive: bool) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""
        axes = list(self.names.values())
        if additive:
            return tuple(itertools.chain.from_iterable(axes))
        *priors, last = axes
        said = last if self.segments > 1 or not priors else ("",)
        crossed = itertools.product(*priors, said)
        return tuple(" · ".join(filter(None, (end, *groups))) for *groups, end in crossed)

    def heads_of(self, axis: str, group: int, additive: bool) -> Tensor:
        """(H,) bool heads of one group of an axis."""
        number = list(self.names).index(axis)
        if additive:
            heads = torch.zeros(sum(self.sizes), dtype=torch.bool)
            heads[sum(self.sizes[:number]) + group] = True
            return heads
        grid = torch.zeros(self.sizes, dtype=torch.bool)
        grid.select(number, group)[...] = True
        return grid.flatten()
