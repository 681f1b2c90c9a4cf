"""A tiny federable model, and steps of it, for the mathematics alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tastemaker.federate.baselines import cross_entropy
from tastemaker.seams import Broadcast, Outputs


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a step: some rows of the inputs."""

    inputs: Tensor
    labels: Tensor
    target_count: int
    rows: npt.NDArray[np.int64] | None = None

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[Part]:
        return [self]

    def to(self, device: torch.device) -> Part:
        return self


class Toy(nn.Module):
    """Logits of a hidden layer; a batch counter and a private bias stand for all such."""

    def __init__(self, inputs: int = 4, classes: int = 3, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.hidden, self.top = nn.Linear(inputs, 5), nn.Linear(5, classes)
        self.own = nn.Parameter(torch.zeros(classes))
        self.register_buffer("steps", torch.tensor(0))
        self.dropout = nn.Dropout(0.5)
        self.dropout.eval()
        for parameter in self.parameters():
            nn.init.normal_(parameter, generator=generator)
        self.private, self.by_row = frozenset({"own"}), frozenset[str]()
        self.asked = 0

    def outputs(self, part: Part) -> Outputs:
        self.asked += 1
        features = self.dropout(self.hidden(part.inputs).tanh())
        return Outputs(self.top(features) + self.own, part.labels, features)

    def forward(self, part: Part) -> Tensor:
        return cross_entropy(self.outputs(part), part.target_count)


def broadcast_of(
    model: nn.Module, credibility: tuple[float, ...] = (), control: dict[str, Tensor] | None = None
) -> Broadcast:
    weights = {k: v.clone() for k, v in model.state_dict().items() if k != "own"}
    return Broadcast(1, weights, credibility, control or {})


def part_of(count: int = 6, inputs: int = 4, classes: int = 3, seed: int = 0) -> Part:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=generator)
    features = torch.randn(count, inputs, generator=generator)
    return Part(features, labels, count, np.arange(count))


def moved(model: nn.Module, seed: int = 1, by: float = 0.3) -> None:
    """Away from where it was, as training would."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += by * torch.randn(parameter.shape, generator=generator)
