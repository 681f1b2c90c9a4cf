"""Human priors: light heads that people can name, after any backbone, one for each group.

Paper: Don't Waste It: Guiding Generative Recommenders with Structured Human Priors via Multi-head
Decoding, arXiv 2511.10492.

A backbone's state h goes through a head for each group of items, kind of event or group of users,
and each horizon; a head learns from the targets of its group alone, and one of a group of items may
answer with its items alone. So each recommendation has a head, and a name, that it came from.

    o_{c,s} = head(h)·‖h‖/‖head(h)‖,   p(i) = Σ over heads that know i of p(head | h)·p(i | head)

A head turns a state and leaves its length, which is the backbone's, so that all heads score on one
scale (ours; the paper compares cosines). Fresh heads are the backbone. What heads are:
`prior_heads.py`; how they become one ranking: `prior_merge.py`; what they learn from:
`prior_losses.py`.

Checked: tests/recommend/test_priors.py, recipes/priors.py and recipes/priors_taught.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts, Int64s
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.files import save_tensors
from tastemaker.nn.next_item import NextItemModel, targets_of
from tastemaker.recommend.backbone_option import fresh_backbone, opened_backbone, paces, start
from tastemaker.recommend.prior_axes import upcoming
from tastemaker.recommend.prior_batches import PriorBatch, PriorBatches, cell_weights
from tastemaker.recommend.prior_facts import ROWS, facts_of
from tastemaker.recommend.prior_groups import grouping_of
from tastemaker.recommend.prior_growth import grown_groups, grown_heads
from tastemaker.recommend.prior_heads import PriorHeads
from tastemaker.recommend.prior_learning import gates_loss, lesson_loss
from tastemaker.recommend.prior_losses import Members
from tastemaker.recommend.prior_merge import HeadSet, merged, speakers
from tastemaker.recommend.priors_shape import GROUPINGS, HEADS, MEMBERS, PriorsConfig
from tastemaker.seams import HeadFacts, Steering
from tastemaker.weights import checked_tensors, expected_of


class Priors(nn.Module):
    """Heads on a backbone; the seams `Learned` and `Headed`."""

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
        dim = int(backbone.table().shape[1])
        self.heads = PriorHeads(config, dim, backbone.num_items, groupings)

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, for the groups that `config` names.

        Raises:
            BadInput: If the data have no such groups.
        """
        groups = {prior: grouping_of(prior, config, ground) for prior in config.priors}
        return cls(config, fresh_backbone(config.backbone, ground), groups)

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        backbone = opened_backbone(config.backbone, ground, run)
        groups = {
            prior: Grouping.open(
                run / GROUPINGS[prior],
                MEMBERS[prior],
                ground.num_items if MEMBERS[prior] == "items" else None,
            )
            for prior in config.priors
        }
        dim = int(backbone.table().shape[1])
        with torch.device("meta"):
            expected = expected_of(PriorHeads(config, dim, ground.num_items, groups))
        tensors = checked_tensors(run / HEADS, expected)
        model = cls(config, backbone, groups)
        model.heads.load_state_dict(tensors)
        return model

    def save(self, run: Path) -> None:
        """Write the backbone as it would be alone, the heads, and their groups."""
        self.backbone.save(run)
        save_tensors(run / HEADS, self.heads.state_dict())
        for axis in self.heads.axes.listed:
            axis.grouping.save(run / GROUPINGS[axis.name])

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for more items, and for groups that are new.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If its groups are of another log's users, or the ground says none.
        """
        backbone = self.backbone.grown(ground)
        groups = grown_groups(self.heads, ground)
        grown = type(self)(self.config, backbone, groups)
        grown.heads = grown_heads(self.heads, ground.num_items, groups)
        return grown.to(next(self.parameters()).device).train(self.training)

    @property
    def num_items(self) -> int:
        """I."""
        return self.backbone.num_items

    @property
    def head_names(self) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""
        return self.heads.names

    @property
    def intents(self) -> Mapping[str, tuple[str, ...]]:
        """Axis → names of its groups, by which heads can be asked for."""
        return self.heads.axes.names

    def heads_of(self, axis: str, group: int) -> Tensor:
        """(H,) bool heads of one group of an axis."""
        return self.heads.of(axis, group)

    def head_facts(self, train: Contexts) -> HeadFacts:
        """What heads learned of training events, one row a user, and what they know."""
        own = sum(values.numel() for values in self.heads.parameters())
        return facts_of(self.config, self._steps(train, ROWS, 0), self.num_items, own)

    def _steps(self, train: Contexts, rows: int, seed: int) -> PriorBatches:
        config, heads = self.config, self.heads
        return PriorBatches(
            self.backbone.batches(train, rows, seed),
            copy.deepcopy(heads.axes).cpu(),
            heads.lessons,
            config.offsets,
            config.negatives,
            config.in_group,
            seed,
        )

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PriorBatches:
        """Batches of the backbone with negatives of each group; groups get their weights."""
        config, heads, made = self.config, self.heads, self._steps(train, rows, seed)
        held, shares = made.prevalence()
        heads.cell_weights.copy_(cell_weights(held, config.weighting == "uniform"))
        heads.prevalence.copy_(torch.cat([torch.zeros(0), *shares]))
        heads.trained.copy_((torch.cat(held) > 0).to(heads.learned.device) | heads.learned)
        return made

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Heads learn at the rate of the training, parts of the backbone at their own."""
        return paces(self, self.backbone)

    def start(self) -> None:
        """Let the backbone look at its data."""
        start(self.backbone)

    def forward(self, batch: PriorBatch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def loss(self, batch: PriorBatch) -> Tensor:
        """This part's share of the weighted mean over groups and offsets, and of the gates'."""
        if batch.rivals is None or batch.member_counts is None or batch.offset_counts is None:
            raise ValueError("a training batch of priors carries negatives and counts of groups")
        if batch.columns is not None and self.config.offsets > 1:
            raise ValueError("what comes later stands behind tokens: heads on them take one offset")
        heads = self.heads
        ahead = upcoming(targets_of(batch), self.config.offsets)
        asked = replace(cast(Batch, batch), targets=ahead, negatives=batch.rivals)
        competing = self.backbone.competitors(asked)
        states = self.backbone.states(batch, vectors=competing.inputs).flatten(0, 1)
        judged = [axis.members_of(batch, ahead) for axis in heads.axes.listed]
        sizes = [lesson.cells(heads.axes) for lesson in heads.lessons]
        counts = torch.split(batch.member_counts, sizes)
        weights = torch.split(heads.cell_weights, sizes)
        total = states.new_zeros(())
        for lesson, held, shares in zip(heads.lessons, counts, weights, strict=True):
            axes = [(heads.axes.listed[axis], judged[axis]) for axis in lesson.axes]
            members = Members.of(ahead, axes)
            cells = members.cells([axis.size for axis, _ in axes])
            each = members.weights(cells, held, shares, heads.horizon)
            total = total + lesson_loss(heads, lesson, members, states, competing, each)
        return total / len(heads.lessons) + gates_loss(heads, states, ahead, judged, batch)

    def item_vectors(self) -> Tensor:
        """(I, D) vectors of the backbone, with which turned states are compared."""
        return self.backbone.item_vectors()

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
        rows = []
        for row, group in enumerate(groups):
            told = Steering(self.heads_of(axis, int(group)))
            sets, items = self._sets(contexts.slice(row, row + 1), told)
            rows.append(merged(sets, items, self.config.merge).float())
        return torch.cat(rows)

    def _sets(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[list[HeadSet], Tensor]:
        """Heads of some users, and the items' vectors (I, D)."""
        device = next(self.parameters()).device
        state = self.backbone.encode(last(contexts, self.config.history).to(device))
        users = torch.from_numpy(contexts.users).to(device)
        sets = self.heads.sets(state, users, self.config.merge, steering, span)
        return sets, self.backbone.item_vectors()
