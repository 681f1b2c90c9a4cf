"""How to train: the options of `fit`, and the learning rate they give."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

from tastemaker.config import to_json
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import HEADLINE


@dataclass(frozen=True)
class FitConfig:
    """How to train."""

    epochs: int = 100
    """most passes over the training events."""
    lr: float = 1e-3
    """learning rate of AdamW at its height."""
    weight_decay: float = 0.0
    """AdamW's decay of weights."""
    warmup: int = 100
    """steps over which the learning rate rises from 0."""
    schedule: Literal["constant", "cosine"] = "constant"
    """what follows the warm-up: hold, or fall to a tenth over `anneal` epochs and then hold."""
    anneal: int = 20
    """epochs over which the cosine schedule falls."""
    clip: float = 5.0
    """largest norm of a step's gradient."""
    batch: int = 32
    """rows of full length in a batch; shorter rows come in larger batches."""
    validate_every: int = 1
    """epochs between validations."""
    patience: int = 5
    """validations without a better `metric` before training stops; 0 never stops."""
    metric: str = HEADLINE
    """validation metric that selects the weights."""
    checkpoint_every: int = 200
    """steps between checkpoints, beside one after each validation."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """arithmetic of the forward pass."""
    seed: int = 0
    """seed of weights, order, negatives and dropout."""
    track: str = ""
    """tracker beside metrics.jsonl: tensorboard, wandb or mlflow."""

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        values = to_json(self)
        for name, least in _LEAST.items():
            value = values[name]
            if type(value) is not int or not least <= value <= _MOST:
                raise _refused(name, value, f"Give a whole number from {least} to {_MOST:,}.")
        for name in ("lr", "clip", "weight_decay"):
            value, lowest = values[name], 0.0 if name == "weight_decay" else sys.float_info.min
            if type(value) not in (int, float) or not lowest <= value <= sys.float_info.max:
                fix = "Give a finite number above 0." if lowest else "Give a finite one, 0 or more."
                raise _refused(name, value, fix)
        for name, known in _KNOWN.items():
            if values[name] not in known:
                raise _refused(name, values[name], f"Known: {', '.join(filter(None, known))}.")


_MOST = 2**32 - 1
_LEAST = {
    "epochs": 1,
    "batch": 1,
    "anneal": 1,
    "validate_every": 1,
    "checkpoint_every": 1,
    "warmup": 0,
    "patience": 0,
    "seed": 0,
}
_KNOWN = {
    "schedule": ("constant", "cosine"),
    "precision": ("fp32", "bf16"),
    "track": ("", "tensorboard", "wandb", "mlflow"),
}


def _refused(name: str, value: object, fix: str) -> BadInput:
    return BadInput(f"{name} = {value!r} cannot train.", f"training option {name}", fix)


def learning_rate(config: FitConfig, step: int, steps: int) -> float:
    """Learning rate of step 0, 1, …, with `steps` in an epoch."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    if config.schedule == "constant":
        return config.lr
    done = (step - config.warmup) / max(1, config.anneal * steps - config.warmup)
    return config.lr * (0.1 + 0.9 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def shaping(config: FitConfig) -> JsonObject:
    """Options that shape the weights; a resumed run may train longer or be tracked elsewhere."""
    free = ("epochs", "patience", "track", "checkpoint_every")
    return {name: value for name, value in to_json(config).items() if name not in free}
