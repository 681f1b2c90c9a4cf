"""Which group comes next: a share of each, and a switch that turns heads of others off.

The shares are a softmax over the groups of a prior, which heads are merged by. The switch is a
logistic one a group, and off by default (spec priors §3.5, §9).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Gates(nn.Module):
    """One linear map a prior, and a second where there is a switch; all begin at zero."""

    def __init__(self, dim: int, sizes: Sequence[int], switch: bool) -> None:
        """Gates for priors of `sizes` groups, on states of length `dim`."""
        super().__init__()
        kinds = 2 if switch else 1
        self.weights = nn.ParameterList(torch.zeros(kinds, size, dim) for size in sizes)
        self.biases = nn.ParameterList(torch.zeros(kinds, size) for size in sizes)

    def shares(self, prior: int, states: Tensor) -> Tensor:
        """(T, D) → (T, C) logits of the group that comes next."""
        return self._logits(prior, 0, states)

    def switched(self, prior: int, states: Tensor) -> Tensor:
        """(T, D) → (T, C) logits of whether a group is still to come."""
        return self._logits(prior, 1, states)

    def _logits(self, prior: int, kind: int, states: Tensor) -> Tensor:
        weight, bias = self.weights[prior][kind], self.biases[prior][kind]
        return nn.functional.linear(states, weight, bias)
