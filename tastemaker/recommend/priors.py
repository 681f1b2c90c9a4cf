"""Human priors: light heads that people can name, after any backbone, one for each group.

Paper: Don't Waste It: Guiding Generative Recommenders with Structured Human Priors via Multi-head
Decoding, arXiv 2511.10492.

A backbone's state h goes through a head for each group of items, kind of event or group of users,
and each horizon; a head learns from the targets of its group alone, and one of a group of items may
answer with its items alone. So each recommendation has a head, and a name, that it came from.

    o_{c,s} = head(h)·‖h‖/‖head(h)‖,   score(i) = max over heads that know i of o·e_i

A head turns a state and leaves its length, which is the backbone's, so that all heads score on one
scale (ours; the paper compares cosines). Fresh heads are the backbone: `nn/heads.py`. How heads
become one ranking: `prior_merge.py`; what they learn from: `prior_losses.py`.

Checked: tests/recommend/test_priors.py and recipes/priors.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts, Int64s
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.files import save_tensors
from tastemaker.nn.heads import Heads
from tastemaker.nn.next_item import Competitors, NextItemModel, targets_of
from tastemaker.recommend.esasrec import ESASRec
from tastemaker.recommend.hllm import HLLM
from tastemaker.recommend.hstu import HSTU
from tastemaker.recommend.prior_axes import Axes, Axis, upcoming
from tastemaker.recommend.prior_batches import (
    Lesson,
    PriorBatch,
    PriorBatches,
    cell_weights,
    lessons_of,
)
from tastemaker.recommend.prior_gates import Gates
from tastemaker.recommend.prior_groups import grouping_of
from tastemaker.recommend.prior_losses import (
    Members,
    group_softmax,
    horizon_weights,
    segments_of,
    share_loss,
    switch_loss,
)
from tastemaker.recommend.prior_merge import HeadSet, Tiles, merged, speakers
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec
from tastemaker.seams import Steering
from tastemaker.weights import WEIGHTS, filled

MODELS: dict[str, type[NextItemModel]] = {
    "SASRecConfig": SASRec,
    "ESASRecConfig": ESASRec,
    "HSTUConfig": HSTU,
    "HLLMConfig": HLLM,
}
"""Name of the options of a backbone → the backbone."""


class Priors(nn.Module):
    """Heads on a backbone; the seams `Learned` and `Headed`."""

    cell_weights: Tensor
    """(n,) what the loss of each cell of each lesson counts"""
    prevalence: Tensor
    """flat (ΣC,) share of training positions whose future contains each group of each prior"""

    def __init__(
        self, config: PriorsConfig, backbone: NextItemModel, groupings: Mapping[str, Grouping]
    ) -> None:
        """Heads that all begin as the backbone itself.

        Args:
            config: What they are made of.
            backbone: What reads histories.
            groupings: What each prior is called → its groups.

        Raises:
            BadInput: If a member of a prior belongs to no group, or two priors group the same.
        """
        super().__init__()
        self.config, self.backbone = config, backbone
        self.num_items = backbone.num_items
        self.axes = Axes([Axis(name, one) for name, one in groupings.items()], config.segments)
        dim = int(backbone.table().shape[1])
        self.heads = Heads(dim, self.axes.sizes, config.composition)
        if config.start:
            for parameter in self.heads.parameters():
                nn.init.normal_(parameter, std=config.start)
        self.gates = Gates(dim, [axis.size for axis in self.axes.listed], bool(config.switch))
        self.lessons = lessons_of(self.axes, self.additive)
        self._kept: tuple[list[Tensor], Tiles] | None = None
        counts = sum(self._cells(lesson) for lesson in self.lessons)
        groups = sum(axis.size for axis in self.axes.listed)
        self.register_buffer("cell_weights", torch.ones(counts), persistent=False)
        self.register_buffer("prevalence", torch.full((groups,), 0.5), persistent=False)
        self.register_buffer("horizon", horizon_weights(config.offsets).float(), persistent=False)
        segments = segments_of(config.offsets, config.segments)
        self.register_buffer("segments", segments, persistent=False)

    horizon: Tensor
    """(P,) λ_p"""
    segments: Tensor
    """(P,) s(p)"""

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, for the groups that `config` names.

        Raises:
            BadInput: If the data have no such groups.
        """
        backbone = MODELS[type(config.backbone).__name__].build(config.backbone, ground)
        groups = {prior: grouping_of(prior, config, ground) for prior in config.priors}
        return cls(config, backbone, groups)

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        groups = {name: opened_grouping(run, name, ground.num_items) for name in config.priors}
        kind = MODELS[type(config.backbone).__name__]

        def build() -> Self:
            return cls(config, kind.build(config.backbone, ground), groups)

        return filled(build, run / WEIGHTS, config.backbone.layers)

    def save(self, run: Path) -> None:
        """Write the weights and the groups."""
        save_tensors(run / WEIGHTS, self.state_dict())
        for axis in self.axes.listed:
            axis.grouping.save(run / grouping_file(axis.name))

    @property
    def additive(self) -> bool:
        """Whether each axis has heads of its own."""
        return self.config.composition == "additive"

    @property
    def head_names(self) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""
        return self.axes.head_names(self.additive)

    @property
    def intents(self) -> Mapping[str, tuple[str, ...]]:
        """Axis → names of its groups, by which heads can be asked for."""
        return self.axes.names

    def heads_of(self, axis: str, group: int) -> Tensor:
        """(H,) bool heads of one group of an axis."""
        return self.axes.heads_of(axis, group, self.additive)

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PriorBatches:
        """Batches of the backbone with negatives of each group; groups get their weights."""
        config = self.config
        made = PriorBatches(
            self.backbone.batches(train, rows, seed),
            copy.deepcopy(self.axes).cpu(),
            self.lessons,
            config.offsets,
            config.negatives,
            config.in_group,
            seed,
        )
        held, shares = made.prevalence()
        self.cell_weights.copy_(cell_weights(held, config.weighting == "uniform"))
        self.prevalence.copy_(torch.cat([torch.zeros(0), *shares]))
        return made

    def forward(self, batch: PriorBatch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def loss(self, batch: PriorBatch) -> Tensor:
        """This part's share of the weighted mean over groups and offsets, and of the gates'."""
        if batch.rivals is None or batch.member_counts is None or batch.offset_counts is None:
            raise ValueError("a training batch of priors carries negatives and counts of groups")
        ahead = upcoming(targets_of(batch), self.config.offsets)
        asked = replace(cast(Batch, batch), targets=ahead, negatives=batch.rivals)
        competing = self.backbone.competitors(asked)
        states = self.backbone.states(batch, vectors=competing.inputs).flatten(0, 1)
        judged = [axis.members_of(batch, ahead) for axis in self.axes.listed]
        sizes = [self._cells(lesson) for lesson in self.lessons]
        counts, weights = batch.member_counts.split(sizes), self.cell_weights.split(sizes)
        total = states.new_zeros(())
        for lesson, held, shares in zip(self.lessons, counts, weights, strict=True):
            axes = [(self.axes.listed[axis], judged[axis]) for axis in lesson.axes]
            members = Members.of(ahead, axes)
            cells = members.cells([axis.size for axis, _ in axes])
            each = members.weights(cells, held, shares, self.horizon)
            total = total + self._learnt(lesson, members, states, competing, each)
        return total / len(self.lessons) + self._gated(states, ahead, judged, batch)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, by the heads that know it, merged."""
        sets, items = self._sets(contexts)
        return merged(sets, items, self.config.merge).float()

    def spoken(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, I) scores as steered, and (B, I) int64 head that speaks for each item; −1: none.

        Args:
            contexts: B users.
            steering: Which heads may speak and which are favoured; None: as in `score`.
            span: (B,) by how much scores differ that the steering's weights are shares of.
        """
        sets, items = self._sets(contexts, steering, span)
        merge = self.config.merge
        return merged(sets, items, merge).float(), speakers(sets, items, merge)

    def score_given(self, contexts: Contexts, axis: str, groups: Int64s) -> Tensor:
        """(B, I) scores where each row's target is known to be of a group: another task.

        Args:
            contexts: B users.
            axis: A prior of the model.
            groups: (B,) group of each row's target.

        Raises:
            BadInput: Unless `prior_given_at_test` is set, since this reads a part of the answer.
        """
        if not self.config.prior_given_at_test:
            what = "The group of a target is a part of the answer, which scoring must not see."
            raise BadInput(what, "prior_given_at_test", "Set it, and report this apart.")
        rows = [
            self.spoken(contexts.slice(row, row + 1), Steering(self.heads_of(axis, int(group))))[0]
            for row, group in enumerate(groups)
        ]
        return torch.cat(rows)

    def _cells(self, lesson: Lesson) -> int:
        return int(np.prod([self.axes.sizes[axis] for axis in lesson.axes], dtype=np.int64))

    def _learnt(
        self,
        lesson: Lesson,
        members: Members,
        states: Tensor,
        competing: Competitors,
        weights: Tensor,
    ) -> Tensor:
        """The loss of the heads of one lesson."""
        codes, sizes = members.codes, [self.axes.sizes[axis] for axis in lesson.axes]
        several = self.config.offsets > 1
        if lesson.horizon:
            codes = torch.cat([codes, self.segments[members.offsets][:, None]], 1)
            sizes = [*sizes, self.config.segments]
            several = self.config.offsets > self.config.segments
        firsts, places = members.asked(codes, sizes, several)
        rows, codes = members.rows[firsts], codes[firsts]
        own = states.index_select(0, rows)
        axis = 0 if not self.additive else (*lesson.axes, len(self.axes.listed))[0]
        outputs = turned(self.heads(own, codes, axis), own)
        targets = competing.targets.flatten(0, 1)[members.rows, members.offsets]
        assert competing.negatives is not None
        rivals = torch.full_like(rows, len(competing.negatives) - 1)
        if self.axes.items is not None and 0 in lesson.axes:
            rivals = codes[:, 0]
        table, negatives = competing.table, competing.negatives
        targets = torch.stack([places, targets], 1)
        return group_softmax(outputs, table, targets, rivals, negatives, weights)

    def _gated(
        self, states: Tensor, ahead: Tensor, judged: list[Tensor], batch: PriorBatch
    ) -> Tensor:
        """The loss of what says which group comes next; it leaves the backbone alone."""
        assert batch.offset_counts is not None
        weights = self.horizon / batch.offset_counts.clamp(min=1)
        total = states.new_zeros(())
        held = self.prevalence.split([axis.size for axis in self.axes.listed])
        for number, axis in enumerate(self.axes.listed):
            logits = self.gates.shares(number, states.detach())
            total = total + share_loss(logits, axis, ahead, judged[number], weights)
            if self.config.switch:
                on = self.gates.switched(number, states)
                missed = switch_loss(on, axis, ahead, judged[number], held[number])
                total = total + self.config.switch * missed / max(1, batch.target_count)
        return total

    def _sets(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[list[HeadSet], Tensor]:
        """Heads of some users, and the items' vectors (I, D)."""
        device = next(self.parameters()).device
        batch = last(contexts, self.config.history).to(device)
        state = self.backbone.encode(batch)
        outputs = turned(self.heads.every(state), state[:, None])
        if self.config.merge != "calibrated" and not self._chosen:
            shares, active = outputs.new_zeros(outputs.shape[:2]), None
        else:
            users = torch.from_numpy(contexts.users).to(device)
            shares, active = self._spread(state, users)
        added = None
        if steering is not None:
            wanted = steering.active.to(device).expand(outputs.shape[:2])
            both = wanted if active is None else active & wanted
            active = torch.where(both.any(1, keepdim=True), both, wanted)
            if steering.boosts is not None and span is not None:
                added = span.to(device)[:, None] * steering.boosts.to(device)
        known, tiles = (None, None) if self.axes.items is None else self._known()
        sizes = list(self.axes.sizes) if self.additive else [outputs.shape[1]]
        sets, start = [], 0
        for size in sizes:
            own = slice(start, start + size)
            on = None if active is None else active[:, own]
            more = None if added is None else added[:, own]
            sets.append(HeadSet(outputs[:, own], known, shares[:, own], on, more, tiles))
            known, tiles, start = None, None, start + size  # the first knows items alone
        return sets, self.backbone.item_vectors()

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
                place, groups = axis.groups_of(every)
                order = groups.argsort(stable=True)
                counts = torch.bincount(groups, minlength=axis.size).tolist()
                known = list(torch.split(place[order], counts))
                width = 1 if self.additive else self.heads.count // axis.size
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
                shares[-1] = torch.where(on, 0.0, shares[-1])
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


def turned(heads: Tensor, states: Tensor) -> Tensor:
    """Heads (…, D) at the length of the states (…, D) they are of; a zero state stays zero."""
    length: Tensor = torch.linalg.vector_norm(heads, dim=-1, keepdim=True)
    wanted: Tensor = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    return heads * (wanted / length.clamp(min=1e-12))


def grouping_file(prior: str) -> str:
    """File of a run that a prior's groups stand in."""
    return f"groups-{prior}.arrow"


def opened_grouping(run: Path, prior: str, num_items: int) -> Grouping:
    """The groups of a prior as a run keeps them.

    Raises:
        ArtefactError: If the file is missing, damaged, or of another catalogue.
    """
    of = {"event": "events", "user": "users"}.get(prior, "items")
    expected = num_items if of == "items" else None
    return Grouping.open(run / grouping_file(prior), cast(Any, of), expected)
