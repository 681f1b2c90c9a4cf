"""What a reinforcement is decided by, and what it has to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from tastemaker.config import to_json
from tastemaker.counts import counted
from tastemaker.data.replies import Conversation
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject, read_json
from tastemaker.metrics.intervals import intervals
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.policy import Policy
from tastemaker.reinforce.prompts import Prompt
from tastemaker.reinforce.restrain import RestrainConfig, prompt_weights
from tastemaker.reinforce.signals import LabelFree, Labelled, SignalConfig
from tastemaker.reinforce.untrained_votes import BaseVotes

KIND = "reinforcement"
"""Kind of artefact."""
_SLOW, _MOST_UNREADABLE = 0.1, 0.5
"""A mean prompt weight and a share of replies that are worth a word."""


@dataclass(frozen=True)
class Exercise:
    """A file of prompts, and the answers that are known of some."""

    name: str
    prompts: Sequence[Prompt]
    sha256: str
    """of the file"""

    @property
    def asked(self) -> list[Conversation]:
        """What each prompt asks."""
        return [prompt.messages for prompt in self.prompts]

    @property
    def kinds(self) -> list[str]:
        """Of answer that each asks for."""
        return [prompt.kind for prompt in self.prompts]

    @property
    def answers(self) -> list[str | None]:
        """Right answers, where they are known."""
        return [prompt.gold for prompt in self.prompts]

    def without(self) -> str:
        """The first prompt whose answer is not known; empty: all are."""
        return next((prompt.id for prompt in self.prompts if prompt.gold is None), "")


@dataclass(frozen=True)
class ReinforceConfig:
    """Everything that decides what a model learns, beside the prompts."""

    model: str
    signal: LabelFree | Labelled = "restrain"
    lora: int = 16
    """rank of adapters; 0: all of the model learns"""
    learning: LearningConfig = field(default_factory=LearningConfig)
    signals: SignalConfig = field(default_factory=SignalConfig)
    base_n: int = 16
    """answers to each prompt by the untrained model"""
    held_out_n: int = 4
    """answers to each held-out prompt"""
    held_out_temperature: float = 0.6
    check_every: int = 0
    """steps from one look at the held-out prompts to the next; 0: before and after alone"""


def weights_of(votes: Sequence[BaseVotes], config: ReinforceConfig) -> list[float]:
    """What each prompt weighs by the votes of the untrained model."""
    counts = torch.tensor([vote.votes for vote in votes])
    made: list[float] = prompt_weights(counts, config.base_n, config.signals.restrain).tolist()
    return made


def votes_told(votes: Sequence[BaseVotes] | None, config: ReinforceConfig) -> JsonObject:
    """How far the untrained model agreed with itself; None where it was not asked."""
    if votes is None:
        return {"base_votes": None}
    shares = [vote.votes / config.base_n for vote in votes]
    told: JsonObject = {"n": config.base_n, "majority": sum(shares) / len(shares)}
    weights = weights_of(votes, config)
    told["weights"] = {"mean": sum(weights) / len(weights), "most": max(weights)}
    return {"base_votes": told}


def read_shares(path: Path, count: int) -> list[float]:
    """Shares of correct answers to so many prompts, as a run that was stopped has kept them.

    Raises:
        ArtefactError: If the file does not hold them.
    """
    shares = read_json(path).get("shares")
    known = [
        share for share in (shares if isinstance(shares, list) else [])
        if isinstance(share, int | float) and 0 <= share <= 1
    ]  # fmt: skip
    if not isinstance(shares, list) or not len(known) == len(shares) == count:
        want, fix = f"{counted(count, 'share')}, 0 to 1", "Remove it, and it is measured again."
        raise ArtefactError(str(path), "The file holds other accuracies", want, "others", fix)
    return known


def verdict(
    before: Sequence[float] | None, after: Sequence[float] | None, asked: str = "prompts"
) -> JsonObject:
    """Accuracy on held-out prompts, and whether what was learned is kept.

    Args:
        before: Share of correct answers to each; None: nothing was held out.
        after: The same, of the model that has learned.
        asked: What it is accuracy on, in a word.
    """
    if before is None or after is None:
        why = "No answers were held out to check it by."
        return {"accuracy": None, "kept": "unchecked", "why": why}
    change = [b - a for a, b in zip(before, after, strict=True)]
    cells = intervals({"before": before, "after": after, "change": change})
    fell = f"{cells['before'].mean:.3f} before, {cells['after'].mean:.3f} after"
    return {
        "accuracy": {name: cell.to_json() for name, cell in cells.items()},
        "kept": "yes" if cells["change"].mean >= 0 else "no",
        "why": f"Accuracy on held-out {asked}: {fell}.",
    }


def results_of(
    config: ReinforceConfig, policy: Policy, prompts: Exercise, held_out: Exercise | None
) -> JsonObject:
    """What was learned from, by whom and how."""
    both = {"prompts": prompts, "held_out": held_out}
    return {
        "kind": KIND,
        "model": {
            "name": config.model,
            "sha256": policy.identity,
            "lora": config.lora,
            "chats": policy.chats,
        },
        "signal": config.signal,
        "learning": to_json(config.learning),
        "signals": to_json(replace(config.signals, restrain=_widths(config))),
        "asked": {
            "base_n": config.base_n,
            "held_out_n": config.held_out_n,
            "held_out_temperature": config.held_out_temperature,
            "check_every": config.check_every,
        },
        **{
            name: one and {"name": one.name, "count": len(one.prompts), "sha256": one.sha256}
            for name, one in both.items()
        },
    }


def _widths(config: ReinforceConfig) -> RestrainConfig:
    """Its votes, with the widths that were taken where none were given."""
    votes = config.signals.restrain
    prompts = votes.prompt_sigma or votes.sigma_at(config.base_n)
    return replace(votes, sigma=votes.sigma_at(config.learning.n), prompt_sigma=prompts)


def warnings_of(
    results: Mapping[str, Any], lines: Sequence[Mapping[str, object]], config: ReinforceConfig
) -> list[str]:
    """What a reader should know before believing the rest.

    Args:
        results: What is told already.
        lines: Of `metrics.jsonl`.
        config: What decided it.
    """
    told = []
    if not results["model"]["chats"]:
        told.append("The model has no chat template: prompts were given as they stand.")
    falling = sum(line.get("falling") not in (0, 0.0, None) for line in lines)
    if config.signal == "restrain" and falling:
        many = counted(falling, "step")
        told.append(f"In {many} a rarer answer got a larger advantage: take a smaller sigma.")
    unreadable = _last(lines, "unreadable")
    if unreadable is not None and unreadable > _MOST_UNREADABLE:
        told.append(f"{unreadable:.0%} of the last replies had no answer of their kind in them.")
    weights = (results["base_votes"] or {}).get("weights", {})
    raw = config.signals.restrain.normalise_prompt_weights == "off"
    if config.signal == "restrain" and raw and weights.get("mean", 1) < _SLOW:
        told.append(
            f"Prompts weigh {weights['mean']:.2g} on average, which lowers the learning rate as "
            "much: raise it, or give --restrain.normalise-prompt-weights mean."
        )
    return told


def _last(lines: Sequence[Mapping[str, object]], name: str) -> float | None:
    """Mean of a monitor over the last steps."""
    values = [value for line in lines[-10:] if isinstance(value := line.get(name), int | float)]
    return sum(values) / len(values) if values else None
