"""VRec's check of a thought: verifiers say which groups come next, a gate says whom to believe.

Verifier i has C_i classes; with r the thought,

    p_i = softmax(W_i r + b_i);  H_i = −Σ p_i log p_i;  h_i = H_i / log C_i
    π = softmax(W_g r + b_g);  w = Σ_i π_i h_i;  g = Σ_i π_i W_i[argmax p_i]
    r~ = (1 − w) r + w g

so an uncertain thought is drawn to the prototypes of the groups that it points at. A gradient flows
through w, π and the chosen rows of W, not through the choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput


class Verdict(NamedTuple):
    """What M verifiers say of B thoughts."""

    thought: Tensor
    """(B, D) r"""
    verified: Tensor
    """(B, D) r~, which the model reads on with"""
    weight: Tensor
    """(B,) w, how far the thought was moved: 0 not at all, 1 to the guidance"""
    guidance: Tensor
    """(B, D) g"""
    gate: Tensor
    """(B, M) π"""
    entropies: Tensor
    """(B, M) H_i, in nats"""
    log_probs: tuple[Tensor, ...]
    """M times (B, C_i)"""
    uncertainty: Tensor
    """(B, M) H_i / log C_i, from 0 to 1"""


class Verifiers(nn.Module):
    """M verifiers and the gate between them."""

    most: Tensor
    """(M,) float32 largest entropy of each, log C_i"""

    def __init__(self, dim: int, classes: Sequence[int]) -> None:
        """Fresh weights.

        Args:
            dim: Width D of a thought.
            classes: (M,) classes of each, at least 2.
        """
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(dim, count) for count in classes)
        self.gate = nn.Linear(dim, len(classes))
        most = torch.tensor([math.log(count) for count in classes])
        self.register_buffer("most", most, persistent=False)

    def forward(self, thought: Tensor, feedback: bool = True, prototypes: bool = True) -> Verdict:
        """Check (B, D) thoughts.

        Args:
            thought: r.
            feedback: Whether w is as computed; else it is 0, and thoughts stay bit for bit.
            prototypes: Whether g is as computed; else it is 0.
        """
        heads = [cast(nn.Linear, head) for head in self.heads]
        log_probs = tuple(head(thought).log_softmax(-1) for head in heads)
        entropies = (
            torch.stack([-(said.exp() * said).sum(-1) for said in log_probs], 1) + 0.0
        )  # no −0
        uncertainty = (entropies / self.most).clamp(0, 1)
        gate = self.gate(thought).softmax(-1)
        weight = (gate * uncertainty).sum(1) if feedback else torch.zeros_like(thought[:, 0])
        guidance = torch.zeros_like(thought)
        if prototypes:
            chosen = (head.weight[s.argmax(-1)] for head, s in zip(heads, log_probs, strict=True))
            guidance = (gate[..., None] * torch.stack([*chosen], 1)).sum(1)
        share = weight[:, None]
        verified = (1 - share) * thought + share * guidance
        return Verdict(thought, verified, weight, guidance, gate, entropies, log_probs, uncertainty)


class Labels(nn.Module):
    """Which classes of a verifier the items are in: one, several, or none."""

    groups: Tensor
    """(I+1, W) int64 groups of each item, −1 after the last; row 0 is padding, and in none"""

    def __init__(self, name: str, grouping: Grouping) -> None:
        """Take a grouping of the items; its classes are its groups, seen in training or not.

        Args:
            name: What the verifier is called.
            grouping: Of I items.

        Raises:
            BadInput: If it groups something else, has fewer than two groups, or no item is in one.
        """
        super().__init__()
        if grouping.of != "items":
            what = f"{name} groups {grouping.of}, and a verifier says groups of items."
            raise BadInput(what, f"--model.verifiers {name}", "Choose groups of items.")
        if grouping.num_groups < 2 or not grouping.membership.nnz:
            what = f"{name} has fewer than two groups, or none with an item."
            fix = "Choose other groups, which tell items apart, or no verifier."
            raise BadInput(what, f"--model.verifiers {name}", fix)
        self.name, self.grouping = name, grouping
        table = grouping.membership.tocsr().sorted_indices()
        counts = np.diff(table.indptr)
        groups = np.full((len(counts) + 1, int(counts.max())), -1, np.int64)
        groups[1:][np.arange(groups.shape[1]) < counts[:, None]] = table.indices
        self.register_buffer("groups", torch.from_numpy(groups), persistent=False)

    def log_likelihood(self, log_probs: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """How probable the groups of some items are: of any one of them, where there are several.

        Args:
            log_probs: (B, C) of the classes.
            items: (B,) codes.

        Returns:
            (B,) log probability, 0 for an item in no group, and (B,) bool, whether it is in one.
        """
        groups, known = self.groups[items], self.known(items)
        said = log_probs.gather(1, groups.clamp(min=0)).masked_fill(groups < 0, -torch.inf)
        # Set before the sum, whose gradient at −∞ would be no number.
        total = said.masked_fill(~known[:, None], 0.0).logsumexp(1)
        return torch.where(known, total, 0.0), known

    def known(self, items: Tensor) -> Tensor:
        """(B,) bool, whether each of the (B,) items is in a group."""
        return (self.groups[items] >= 0).any(1)

    def holds(self, items: Tensor, groups: Tensor) -> Tensor:
        """(B,) bool, whether each of the (B,) items is in the group at its place."""
        return (self.groups[items] == groups[:, None]).any(1)
