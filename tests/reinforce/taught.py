"""A tiny policy, prompts and a trainer of them; answers are the first letters of what is said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.data.replies import Conversation
from tastemaker.reinforce.checkpoints import TrainerCheckpoints
from tastemaker.reinforce.grpo import RestrainTrainer
from tastemaker.reinforce.learning import LearningConfig, trainer_config
from tastemaker.reinforce.lesson import Lesson, rows_for, schedule
from tastemaker.reinforce.policy import Policy, open_policy
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig

ASKED: list[Conversation] = [
    ({"role": "user", "content": text},) for text in ("the boat", "one", "red and blue", "what?")
]
SMALL: dict[str, Any] = {
    "n": 4, "prompts_per_step": 2, "steps": 3, "max_tokens": 6, "micro": 4, "lr": 1e-3, "beta": 0.0,
}  # fmt: skip


def first_letter(
    texts: Sequence[Sequence[str]],
    known: Sequence[Sequence[str | None]],
    kinds: Sequence[str],
) -> list[list[str | None]]:
    """The half of the alphabet that a text begins in; None where it begins with a control."""
    return [
        [_half(text) for text in group] + list(beside)
        for group, beside in zip(texts, known, strict=True)
    ]


def _half(text: str) -> str | None:
    return None if not text or ord(text[0]) < 32 else str(ord(text[0]) % 2)


def trainer(
    folder: Path,
    policy: Policy | Path,
    name: str = "restrain",
    votes: RestrainConfig | None = None,
    known: dict[str, list[Any]] | None = None,
    weights: Sequence[float] | None = None,
    kept: bool = False,
    lines: list[Any] | None = None,
    **learning: Any,
) -> RestrainTrainer:
    """A trainer of a tiny policy, ready to train."""
    config = LearningConfig(**SMALL | learning)
    opened = open_policy(policy, 0, config.seed) if isinstance(policy, Path) else policy
    votes = votes or RestrainConfig(kappa=2)
    told: list[Any] = [] if lines is None else lines
    lesson = Lesson(name, SignalConfig(restrain=votes), first_letter, config.beta, told.append)
    order = schedule(len(ASKED), config.steps * config.prompts_per_step, config.seed)
    rows = rows_for(opened, ASKED, name, weights, known).select(order)
    return RestrainTrainer(
        opened,
        trainer_config(config, folder, 1, cpu=True),
        rows,
        lesson,
        TrainerCheckpoints(folder, {"of": "test"}) if kept else None,
    )
