"""Federated softmax regression: a convex world of skewed clients, and where a method ends in it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.federate.aggregation import average
from tastemaker.federate.baselines import cross_entropy
from tastemaker.federate.fedssd import measured
from tastemaker.federate.objectives import LocalObjective, Method
from tastemaker.seams import Broadcast, Outputs, Reply

TRAVELLED = 60
"""Sum of the learning rates of all local steps, so that small ones take more rounds."""
DECAY, SAMPLES, INPUTS, CLASSES = 0.1, 120, 5, 3


class Logistic(nn.Module):
    """Linear logits, so the loss is convex and the bound of FedSSD's term has its constant."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CLASSES, INPUTS, dtype=torch.float64))

    def outputs(self, part: SimpleNamespace) -> Outputs:
        """As of every federable model."""
        return Outputs(part.inputs @ self.weight.T, part.labels, part.inputs)

    def forward(self, part: SimpleNamespace) -> Tensor:
        """Its loss."""
        return cross_entropy(self.outputs(part), part.target_count)


def part_of(inputs: Tensor, labels: Tensor) -> SimpleNamespace:
    """All of them in one step; rows are known, so the global model answers once a round."""
    part = SimpleNamespace(inputs=inputs, labels=labels, target_count=len(labels))
    part.rows, part.parts = np.arange(len(labels)), lambda: [part]
    return part


def world(seed: int) -> tuple[SimpleNamespace, list[SimpleNamespace]]:
    """All data and that of three clients, each of which has mostly one class."""
    coins = torch.Generator().manual_seed(seed)
    inputs = torch.randn(SAMPLES, INPUTS, generator=coins, dtype=torch.float64)
    chances = (inputs @ torch.randn(INPUTS, CLASSES, generator=coins).double()).softmax(1)
    labels = torch.multinomial(chances, 1, generator=coins)[:, 0]
    order = (labels + 0.3 * torch.randn(SAMPLES, generator=coins)).argsort()
    return part_of(inputs, labels), [part_of(inputs[own], labels[own]) for own in order.chunk(3)]


def left(method: Method, lr: float, steps: int, seed: int) -> float:
    """Norm of the gradient of all data after as many steps as go equally far with every lr."""
    (whole, clients), model = world(seed), Logistic()
    for number in range(1, round(TRAVELLED / lr / steps) + 1):
        now = {"weight": model.weight.detach().clone()}
        broadcast, replies = Broadcast(number, now, measured(model, [whole])), []
        for client, part in enumerate(clients):
            model.load_state_dict(now)
            objective = LocalObjective(model, method, broadcast)
            optimizer = torch.optim.SGD(model.parameters(), lr, weight_decay=DECAY)
            for _ in range(steps):
                optimizer.zero_grad()
                objective(part).backward()
                optimizer.step()
            own = {"weight": model.weight.detach().clone()}
            replies.append(Reply(str(client), number, own, part.target_count))
        model.load_state_dict(average(now, replies))
    gradient = torch.autograd.grad(model(whole), model.weight)[0] + DECAY * model.weight.detach()
    return float(gradient.norm())
