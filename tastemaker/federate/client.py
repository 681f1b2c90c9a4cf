"""What a client does in a round: train on from the global model, and reply with its own.

The step is that of every other training here (`train.step`), so a federation of one client is plain
training. The optimiser is new in every round: no momentum is carried over.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import Moon, Scaffold, own_control, refuse_momentum
from tastemaker.federate.checks import above, within
from tastemaker.federate.objectives import LocalObjective, Method
from tastemaker.seams import Broadcast, ClientData, Federable, Reply
from tastemaker.train.step import Trainer

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors


_BETAS = (0.9, 0.98)
"""Of Adam, as in every training here."""


@dataclass(frozen=True)
class LocalConfig:
    """How a client trains."""

    epochs: int = 5
    """passes over its own data in a round"""
    batch: int = 32
    """examples in a step"""
    lr: float = 0.05
    """learning rate of SGD"""
    momentum: float = 0.9
    """of SGD, begun anew in every round"""
    weight_decay: float = 1e-5
    """of SGD"""
    clip: float = 0.0
    """largest norm of a step's gradient; 0: any"""
    seed: int = 0
    """of the order of examples, of dropout, and of who takes part"""
    optimizer: Literal["sgd", "adam"] = "sgd"
    """Adam, without SGD's momentum, suits next-item models; SCAFFOLD takes SGD alone"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("epochs", self.epochs, 1)
        within("batch", self.batch, 1)
        above("lr", self.lr)
        within("momentum", self.momentum, 0)
        if self.momentum >= 1:
            what, fix = f"momentum is {self.momentum}.", "Give a number from 0 to below 1."
            raise BadInput(what, "momentum", fix)
        within("weight_decay", self.weight_decay, 0)
        within("clip", self.clip, 0)


@dataclass(frozen=True, eq=False)
class Client:
    """Somebody who takes part."""

    name: str
    data: ClientData


@dataclass(frozen=True, eq=False)
class Memory:
    """What stays at a client between rounds."""

    private: Tensors = field(default_factory=dict)
    """weights that are its own"""
    previous: Tensors = field(default_factory=dict)
    """of the last round it took part in: with MOON its weights, with SCAFFOLD c_i"""


def seed_of(seed: int, round_: int, client: str) -> int:
    """63 bits for all that a client draws in a round."""
    told = hashlib.sha256(f"{seed} {round_} {client}".encode()).digest()
    return int.from_bytes(told[:8], "big") >> 1


def shared(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all weights of a `Federable` module but its private ones, on the CPU."""
    private = federable(model).private
    state: dict[str, Tensor] = model.state_dict()
    return {name: copied(one) for name, one in state.items() if name not in private}


def private(model: nn.Module) -> dict[str, Tensor]:
    """Copies of the private weights of a `Federable` module, on the CPU."""
    own = federable(model).private
    return {name: copied(one) for name, one in model.state_dict().items() if name in own}


def federable(model: nn.Module) -> Federable:
    """The same, as what it must be besides a module."""
    return cast("Federable", model)


def copied(tensor: Tensor) -> Tensor:
    """Values of their own on the CPU."""
    return tensor.detach().to("cpu", copy=True)


def optimizer_of(model: nn.Module, config: LocalConfig) -> torch.optim.Optimizer:
    """The optimiser of a client's part in one round."""
    if config.optimizer == "sgd":
        return sgd(model, config)
    decay = config.weight_decay
    return torch.optim.AdamW(model.parameters(), config.lr, _BETAS, weight_decay=decay)


def sgd(model: nn.Module, config: LocalConfig) -> torch.optim.SGD:
    """SGD without momentum yet."""
    return torch.optim.SGD(
        model.parameters(), config.lr, config.momentum, weight_decay=config.weight_decay
    )


def train_client(
    model: nn.Module,
    client: Client,
    method: Method,
    broadcast: Broadcast,
    memory: Memory,
    config: LocalConfig,
) -> tuple[Reply, Memory]:
    """One client's part in a round.

    Args:
        model: A `Federable` module to work with; its weights are overwritten.
        client: Who, and what it holds.
        method: What it minimises.
        broadcast: What the server sent.
        memory: What stayed there after its last round.
        config: How it trains.

    Returns:
        What it sends back, in tensors of their own; and what stays, the same object where its
        method has it remember nothing.

    Raises:
        NumericFault: If a loss or gradient is not finite.
        BadInput: If what was sent is not of this model or for this method.
    """
    refuse_momentum(method, config.momentum if config.optimizer == "sgd" else _BETAS[0])
    _load(model, {**broadcast.weights, **memory.private}, client.name)
    objective = LocalObjective(model, method, broadcast, memory.previous or None)
    seed = seed_of(config.seed, broadcast.round, client.name)
    steps = train(objective, client.data, config, seed)
    weights, own = shared(model), private(model)
    previous: Tensors = {}
    change: dict[str, Tensor] = {}
    if isinstance(method, Moon):
        previous = weights
    if isinstance(method, Scaffold):
        start = {name: broadcast.weights[name] for name in broadcast.control}
        was, travelled = memory.previous, steps * config.lr
        previous = own_control(start, weights, broadcast.control, was, travelled)
        change = {name: c - was[name] if name in was else c for name, c in previous.items()}
    reply = Reply(
        client.name, broadcast.round, weights, client.data.examples, client.data.seen(), change
    )
    return reply, Memory(own, previous) if own or previous else memory


def _load(model: nn.Module, weights: Tensors, client: str) -> None:
    """Give a model the weights that came, and those that stayed.

    Raises:
        BadInput: If they are not of this model.
    """
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        what, fix = "The weights that were sent are of another model.", "Train the same on both."
        raise BadInput(f"{what} {error}", f"client {client}", fix) from None


def train(model: nn.Module, data: ClientData, config: LocalConfig, seed: int) -> int:
    """Train in place with an optimiser of its own.

    Args:
        model: Called with a part of a step it gives the loss.
        data: To train on.
        config: How.
        seed: Of the order of examples and of torch's generator, which is left as it was.

    Returns:
        Steps taken.

    Raises:
        NumericFault: If a loss or gradient is not finite.
    """
    trainer = Trainer(model, optimizer_of(model, config), config.clip or math.inf)
    steps, batches = 0, data.batches(config.batch, seed)
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for epoch in range(config.epochs):
            for batch in batches.epoch(epoch):
                trainer.step(batch, config.lr)
                steps += 1
    return steps
