"""Which weights a training keeps: the metric that selects, its best value, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from tastemaker.errors import BadInput, NumericFault
from tastemaker.train.config import FitConfig
from tastemaker.train.progress import Progress


def chosen(metrics: Mapping[str, float], name: str, epochs: int) -> float:
    """The metric that selects.

    Raises:
        BadInput: If it was not measured.
        NumericFault: If it is not finite.
    """
    if name not in metrics:
        known = f"Choose one of: {', '.join(metrics)}."
        raise BadInput(f"Validation gives no metric {name!r}.", "training option metric", known)
    value = float(metrics[name])
    if not math.isfinite(value):
        fix = "Look at what validates; the last checkpoint is sound."
        raise NumericFault(f"The metric {name} is {value}.", f"after epoch {epochs}", fix)
    return value


def copied(model: nn.Module) -> dict[str, Tensor]:
    """The weights of a model as they stand, apart from it."""
    state: dict[str, Tensor] = model.state_dict()
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def selected(
    progress: Progress, config: FitConfig, keeps: Literal["best", "last"]
) -> tuple[int, float]:
    """The epoch whose weights the running stage keeps, and what they were on validation."""
    if keeps == "last":
        return progress.first_epoch + progress.epochs, progress.recent[-1]
    epochs = (len(progress.recent) - progress.stale) * config.validate_every
    return progress.first_epoch + min(epochs, progress.epochs), progress.best


def exhausted(progress: Progress, config: FitConfig) -> bool:
    """Whether patience has run out."""
    return 0 < config.patience <= progress.stale


def converged(progress: Progress, config: FitConfig) -> bool:
    """Whether patience ran out, or less than 1 % was gained over the last 5 validations."""
    history = progress.recent
    if exhausted(progress, config):
        return True
    return len(history) > 5 and max(history[-5:]) < 1.01 * max(history[:-5])
