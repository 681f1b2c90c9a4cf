"""What a trainer teaches: a signal, who reads the answers, and what of a prompt the signal sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from tastemaker.data.replies import Conversation
from tastemaker.models.extras import extra
from tastemaker.reinforce.monitors import Monitored, monitored
from tastemaker.reinforce.policy import Policy
from tastemaker.reinforce.restrain import Streams
from tastemaker.reinforce.signals import (
    LABELLED,
    LabelFree,
    Labelled,
    Rollouts,
    SignalConfig,
    signal,
)
from tastemaker.reinforce.votes import UNREADABLE

GOLD, BASE, SHARE = "gold", "base_answer", "base_share"
"""Columns of answers that are known, of people and of most votes of the model before; and of the
share of its votes."""
KIND = "kind"
"""Column of what kind of answer a prompt asks for."""


class Reader(Protocol):
    """Finds the answers in texts."""

    def __call__(
        self,
        texts: Sequence[Sequence[str]],
        known: Sequence[Sequence[str | None]],
        kinds: Sequence[str],
    ) -> list[list[str | None]]:
        """For each of G prompts its n answers in words that are equal where they mean the same.

        Args:
            texts: G prompts of n texts.
            known: Answers that stand beside those of each prompt: their words come last.
            kinds: Of answer that each prompt asks for.

        Returns:
            G rows of n and as many more as are known; None where there is no answer.
        """


@dataclass(frozen=True)
class Lesson:
    """What a trainer teaches, and by what."""

    name: LabelFree | Labelled
    """of the signal"""
    config: SignalConfig
    read: Reader
    beta: float = 0.0
    """weight of the divergence from the model as it was"""
    watch: Callable[[Mapping[str, float]], None] = field(default=lambda line: None)
    """is told what was measured at every step"""
    stops: Callable[[], bool] = lambda: False
    """whether training shall end after this step, in order"""


def rows_for(
    policy: Policy,
    prompts: Sequence[Conversation],
    name: str,
    weights: Sequence[float] | None = None,
    known: Mapping[str, Sequence[object]] | None = None,
) -> Any:
    """The prompts as the trainer reads them, with what its signal reads of each, and no more.

    Args:
        policy: Who will answer.
        prompts: P conversations.
        name: The signal.
        weights: P prompt weights; None: all 1.
        known: Columns `kind`, `gold`, `base_answer` and `base_share`, of which some may be missing.

    Raises:
        BadInput: If the library of tables that the trainer reads is not installed.
    """
    with extra("rl"):
        from datasets import Dataset
    columns: dict[str, list[object]] = {
        "prompt": [policy.turns(prompt) for prompt in prompts],
        "number": list(range(len(prompts))),
        KIND: [""] * len(prompts),
        "prompt_weight": [1.0] * len(prompts) if weights is None else [float(w) for w in weights],
    }
    for column, values in (known or {}).items():
        if column != GOLD or name in LABELLED:
            columns[column] = list(values)
    return Dataset.from_dict(columns)


def schedule(prompts: int, wanted: int, seed: int) -> list[int]:
    """Numbers of the prompts in the order of a training: all of them, shuffled, again and again.

    Args:
        prompts: P.
        wanted: How many the training takes.
        seed: Of the order.
    """
    chance = torch.Generator().manual_seed(seed)
    order: list[int] = []
    while len(order) < wanted:
        order += torch.randperm(prompts, generator=chance).tolist()
    return order[:wanted]


def known_of(row: Mapping[str, Any]) -> list[str | None]:
    """Answers that a prompt's row holds beside the prompt."""
    return [row[name] for name in (GOLD, BASE) if name in row]


def taught(
    lesson: Lesson,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Sequence[str | None]],
    lengths: Tensor,
    certainty: Tensor | None = None,
    step: int = 0,
) -> tuple[Streams, Monitored]:
    """Advantages of G groups, and what is measured of their votes.

    Args:
        lesson: The signal.
        rows: G prompts; of each only what the signal reads.
        answers: What a `Reader` gave.
        lengths: (G, n) tokens of each answer.
        certainty: (G, n), where the signal reads it.
        step: Of the training.
    """
    n = lengths.shape[1]
    numbers: dict[str | None, int] = {None: UNREADABLE}
    codes = torch.tensor(
        [[numbers.setdefault(one, len(numbers) - 1) for one in row] for row in answers]
    )
    columns = [name for name in (GOLD, BASE) if name in rows[0]]
    known = dict(zip(columns, codes[:, n:].T, strict=True))
    shares = [float(row[SHARE]) for row in rows] if SHARE in rows[0] else None
    rollouts = Rollouts(
        answers=codes[:, :n],
        prompt_weights=torch.tensor([float(row["prompt_weight"]) for row in rows]),
        base_answers=known.get(BASE),
        base_shares=None if shares is None else torch.tensor(shares),
        certainty=certainty,
        step=step,
    )
    streams = signal(lesson.name, rollouts, lesson.config, known.get(GOLD))
    return streams, monitored(codes[:, :n], streams, lengths=lengths)
