"""The network of the MTMH-style model: a trunk, a head of engagement and a head of meaning."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.recommend.mtmh_shape import MTMHConfig


class Heads(NamedTuple):
    """Unit vectors of n items."""

    trigger: Tensor
    """(n, d)"""
    target: Tensor
    """(n, d)"""
    relevance: Tensor
    """(n, d); zero where nothing is written"""


class TwoHeads(nn.Module):
    """Ids, categories and content of items → unit vectors of both heads.

    The relevance head has a way from content past the trunk, so that an item without a known id has
    its meaning; where there is no content, there is no such head.
    """

    def __init__(self, config: MTMHConfig, num_items: int, content: int, groups: int) -> None:
        """Fresh weights, for `num_items` ids, content of such a length, and so many groups."""
        super().__init__()
        width, dim = config.width, config.dim
        self.ids = nn.Embedding(num_items + 1, width, padding_idx=0)
        self.groups = nn.EmbeddingBag(groups, width) if groups else None
        self.project = nn.Linear(content, width) if content else None
        parts = 1 + (self.groups is not None) + (self.project is not None)
        self.trunk = nn.Sequential(
            nn.Linear(parts * width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, width),
            nn.LayerNorm(width),
        )
        self.trigger = nn.Linear(width, dim, bias=False)
        self.target = self.trigger if config.symmetric else nn.Linear(width, dim, bias=False)
        self.meaning = nn.Linear(width, dim, bias=False) if content else None
        self.skip = nn.Linear(content, dim, bias=False) if content else None
        # Small ids, so that content is heard from the first step.
        nn.init.trunc_normal_(self.ids.weight, std=0.02)
        with torch.no_grad():
            self.ids.weight[0] = 0

    def silence(self) -> None:
        """Have the relevance head learn nothing: no loss would reach it."""
        for part in (self.meaning, self.skip):
            if part is not None:
                part.requires_grad_(False)

    def forward(self, ids: Tensor, vectors: Tensor, members: Tensor, offsets: Tensor) -> Heads:
        """Vectors of n items.

        Args:
            ids: (n,) codes, 0 where the id is not looked at.
            vectors: (n, c) content.
            members: Groups of the items one after another.
            offsets: (n,) where each item's groups begin.
        """
        parts = [self.ids(ids)]
        if self.groups is not None:
            parts.append(self.groups(members, offsets))
        if self.project is not None:
            parts.append(self.project(vectors))
        h = self.trunk(torch.cat(parts, 1))
        trigger, target = F.normalize(self.trigger(h), dim=1), F.normalize(self.target(h), dim=1)
        if self.meaning is None or self.skip is None:
            return Heads(trigger, target, torch.zeros_like(target))
        meaning = F.normalize(self.meaning(h) + self.skip(vectors), dim=1)
        return Heads(trigger, target, meaning * vectors.any(1, keepdim=True))
