"""The heads of human priors: blocks where axes cross, what comes next, and who may speak.

A head turns a state and leaves its length, which is the backbone's, so that all heads score on one
scale. For some users the heads become `HeadSet`s, which `prior_merge.py` merges.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tastemaker.data.groupings import Grouping
from tastemaker.nn.heads import Heads
from tastemaker.recommend.prior_axes import Axes, Axis
from tastemaker.recommend.prior_batches import lessons_of
from tastemaker.recommend.prior_gates import Gates
from tastemaker.recommend.prior_losses import horizon_weights, segments_of
from tastemaker.recommend.prior_merge import HeadSet, Merge, Tiles
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.seams import Steering


class PriorHeads(nn.Module):
    """H heads on states of length D."""

    horizon: Tensor
    """(P,) λ_p"""
    segments: Tensor
    """(P,) s(p)"""
    cell_weights: Tensor
    """(n,) what the loss of each cell of each lesson counts"""
    trained: Tensor
    """(n,) bool whether a cell of a lesson had training targets; heads of others do not speak"""
    learned: Tensor
    """(n,) bool whether a cell had some before it was trained further"""
    prevalence: Tensor
    """flat (ΣC,) share of training positions whose future contains each group of each prior"""

    def __init__(
        self, config: PriorsConfig, dim: int, num_items: int, groupings: Mapping[str, Grouping]
    ) -> None:
        """Heads that all leave a state as it is.

        Args:
            config: What they are made of.
            dim: D.
            num_items: I.
            groupings: What each prior is called → its groups.

        Raises:
            BadInput: If a member of a prior belongs to no group, or two priors group the same.
        """
        super().__init__()
        self.config, self.num_items = config, num_items
        self.axes = Axes([Axis(name, one) for name, one in groupings.items()], config.segments)
        self.blocks = Heads(dim, self.axes.sizes, config.composition)
        if config.start:
            for parameter in self.blocks.parameters():
                nn.init.normal_(parameter, std=config.start)
        self.gates = Gates(dim, [axis.size for axis in self.axes.listed], bool(config.switch))
        self.lessons = lessons_of(self.axes, self.additive)
        cells = sum(lesson.cells(self.axes) for lesson in self.lessons)
        groups = sum(axis.size for axis in self.axes.listed)
        known = {
            "horizon": horizon_weights(config.offsets).float(),
            "segments": segments_of(config.offsets, config.segments),
            "cell_weights": torch.ones(cells),
            "prevalence": torch.full((groups,), 0.5),
        }
        for name, values in known.items():
            self.register_buffer(name, values, persistent=False)
        self._kept: tuple[list[Tensor], Tiles] | None = None
        self.register_buffer("trained", torch.ones(cells, dtype=torch.bool))
        self.register_buffer("learned", torch.zeros(cells, dtype=torch.bool), persistent=False)

    @property
    def additive(self) -> bool:
        """Whether each axis has heads of its own."""
        return self.config.composition == "additive"

    @property
    def names(self) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""
        return self.axes.head_names(self.additive)

    def of(self, axis: str, group: int) -> Tensor:
        """(H,) bool heads of one group of an axis."""
        return self.axes.heads_of(axis, group, self.additive)

    def sets(
        self,
        state: Tensor,
        users: Tensor,
        merge: Merge,
        steering: Steering | None = None,
        span: Tensor | None = None,
    ) -> list[HeadSet]:
        """What may be merged: one set, or where the composition is additive one an axis.

        Args:
            state: (B, D) of each user.
            users: (B,) int64 user codes; −1 for somebody the log does not know.
            merge: How they will be merged; shares are only made for what needs them.
            steering: Which heads may speak, and which are favoured; None: all, none.
            span: (B,) what the steering's boosts are shares of.
        """
        outputs = turned(self.blocks.every(state), state[:, None])
        shares, active = outputs.new_zeros(outputs.shape[:2]), None
        if merge == "calibrated" or self._chosen:
            shares, active = self._spread(state, users)
        active = self._learnt(active, len(state))
        added = None
        if steering is not None:
            active = _narrowed(active, steering.active.to(state.device).expand(outputs.shape[:2]))
            if steering.boosts is not None and span is not None:
                added = span.to(state.device)[:, None] * steering.boosts.to(state.device)
        known, tiles = (None, None) if self.axes.items is None else self._known()
        sizes = list(self.axes.sizes) if self.additive else [outputs.shape[1]]
        sets: list[HeadSet] = []
        start = 0
        for size in sizes:
            own = slice(start, start + size)
            on = None if active is None else active[:, own]
            more = None if added is None else added[:, own]
            sets.append(HeadSet(outputs[:, own], known, shares[:, own], on, more, tiles))
            known, tiles, start = None, None, start + size  # the first knows items alone
        return sets

    def _learnt(self, active: Tensor | None, users: int) -> Tensor | None:
        """(B, H) the active heads without those that had nothing to learn from; None: all."""
        if bool(self.trained.all()):
            return active
        speaking = self.speaking.expand(users, -1)
        return speaking if active is None else _narrowed(active, speaking)

    @property
    def speaking(self) -> Tensor:
        """(H,) bool heads that have learnt something, and all of a group that none has."""
        parts = torch.split(self.trained, [lesson.cells(self.axes) for lesson in self.lessons])
        heads = [
            flags.repeat_interleave(self.config.segments if lesson.horizon else 1)
            for flags, lesson in zip(parts, self.lessons, strict=True)
        ]
        groups = 1 if self.axes.items is None else self.axes.items.size
        first = heads[0].view(groups, -1)
        heads[0] = (first | ~first.any(1, keepdim=True)).flatten()
        return torch.cat(heads)

    @property
    def _chosen(self) -> bool:
        """Whether heads speak for some users and not for others."""
        return bool(self.config.switch) or any(axis.of == "users" for axis in self.axes.listed)

    def _known(self) -> tuple[list[Tensor], Tiles]:
        """For each group of items the (n,) columns of its items, in rising order; made once."""
        axis = self.axes.items
        assert axis is not None
        if self._kept is None or self._kept[0][0].device != axis.codes.device:
            with torch.inference_mode(False):  # what is kept serves every mode
                every = torch.arange(1, self.num_items + 1, device=axis.codes.device)
                known = axis.by_group(every)
                width = 1 if self.additive else self.blocks.count // axis.size
                self._kept = known, Tiles.of(known, width, self.num_items)
        return self._kept

    def _spread(self, state: Tensor, users: Tensor) -> tuple[Tensor, Tensor]:
        """(B, H) log p(head | context), and whether a head speaks for the user at all."""
        shares: list[Tensor] = []
        active: list[Tensor] = []
        for number, axis in enumerate(self.axes.listed):
            shares.append(torch.log_softmax(self.gates.shares(number, state).float(), 1))
            on = torch.ones_like(shares[-1], dtype=torch.bool)
            if self.config.switch:
                on = self.gates.switched(number, state) >= 0
            if axis.of == "users":
                place, groups = axis.groups_of(axis.known(users + 1))
                on = torch.zeros_like(on)
                on[place, groups] = True
                own = on.sum(1, keepdim=True).clamp(min=1).log()
                shares[-1] = torch.where(on.any(1, keepdim=True), -own.expand_as(on), shares[-1])
            active.append(on | ~on.any(1, keepdim=True))
        segments = torch.zeros(self.config.segments, device=state.device)
        segments = segments.index_add(0, self.segments, self.horizon).log()
        shares.append(segments.expand(len(state), -1))
        active.append(torch.ones_like(shares[-1], dtype=torch.bool))
        if self.additive:
            return torch.cat(shares, 1), torch.cat(active, 1)
        whole, every = shares[0], active[0]
        for share, on in zip(shares[1:], active[1:], strict=True):
            whole = (whole[:, :, None] + share[:, None]).flatten(1)
            every = (every[:, :, None] & on[:, None]).flatten(1)
        return whole, every


def _narrowed(active: Tensor | None, wanted: Tensor) -> Tensor:
    """(B, H) the active heads that are wanted; all wanted ones where none of them is active."""
    if active is None:
        return wanted
    both = active & wanted
    return torch.where(both.any(1, keepdim=True), both, wanted)


def turned(heads: Tensor, states: Tensor) -> Tensor:
    """Heads (…, D) at the length of the states (…, D) they are of; a zero state stays zero."""
    length: Tensor = torch.linalg.vector_norm(heads, dim=-1, keepdim=True)
    wanted: Tensor = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    return heads * (wanted / length.clamp(min=1e-12))
