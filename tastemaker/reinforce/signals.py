"""Signals: what rollouts are worth, by seven rules that need no labels and one that has them.

All are one call on what was sampled. What a rule without labels is given has no labels in it, so
that none can read them: `Rollouts` is its whole view.

gold             1[correct]; the upper bound
ttrl             1[the group's commonest answer], arXiv 2504.16084
srt-majority     1[the untrained model's commonest answer], fixed for the training, arXiv 2505.21444
srt-easy         as `ttrl`, of the prompts alone on which the untrained model agreed, the same paper
empo             the share of the group that gave the same answer, where the entropy of the answers
                 is within a band, arXiv 2504.05812
self-certainty   mean over tokens of KL(uniform ‖ p), arXiv 2505.19590
restrain         see `restrain`
random           a coin; whatever this gains is no learning

All but RESTRAIN are rewards, made advantages as GRPO does, (r − mean) / (std + 1e-4). The bands and
thresholds of SRT and EMPO are ours: those of the papers were not at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce.restrain import EPSILON, RestrainConfig, Streams, advantages
from tastemaker.reinforce.votes import Votes

LabelFree = Literal[
    "ttrl", "srt-majority", "srt-easy", "empo", "self-certainty", "restrain", "random"
]
Labelled = Literal["gold"]


@dataclass(frozen=True)
class Rollouts:
    """What was sampled for G prompts, n times each, and what the untrained model had said to them.

    It holds no labels.
    """

    answers: Tensor
    """(G, n) whole numbers; equal ones of a group are one answer, -1 is unreadable"""
    prompt_weights: Tensor | None = None
    """(G,) for `restrain`; None: all 1"""
    base_answers: Tensor | None = None
    """(G,) the untrained model's commonest answer, numbered like `answers`, for `srt-majority`"""
    base_shares: Tensor | None = None
    """(G,) share of the untrained model's rollouts that gave it, for `srt-easy`"""
    certainty: Tensor | None = None
    """(G, n) of `self_certainty`"""
    step: int = 0
    """of the training, so that `random` tosses another coin"""


@dataclass(frozen=True)
class SignalConfig:
    """Dials of the signals."""

    restrain: RestrainConfig = field(default_factory=RestrainConfig)
    easy: float = 0.5
    """share on which the untrained model must agree for a prompt to be easy"""
    band: tuple[float, float] = (0.0, 0.9)
    """entropy of a group's answers, as a share of log n, between which `empo` learns"""
    seed: int = 0
    """of `random`"""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        if not 0 <= self.easy <= 1:
            raise BadInput(f"easy is {self.easy:g}.", "easy", "Give a share from 0 to 1.")
        low, high = self.band
        if not 0 <= low < high <= 1:
            what = f"The band is {low:g} to {high:g}."
            raise BadInput(what, "band", "Give two shares from 0 to 1, the lower one first.")


def standardised(rewards: Tensor) -> Streams:
    """Advantages of (G, n) rewards as GRPO has them.

    Raises:
        NumericFault: If a reward is not finite.
    """
    _finite(rewards, "rewards")
    centred = rewards - rewards.mean(1, keepdim=True)
    return _streams(centred / (rewards.std(1, keepdim=True) + EPSILON))


def self_certainty(log_probabilities: Tensor, mask: Tensor | None = None) -> Tensor:
    """How far from uniform the policy was, on the mean over tokens: KL(uniform ‖ p).

    Args:
        log_probabilities: (..., T, V) of every token that could have followed.
        mask: (..., T) 1 at tokens of the reply; None: all.

    Returns:
        (...) numbers from 0; 0 for a reply without tokens.

    Raises:
        NumericFault: If a log-probability is not finite.
    """
    _finite(log_probabilities, "log-probabilities")
    apart = -math.log(log_probabilities.shape[-1]) - log_probabilities.mean(-1)
    kept = torch.ones_like(apart) if mask is None else mask.to(apart.dtype)
    return (apart * kept).sum(-1) / kept.sum(-1).clamp(min=1)


