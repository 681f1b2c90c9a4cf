"""What a server does in a round beside sending: whom it asks, and what it makes of the replies.

With privacy (`PrivacyConfig`) each client is drawn by itself, the change of each is cut to one
length, all count alike, and noise is added; nothing else that a client sends shapes the model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from tastemaker.errors import BadInput
from tastemaker.federate.aggregation import average, next_control
from tastemaker.federate.baselines import Scaffold
from tastemaker.federate.checkpoints import Position
from tastemaker.federate.client import LocalConfig, seed_of, shared, train
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.privacy import PrivacyConfig, private_average
from tastemaker.seams import ClientData, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

UNCLIPPED = ClipConfig(updates=0, few=0, rows=0, alone=0)
"""No update is shortened."""


def asked(clients: Collection[str], share: float, seed: int, number: int, each: bool) -> list[str]:
    """Who is to take part in a round, in the order of their names.

    Args:
        clients: All of them.
        share: Of them.
        seed: Of the federation.
        number: Of the round.
        each: Draw each by itself with this probability, so that it may be any number of them; else
            always as many.
    """
    names, rng = sorted(clients), np.random.default_rng([seed, number, 3])
    if each:
        return [
            name for name, coin in zip(names, rng.random(len(names)), strict=True) if coin < share
        ]
    count = max(1, round(share * len(names)))
    return [names[place] for place in np.sort(rng.permutation(len(names))[:count])]


def averaged(
    before: Position, accepted: Sequence[Reply], by_row: frozenset[str], clients: int
) -> Position:
    """The next weights, and SCAFFOLD's next control, from accepted replies.

    Args:
        before: Where the round began.
        accepted: At least one reply.
        by_row: Names of the tables averaged by row.
        clients: How many there are in all.
    """
    weights = average(before.weights, accepted, by_row)
    if not before.control:
        return replace(before, weights=weights)
    control = next_control(before.control, accepted, clients)
    return replace(before, weights=weights, control=control)


def privately(
    before: Position, accepted: Sequence[Reply], expected: int, config: PrivacyConfig, seed: int
) -> Position:
    """The same, bounded and noised.

    Args:
        before: Where the round began.
        accepted: Replies.
        expected: How many are asked in a round, in the mean.
        config: Clip and noise.
        seed: Of the noise; who knows it can take the noise off.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = private_average(before.weights, accepted, expected, config, generator)
    return replace(before, weights=weights)


def tuned(model: nn.Module, data: ClientData, local: LocalConfig, number: int) -> Tensors:
    """Weights of a model after a pass of plain SGD over the server's own examples.

    Args:
        model: Trained in place.
        data: The server's.
        local: Learning rate, batch and seed.
        number: Of the round.
    """
    plain = replace(local, epochs=1, momentum=0.0, weight_decay=0.0)
    train(model, data, plain, seed_of(local.seed, number, ""))
    return shared(model)


def bounded_gate(config: GateConfig) -> GateConfig:
    """A gate that holds no update against those of others, as privacy asks."""
    return replace(config, clip=UNCLIPPED)


def refuse_unbounded(method: object, by_row: Collection[str]) -> None:
    """Refuse what tells more of a client than privacy bounds.

    Raises:
        BadInput: With SCAFFOLD, whose control is not noised, and with tables averaged by row.
    """
    if isinstance(method, Scaffold):
        what = "SCAFFOLD sends controls that no noise is added to."
        raise BadInput(what, "privacy", "Choose another method, or go without privacy.")
    if by_row:
        what = f"Tables averaged by row tell who saw which row: {', '.join(sorted(by_row))}."
        raise BadInput(what, "privacy", "Average them as all other weights, or go without privacy.")
