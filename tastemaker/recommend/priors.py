"""Human priors: light heads that people can name, after any backbone, one for each group.

Paper: Don't Waste It: Guiding Generative Recommenders with Structured Human Priors via Multi-head
Decoding, arXiv 2511.10492.

A backbone's state h goes through a head for each group of items (or kind of event) and horizon; a
head learns from the targets of its group alone and may answer with its group's items alone, so that
each recommendation has a head, and a name, that it came from.

    o_{c,s} = head(h)·‖h‖/‖head(h)‖,   score(i) = max over heads that know i of o·e_i

A head turns a state and leaves its length, which is the backbone's, so that all heads score on one
scale (ours; the paper compares cosines). Fresh heads are the backbone: `nn/heads.py`.

Checked: tests/recommend/test_priors.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import Contexts, Int32s
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.files import save_tensors
from tastemaker.nn.heads import Heads
from tastemaker.nn.next_item import NextItemModel, targets_of
from tastemaker.recommend.esasrec import ESASRec
from tastemaker.recommend.hllm import HLLM
from tastemaker.recommend.hstu import HSTU
from tastemaker.recommend.prior_losses import (
    Members,
    frequency_weights,
    group_softmax,
    horizon_weights,
    segments_of,
    upcoming_targets,
)
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec
from tastemaker.weights import WEIGHTS

MODELS: dict[str, type[NextItemModel]] = {
    "SASRecConfig": SASRec,
    "ESASRecConfig": ESASRec,
    "HSTUConfig": HSTU,
    "HLLMConfig": HLLM,
}
"""Name of the options of a backbone → the backbone."""


@dataclass(frozen=True)
class PriorBatch(Batch):
    """A batch of next items, with what heads need beside."""

    rivals: Tensor | None = None
    """(C, K) int64 item codes, the negatives of each group"""
    member_counts: Tensor | None = None
    """(C, P) int64 targets of each group at each offset, in the *global* batch"""


@dataclass(frozen=True, eq=False)
class PriorBatches:
    """Batches of a backbone, with negatives of each group drawn from (seed, epoch, step) alone."""

    batches: NextItemBatches
    membership: Tensor = field(repr=False)
    """(I+1, C) bool"""
    config: PriorsConfig
    seed: int = 0

    def __len__(self) -> int:
        """Steps in an epoch."""
        return len(self.batches)

    def epoch(self, number: int, skip: int = 0) -> Iterator[PriorBatch]:
        """Batches of epoch `number`, from step `skip` on."""
        groups, offsets = self.membership.shape[1], self.config.offsets
        for step, batch in enumerate(self.batches.epoch(number, skip), start=skip):
            ahead = upcoming_targets(targets_of(batch), offsets)
            counts = Members.of_items(ahead, self.membership).counts(groups, offsets)
            rivals = self._drawn(np.random.default_rng([self.seed, number, step, 2]))
            yield PriorBatch(**vars(batch), rivals=rivals, member_counts=counts)

    def _drawn(self, rng: np.random.Generator) -> Tensor:
        """(C, K) trained items, of each group or, as far as options say, of all."""
        wanted = self.config.negatives
        own = round(self.config.in_group * wanted)
        whole = self._pools[-1]
        every = whole[rng.integers(0, len(whole), wanted - own)]
        rows = [
            np.concatenate([pool[rng.integers(0, len(pool), own)], every])
            for pool in (pool if len(pool) else whole for pool in self._pools[:-1])
        ]
        return torch.from_numpy(np.stack(rows).astype(np.int64))

    @cached_property
    def _pools(self) -> list[Int32s]:
        """Trained items of each group, and last of all groups."""
        trained = np.unique(self.batches.contexts.items)
        known = self.membership.numpy()[trained]
        return [*(trained[known[:, group]] for group in range(known.shape[1])), trained]


class Priors(nn.Module):
    """Heads on a backbone; the seam `Learned`."""

    membership: Tensor
    """(I+1, C) bool; row 0 belongs to no group."""
    group_weights: Tensor
    """(C,) what the loss of each group counts."""

    def __init__(self, config: PriorsConfig, backbone: NextItemModel, grouping: Grouping) -> None:
        """Heads that all begin as the backbone itself.

        Args:
            config: What they are made of.
            backbone: What reads histories.
            grouping: Groups of its I items, each in one at least.

        Raises:
            BadInput: If an item belongs to no group.
        """
        super().__init__()
        self.config, self.backbone, self.grouping = config, backbone, grouping
        dense = torch.from_numpy(grouping.membership.toarray() > 0)
        if not bool(dense.any(1).all()):
            missing = int((~dense.any(1)).sum())
            what = f"{missing:,} items belong to no group, so no head could recommend them."
            raise BadInput(what, "groups", "Put them into a group `other`.")
        self.num_items = backbone.num_items
        axes = (grouping.num_groups, config.segments)
        self.heads = Heads(int(backbone.table().shape[1]), axes, config.composition)
        self.register_buffer("membership", F.pad(dense, (0, 0, 1, 0)), persistent=False)
        self.register_buffer("group_weights", torch.ones(grouping.num_groups) / len(dense.T))

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, for the groups that `config` names."""
        kind = MODELS[type(config.backbone).__name__]
        return cls(config, kind.build(config.backbone, ground), ground.groupings[config.prior])

    def save(self, run: Path) -> None:
        """Write the weights."""
        save_tensors(run / WEIGHTS, self.state_dict())

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PriorBatches:
        """Batches of the backbone with negatives of each group; groups get their weights."""
        counts = self.membership[torch.from_numpy(train.items.astype(np.int64))].sum(0)
        uniform = self.config.weighting == "uniform"
        self.group_weights.copy_(frequency_weights(counts, uniform))
        inner = self.backbone.batches(train, rows, seed)
        return PriorBatches(inner, self.membership.cpu(), self.config, seed)

    def forward(self, batch: PriorBatch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def loss(self, batch: PriorBatch) -> Tensor:
        """This part's share of the weighted mean over groups and offsets."""
        if batch.rivals is None or batch.member_counts is None:
            raise ValueError("a training batch of priors carries negatives of each group")
        ahead = upcoming_targets(targets_of(batch), self.config.offsets)
        asked = replace(cast(Batch, batch), targets=ahead, negatives=batch.rivals)
        competing = self.backbone.competitors(asked)
        states = self.backbone.states(batch, vectors=competing.inputs).flatten(0, 1)
        members = Members.of_items(ahead, self.membership)
        segments = segments_of(self.config.offsets, self.config.segments).to(ahead.device)
        codes = torch.stack([members.groups, segments[members.offsets]], 1)
        targets = competing.targets.flatten(0, 1)[members.rows, members.offsets]
        horizon = horizon_weights(self.config.offsets).to(ahead.device)
        weights = members.weights(batch.member_counts, self.group_weights, horizon)
        own = states[members.rows]
        outputs = turned(self.heads(own, codes), own)
        assert competing.negatives is not None
        rest = members.groups, competing.negatives, weights
        if outputs.dim() == 2:
            return group_softmax(outputs, competing.table, targets, *rest)
        losses = [group_softmax(head, competing.table, targets, *rest) for head in outputs]
        return torch.stack(losses).mean()

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, by the heads that know it, merged."""
        batch = last(contexts, self.config.history).to(next(self.parameters()).device)
        state = self.backbone.encode(batch)
        heads = turned(self.heads.every(state), state[:, None])
        return self._combined(heads, self.backbone.item_vectors()).float()

    def _combined(self, heads: Tensor, items: Tensor) -> Tensor:
        """(B, I) the highest score of the heads that know an item."""
        scores: Tensor = heads.new_full((len(heads), len(items)), -torch.inf)
        groups = self.grouping.num_groups
        if self.heads.composition == "additive":  # those of horizons know every item
            scores = (heads[:, groups:] @ items.T).amax(1)
            heads = heads[:, :groups]
        parts = heads.view(len(heads), groups, -1, heads.shape[-1])
        for group in range(groups):
            columns = self.membership[1:, group].nonzero()[:, 0]
            best = (parts[:, group] @ items[columns].T).amax(1)
            scores[:, columns] = torch.maximum(scores[:, columns], best)
        return scores


def turned(heads: Tensor, states: Tensor) -> Tensor:
    """Heads (…, D) at the length of the states (…, D) they are of; a zero state stays zero."""
    length: Tensor = torch.linalg.vector_norm(heads, dim=-1, keepdim=True)
    wanted: Tensor = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    return heads * (wanted / length.clamp(min=1e-12))