def signal(
    name: LabelFree | Labelled,
    rollouts: Rollouts,
    config: SignalConfig,
    labels: Tensor | None = None,
) -> Streams:
    """Advantages by the signal of that name.

    Args:
        name: Which one.
        rollouts: What was sampled.
        config: Dials.
        labels: (G,) correct answers, numbered like those of the rollouts; only `gold` gets them.

    Raises:
        BadInput: If no signal has the name, or what it needs is missing.
    """
    if name in LABELLED:
        return LABELLED[name](rollouts, _needed(labels, name, "labels"), config)
    if name not in LABEL_FREE:
        known = ", ".join([*LABELLED, *LABEL_FREE])
        raise BadInput(f"No signal is called {name}.", "signal", f"Choose one of {known}.")
    return LABEL_FREE[name](rollouts, config)


def gold(rollouts: Rollouts, labels: Tensor, config: SignalConfig) -> Streams:
    """By the correct answers; an unreadable answer is never correct."""
    answers = rollouts.answers
    return standardised(_real((answers == labels[:, None]) & (answers >= 0)))


def ttrl(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By the commonest answer of the group."""
    return standardised(_real(Votes.of(rollouts.answers).chosen))


def srt_majority(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By the commonest answer of the untrained model."""
    wanted = _needed(rollouts.base_answers, "srt-majority", "base_answers")
    return gold(rollouts, wanted, config)


def srt_easy(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By the commonest answer of the group, where the untrained model agreed with itself."""
    shares = _needed(rollouts.base_shares, "srt-easy", "base_shares")
    return _where(shares >= config.easy, ttrl(rollouts, config))


def empo(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By how many gave the same answer; nothing where all agree or hardly any two do."""
    votes = Votes.of(rollouts.answers)
    n = votes.rollouts
    shares = _real(votes.counts) / n
    spread = -torch.xlogy(shares, shares).sum(1) / math.log(n)
    low, high = config.band
    return _where((spread > low) & (spread < high), standardised(_real(votes.own) / n))


def certain(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By the policy's own certainty."""
    return standardised(_needed(rollouts.certainty, "self-certainty", "certainty"))


def restrain(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By all answers, as RESTRAIN has it."""
    return advantages(rollouts.answers, rollouts.prompt_weights, config.restrain)


def by_chance(rollouts: Rollouts, config: SignalConfig) -> Streams:
    """By a coin for every rollout."""
    draw = torch.Generator().manual_seed(config.seed * 1_000_003 + rollouts.step)
    coins = torch.randint(0, 2, rollouts.answers.shape, generator=draw)
    return standardised(_real(coins).to(rollouts.answers.device))


LABEL_FREE: Mapping[str, Callable[[Rollouts, SignalConfig], Streams]] = {
    "ttrl": ttrl,
    "srt-majority": srt_majority,
    "srt-easy": srt_easy,
    "empo": empo,
    "self-certainty": certain,
    "restrain": restrain,
    "random": by_chance,
}
"""Those whose view has no labels."""
LABELLED: Mapping[str, Callable[[Rollouts, Tensor, SignalConfig], Streams]] = {"gold": gold}
"""The one that is told what is correct."""


def _streams(pulls: Tensor) -> Streams:
    nobody = torch.zeros(len(pulls), dtype=torch.bool, device=pulls.device)
    return Streams(pulls.clamp(min=0), pulls.clamp(max=0), nobody)


def _where(kept: Tensor, streams: Streams) -> Streams:
    """Only these groups learn."""
    out = ~kept[:, None]
    positive, negative = streams.positive, streams.negative
    return Streams(positive.masked_fill(out, 0), negative.masked_fill(out, 0), streams.penalised)


def _real(values: Tensor) -> Tensor:
    return values.to(torch.float32)


def _needed(value: Tensor | None, name: str, what: str) -> Tensor:
    if value is None:
        raise BadInput(f"The signal {name} needs {what}.", what, "Give them, or take another.")
    return value


def _finite(values: Tensor, what: str) -> None:
    wrong = int((~values.isfinite()).sum())
    if wrong:
        sentence = f"{wrong:,} {what} are not finite."
        raise NumericFault(sentence, what, "Lower the learning rate, or leave those replies out.")
