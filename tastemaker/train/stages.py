"""A training in stages: what learns in each, with which options; most models have one.

Stages follow each other in one training: epochs, steps and validations are counted on, each stage
begins with the weights that the one before kept, and has a warm-up, an optimiser and a patience of
its own. The training ends with what its last stage keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import nn

from tastemaker.files import JsonObject
from tastemaker.seams import Stage, Staged
from tastemaker.train.config import FitConfig, shaping

OWN = ("epochs", "lr", "weight_decay", "warmup", "schedule", "anneal", "clip", "validate_every",
       "patience")  # fmt: skip
"""Training options that a stage may set; the others are those of the whole training."""


class Planned(NamedTuple):
    """A stage and how it trains."""

    stage: Stage
    config: FitConfig


def stages_of(model: nn.Module, config: FitConfig) -> tuple[Planned, ...]:
    """The stages of a model's training; one without a name where it has none.

    Raises:
        BadInput: If an option of a stage cannot train.
        ValueError: If the stages are none, not told apart by name, or set what is no stage's own.
    """
    if not isinstance(model, Staged):
        return (Planned(Stage(), config),)
    stages = tuple(model.stages())
    if not all(stage.name for stage in stages) or len({s.name for s in stages}) != len(stages):
        raise ValueError("stages have names that tell them apart")
    if not stages:
        raise ValueError("a training in stages has at least one")
    for stage in stages:
        if foreign := stage.options.keys() - {*OWN}:
            raise ValueError(f"stage {stage.name!r} cannot set {', '.join(sorted(foreign))}")
        for part in stage.learns:
            if not any(_within(name, part) for name, _ in model.named_parameters()):
                raise ValueError(f"stage {stage.name!r} trains {part!r}, which is no parameter")
    return tuple(Planned(stage, replace(config, **stage.options)) for stage in stages)


def identity(stages: Sequence[Planned], config: FitConfig) -> JsonObject:
    """What shapes the weights: all of every stage, but that the last may be trained longer."""
    shapes = [
        {
            "name": stage.name,
            "learns": list(stage.learns),
            "loss": stage.loss,
            "keeps": stage.keeps,
            **shaping(options),
            **(
                {"epochs": options.epochs, "patience": options.patience}
                if number < len(stages)
                else {}
            ),
        }
        for number, (stage, options) in enumerate(stages, start=1)
        if stage.name
    ]
    return {**shaping(config), **({"stages": shapes} if shapes else {})}


def learning(model: nn.Module) -> frozenset[str]:
    """Names of the parameters that have a gradient."""
    return frozenset(name for name, p in model.named_parameters() if p.requires_grad)


def enter(model: nn.Module, stage: Stage, learns: frozenset[str]) -> None:
    """Make a model ready for a stage.

    Args:
        model: The model.
        stage: The stage; parameters that it does not name are frozen.
        learns: Names of the parameters that learn in any stage.
    """
    for name, parameter in model.named_parameters():
        named = any(_within(name, part) for part in stage.learns)
        parameter.requires_grad_(named and name in learns)
    if isinstance(model, Staged):
        model.enter(stage)


def leave(model: nn.Module, learns: frozenset[str]) -> None:
    """Let everything learn again that did before the training."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in learns)


def _within(name: str, part: str) -> bool:
    """Whether a parameter is a part, or of the module that is."""
    return not part or name == part or name.startswith(f"{part}.")
