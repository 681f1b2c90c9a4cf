"""What heads of human priors learn from: whose a target is, what it weighs, who competes.

    L = Σ_c w_c Σ_p λ_p · mean over members (j, p) of −log softmax(s(o_{c,s(p)}[j], e⁺) | Neg_c)

At position j the target at offset p is the item at j+1+p, and a head sees those of its own groups
alone (spec priors §3.3, §3.4). Every function is pure; sums are weighted row by row, so that pieces
of a step add up to the step.

Source: arXiv 2511.10492; the negatives of a group: the authors' public code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.nn.grouped import places_in
from tastemaker.nn.grouped_softmax import GroupedSoftmax, Pairs, Rivals
from tastemaker.recommend.prior_axes import Axis

DECAY = 0.99
"""Weight of an offset against the one before."""


def horizon_weights(offsets: int, decay: float = DECAY) -> Tensor:
    """(P,) λ_p = decay^p / Σ decay^p."""
    powers = decay ** torch.arange(offsets, dtype=torch.float64)
    return powers / powers.sum()


def segments_of(offsets: int, segments: int) -> Tensor:
    """(P,) int64 s(p) = ⌊p·S/P⌋, 0 the shortest term.

    Raises:
        ValueError: If P does not divide into S segments.
    """
    if offsets % segments:
        raise ValueError(f"{offsets} offsets do not divide into {segments} segments")
    return torch.arange(offsets) * segments // offsets


@dataclass(frozen=True)
class Members:
    """Pairs of a target and a combination of groups that it belongs to, R of them."""

    rows: Tensor
    """(R,) number of the position, counted through the batch"""
    offsets: Tensor
    """(R,) offset p of the target"""
    targets: Tensor
    """(R,) item code of the target"""
    codes: Tensor
    """(R, A) its group on each axis"""

    @classmethod
    def of(cls, targets: Tensor, axes: Sequence[tuple[Axis, Tensor]] = ()) -> Self:
        """All targets, by the groups they belong to.

        Args:
            targets: (B, N, P) item codes, 0 where there is none.
            axes: Each axis, and (B, N, P) the member of it that each target is judged by.
        """
        rows, offsets = (targets > 0).flatten(0, 1).nonzero(as_tuple=True)
        codes: list[Tensor] = []
        for axis, members in axes:
            place, group = axis.groups_of(members.flatten(0, 1)[rows, offsets])
            rows, offsets = rows[place], offsets[place]
            codes = [*(code[place] for code in codes), group]
        flat = torch.stack(codes, 1) if codes else rows.new_zeros(len(rows), 0)
        return cls(rows, offsets, targets.flatten(0, 1)[rows, offsets], flat)

    def cells(self, sizes: Sequence[int]) -> Tensor:
        """(R,) number of each combination, the first axis outermost."""
        flat = torch.zeros_like(self.rows)
        for size, code in zip(sizes, self.codes.T, strict=True):
            flat = flat * size + code
        return flat

    def asked(self, codes: Tensor, sizes: Sequence[int], several: bool) -> tuple[Tensor, Tensor]:
        """Pairs of a position and a head, by head, those of the largest group first.

        Args:
            codes: (R, A) the head that each target is for, by its group on each axis.
            sizes: Groups on each axis.
            several: Whether several offsets may ask for the same, which then is one pair.

        Returns:
            (T,) one of the R targets of each pair, and (R,) which of the T pairs a target is of.
        """
        first, *rest = codes.T
        heads = places_in(torch.bincount(first, minlength=sizes[0]).argsort(descending=True))[first]
        for size, code in zip(sizes[1:], rest, strict=True):
            heads = heads * size + code
        if not several:
            order = heads.argsort(stable=True)
            return order, places_in(order)
        most = int(self.rows[-1]) + 1 if len(self.rows) else 1  # rows are in rising order
        keys, places = torch.unique(heads * most + self.rows, return_inverse=True)
        every = torch.arange(len(places), device=places.device)
        return places.new_empty(len(keys)).scatter_(0, places, every), places

    def counts(self, sizes: Sequence[int], offsets: int) -> Tensor:
        """(cells, P) int64 members of each combination at each offset."""
        cells = torch.Size(sizes).numel()
        flat = self.cells(sizes) * offsets + self.offsets
        return torch.bincount(flat, minlength=cells * offsets).view(cells, offsets)

    def weights(self, cells: Tensor, counts: Tensor, shares: Tensor, horizon: Tensor) -> Tensor:
        """(R,) w_c·λ_p / members of (c, p): with these a sum over rows is the loss above.

        Args:
            cells: (R,) as `cells` gives them.
            counts: (cells, P) members of the *whole* step, of which these may be a part.
            shares: (cells,) w_c.
            horizon: (P,) λ_p.
        """
        share = shares[:, None] * horizon / counts.clamp(min=1)
        return share[cells, self.offsets]


def frequency_weights(counts: Tensor, uniform: bool = False) -> Tensor:
    """(C,) w_c: a group's share of all memberships of training targets, or 1/C; sums to 1."""
    if uniform:
        return torch.full((len(counts),), 1 / len(counts), dtype=torch.float64)
    return counts.double() / counts.sum().clamp(min=1)


