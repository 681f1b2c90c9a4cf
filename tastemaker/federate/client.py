"""What a client does in a round: train on from the global model, and reply with its own.

The step is that of every other training here (`train.step`), so a federation of one client is plain
training. The optimiser is new in every round: no momentum is carried over.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.seams import Broadcast, ClientData, Reply
from tastemaker.seams.federating import Tensors


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
    """MOON: its weights after the last round it took part in"""
    control: Tensors = field(default_factory=dict)
    """SCAFFOLD's c_i"""
