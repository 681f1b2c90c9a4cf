"""What a training draws by chance: torch's generator, and its device's where that has its own.

Batches and negatives are functions of (seed, epoch, step); dropout alone draws from these, on a GPU
from the GPU's.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

CPU, DEVICE = "state", "device"
"""Names of the two states."""


def random_state(device: torch.device) -> dict[str, Tensor]:
    """State of each generator that a step on `device` may draw from: (n,) uint8 on the CPU."""
    states = {CPU: torch.get_rng_state()}
    if device.type != "cpu":
        states[DEVICE] = torch.get_device_module(device).get_rng_state(device)
    return states


def restore(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Go on drawing from where `random_state` was asked; a generator without a state draws on.

    Raises:
        RuntimeError: If a state is none of its generator.
    """
    torch.set_rng_state(states[CPU])
    if device.type != "cpu" and DEVICE in states:
        torch.get_device_module(device).set_rng_state(states[DEVICE], device)