def group_softmax(
    outputs: Tensor,
    table: Tensor,
    targets: Tensor,
    groups: Tensor,
    negatives: Tensor,
    weights: Tensor,
) -> Tensor:
    """Weighted sum of −log softmax of each target against the negatives of its group.

    A negative that is the target contributes nothing; one drawn twice counts twice.

    Args:
        outputs: (T, D) of the heads, times whatever scale the scores have.
        table: (n, D) item vectors.
        targets: (R,) rows of the table, each the target of its own output; or (R, 2), the output
            that it is a target of and the row.
        groups: (T,) group of each output, below C.
        negatives: (C, K) rows of the table.
        weights: (R,).

    Returns:
        Scalar; 0 where there is no target.
    """
    with torch.autocast(outputs.device.type, enabled=False):
        rows = torch.arange(len(targets), device=targets.device)
        if targets.dim() == 2:
            rows, targets = targets.unbind(1)
        present, places = torch.unique(groups, return_inverse=True)
        rivals = Rivals.drawn(negatives[present], table)
        met = rivals.met(places[rows], targets)
        pairs = Pairs(rows, targets, *met, weights.to(table.dtype))
        parts = outputs.to(table.dtype), table, places, rivals, pairs
        total: Tensor = GroupedSoftmax.apply(*parts)  # type: ignore[no-untyped-call]
    return total


def share_loss(
    logits: Tensor, axis: Axis, targets: Tensor, members: Tensor, weights: Tensor
) -> Tensor:
    """Weighted sum of −Σ_c y_c·log p(c): which group comes next, a target's groups counting alike.

    Source: spec priors §9, p(group | context).

    Args:
        logits: (B·N, C), p is their softmax.
        axis: Whose groups.
        targets: (B, N, P) item codes, 0 where there is none.
        members: (B, N, P) member of the axis that each target is judged by.
        weights: (P,) what a target at each offset counts.
    """
    pairs = Members.of(targets, [(axis, members)])
    judged = members.flatten(0, 1)[pairs.rows, pairs.offsets]
    several = axis.bounds[judged + 1] - axis.bounds[judged]
    chances = F.log_softmax(logits.float(), 1)[pairs.rows, pairs.codes[:, 0]]
    return -(chances * (weights[pairs.offsets] / several)).sum()


def switch_loss(
    logits: Tensor, axis: Axis, targets: Tensor, members: Tensor, prevalence: Tensor
) -> Tensor:
    """Summed over positions with a future, mean over groups: BCE of “the future contains group c”.

    Source: spec priors §3.5; a yes counts (1−π_c)/π_c times.

    Args:
        logits: (B·N, C).
        axis: Whose groups.
        targets: (B, N, P) item codes, 0 where there is none.
        members: (B, N, P) member of the axis that each target is judged by.
        prevalence: (C,) share π_c of training positions whose future contains the group.
    """
    pairs = Members.of(targets, [(axis, members)])
    contains = torch.zeros_like(logits, dtype=torch.float32)
    contains[pairs.rows, pairs.codes[:, 0]] = 1
    held = prevalence.clamp(1e-6, 1 - 1e-6).float()
    losses = F.binary_cross_entropy_with_logits(
        logits.float(), contains, pos_weight=(1 - held) / held, reduction="none"
    )
    return losses.mean(1)[(targets > 0).any(2).flatten()].sum()
