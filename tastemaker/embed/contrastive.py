"""The contrastive loss between pictures and texts.

Paper: CAFe, arXiv 2503.19900; the loss is CLIP's, arXiv 2103.00020, on a fixed scale.

    S = s Z_I Z_Tᵀ
    L = ½ [ CE(S, diagonal) + CE(Sᵀ, diagonal) ]

Pairs that are the same picture or the same text are no negatives of each other. A picture may have
texts of its own that are wrong, more columns of S; a text has no such pictures, so they count in
one direction alone. A negative may weigh by how near it is, exp(α cos) (LLaVE, arXiv 2503.04812),
through which no gradient goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Negatives:
    """What may not count as a negative, and what more counts as one."""

    same: Tensor | None = None
    """(B, B) bool, pairs that share a picture or a text; the diagonal does not matter"""
    hard: Tensor | None = None
    """(B, H, d) unit vectors of wrong texts of each picture"""
    held: Tensor | None = None
    """(B, H) bool, which of them there are; None: all"""
    hardness: float = 0.0
    """α, by which near negatives weigh more; 0: all weigh the same"""


def contrastive_loss(
    pictures: Tensor,
    texts: Tensor,
    scale: Tensor | float,
    negatives: Negatives = Negatives(),
    symmetric: bool = True,
) -> Tensor:
    """Mean over pairs of the loss of telling each from all others, in float32.

    Args:
        pictures: (B, d) unit vectors.
        texts: (B, d) unit vectors; row i belongs to picture i.
        scale: s, by which cosines are multiplied.
        negatives: What is masked, and what is added.
        symmetric: Tell texts by pictures as well; else pictures by texts alone.

    Returns:
        A scalar; 0 for one pair without wrong texts.
    """
    pictures, texts = pictures.float(), texts.float()
    cosines = pictures @ texts.T  # (B, B)
    own = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    logits = _weighted(scale * cosines, cosines, own, negatives.hardness)
    if negatives.same is not None:
        logits = logits.masked_fill(negatives.same & ~own, -torch.inf)
    right = torch.arange(len(logits), device=logits.device)
    forth = F.cross_entropy(_widened(logits, pictures, scale, negatives), right)
    return (forth + F.cross_entropy(logits.T, right)) / 2 if symmetric else forth


def _weighted(logits: Tensor, cosines: Tensor, own: Tensor | None, hardness: float) -> Tensor:
    """Logits of negatives, each with the logarithm of its weight."""
    if not hardness:
        return logits
    more = hardness * cosines.detach()
    return logits + (more if own is None else more.masked_fill(own, 0.0))


def _widened(logits: Tensor, pictures: Tensor, scale: Tensor | float, more: Negatives) -> Tensor:
    """(B, B + H) logits, with those of each picture's wrong texts."""
    if more.hard is None:
        return logits
    cosines = torch.einsum("bd,bhd->bh", pictures, more.hard.float())
    hard = _weighted(scale * cosines, cosines, None, more.hardness)
    if more.held is not None:
        hard = hard.masked_fill(~more.held, -torch.inf)
    return torch.cat([logits, hard], dim=1)
