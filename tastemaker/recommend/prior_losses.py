"""What heads of human priors learn from: whose a target is, what it weighs, who competes.

    L = Σ_c w_c Σ_p λ_p · mean over members (j, p) of −log softmax(s(o_{c,s(p)}[j], e⁺) | Neg_c)

At position j the target at offset p is the item at j+1+p, and a head sees those of its own groups
alone (spec priors §3.3, §3.4). Every function is pure; sums are weighted row by row, so that pieces
of a step add up to the step.

Source: arXiv 2511.10492; the negatives of a group: the authors' public code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from tastemaker.nn.heads import Tiles

DECAY = 0.99
"""Weight of an offset against the one before."""
_TILE = 256


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


def upcoming_targets(targets: Tensor, offsets: int) -> Tensor:
    """(B, N) next items → (B, N, P), offset p the item p places later; 0 past the row's end."""
    ahead = torch.nn.functional.pad(targets, (0, offsets - 1))
    return ahead.unfold(1, offsets, 1).contiguous()


@dataclass(frozen=True)
class Members:
    """Pairs of a target and a group it belongs to, R of them."""

    rows: Tensor
    """(R,) number of the position, counted through the batch"""
    offsets: Tensor
    """(R,) offset p of the target"""
    groups: Tensor
    """(R,) its group c"""
    targets: Tensor
    """(R,) item code of the target"""

    @classmethod
    def of_items(cls, targets: Tensor, membership: Tensor) -> Self:
        """Targets by what they are.

        Args:
            targets: (B, N, P) item codes, 0 where there is none.
            membership: (I+1, C) bool; row 0 belongs to no group.
        """
        position, offset, group = membership[targets.flatten(0, 1)].nonzero(as_tuple=True)
        return cls(position, offset, group, targets.flatten(0, 1)[position, offset])

    @classmethod
    def of_labels(cls, targets: Tensor, labels: Tensor) -> Self:
        """Targets by one label each, such as their kind of event or their user's group.

        Args:
            targets: (B, N, P) item codes, 0 where there is none.
            labels: (B, N, P) int64 group of each target; −1: of none.
        """
        wanted = (targets > 0) & (labels >= 0)
        position, offset = wanted.flatten(0, 1).nonzero(as_tuple=True)
        flat = position, offset
        return cls(*flat, labels.flatten(0, 1)[flat], targets.flatten(0, 1)[flat])

    def counts(self, groups: int, offsets: int) -> Tensor:
        """(C, P) int64 members of each group at each offset."""
        flat = torch.bincount(self.groups * offsets + self.offsets, minlength=groups * offsets)
        return flat.view(groups, offsets)

    def weights(self, counts: Tensor, group_weights: Tensor, horizon: Tensor) -> Tensor:
        """(R,) w_c·λ_p / members of (c, p): with these a sum over rows is the loss above.

        Args:
            counts: (C, P) members of the *whole* step, of which these may be a part.
            group_weights: (C,) w_c.
            horizon: (P,) λ_p.
        """
        share = group_weights[:, None] * horizon / counts.clamp(min=1)
        return share[self.groups, self.offsets]


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
        outputs: (R, D) of the heads, times whatever scale the scores have.
        table: (n, D) item vectors.
        targets: (R,) rows of the table.
        groups: (R,) group of each row, below C.
        negatives: (C, K) rows of the table.
        weights: (R,).

    Returns:
        Scalar; 0 where there is no row.
    """
    outputs = outputs.to(table.dtype)
    tiles = Tiles(groups, len(negatives), _TILE)
    rivals = table[negatives[tiles.groups]]
    scores = tiles.back(tiles.spread(outputs) @ rivals.transpose(1, 2))
    same = negatives[groups] == targets[:, None]
    positive = (outputs * table[targets]).sum(1, keepdim=True)
    everything = torch.cat([positive, scores.masked_fill(same, -torch.inf)], 1)
    losses = torch.logsumexp(everything, 1) - positive[:, 0]
    return (losses * weights.to(losses.dtype)).sum()
