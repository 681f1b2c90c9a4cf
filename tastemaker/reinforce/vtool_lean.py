"""The lean loop of visual tool use: at sizes where a trainer is all overhead.

A step asks each question several times, runs what was written in the sandbox, scores the last
answers by their outcome and moves the policy along

    loss = − Σ_i Σ_t m_it ( surrogate(ρ_it, A_i) − β KL_it ) / Σ_it m_it,    ρ = p / p_old
    KL_it = q/p − log(q/p) − 1, of the q of the policy as it began

the loss of TRL's trainer (`loss_type="dapo"`), by the same rollouts, rewards and masks. Where the
edited image replaces the first, the turns of a rollout are read apart, each with the image that it
was written by; they share one advantage.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.relaxed_answers import RuleName
from tastemaker.reinforce.restrain import Streams, surrogate
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_masks import learned_mask
from tastemaker.reinforce.vtool_rollout import (
    Conversation,
    Rollout,
    RolloutOptions,
    Speaker,
    rollouts,
    scored,
)

Scale = Literal["group", "batch", "none"]
_EPSILON = 1e-4


@dataclass(frozen=True, eq=False)
class Spoken:
    """One turn of B conversations."""

    texts: Sequence[str]
    tokens: Tensor
    """(B, T) int64"""
    mask: Tensor
    """(B, T) 1 on tokens of the turn, its end among them"""
    given: Any
    """what the policy read before, for it to read again"""


class SpeakingPolicy(Protocol):
    """What the loop asks of a model."""

    def speak(self, talks: Sequence[Conversation], draw: torch.Generator | None) -> Spoken:
        """Write the next turn of each conversation; the likeliest, where nothing draws."""

    def read(self, said: Spoken) -> tuple[Tensor, Tensor]:
        """(B, T) log probabilities of the tokens and entropies where they stand, with gradients."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is learnt."""


@dataclass(frozen=True)
class LeanToolConfig:
    """How the loop learns."""

    steps: int = 150
    prompts: int = 64
    """of a step"""
    rollouts: int = 8
    """of a prompt"""
    lr: float = 3e-4
    scale: Scale = "batch"
    """what advantages are divided by: the deviation of the group's rewards, of the batch's, or 1"""
    clip: float = 0.2
    """how far a ratio counts beyond 1"""
    beta: float = 0.0
    """weight of the distance to the policy as it began: without it a call that seldom pays at first
    is lost before it is learned when it does"""
    entropy: float = 0.0
    """weight of the policy's entropy in what is maximised"""
    train_tool_turn: bool = True
    """whether the turn that runs code learns; in the published versions it does not"""
    rule: RuleName = "relaxed_strict"
    """of what is right"""
    bonus: float = 0.0
    """added to the reward of a rollout that ran code; in the published versions there is none"""
    most_norm: float = 1.0
    """of the gradient"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with."""
        for name, least in (("steps", 1), ("prompts", 1), ("rollouts", 2)):
            if getattr(self, name) < least:
                raise BadInput(f"{name} is {getattr(self, name)}.", name, f"Give {least} or more.")
        weight = min(self.beta, self.entropy, self.bonus)
        if not (self.lr > 0 and 0 < self.clip < 1 and weight >= 0 and self.most_norm > 0):
            what = f"lr {self.lr:g}, clip {self.clip:g}, and weights from {weight:g} on."
            raise BadInput(what, "training", "Give a rate above 0, clip in (0, 1), weights from 0.")


@dataclass
class Heard:
    """A speaker that keeps what its policy was asked and said, turn by turn."""

    policy: SpeakingPolicy
    draw: torch.Generator | None = None
    talks: list[Sequence[Conversation]] = field(default_factory=list)
    turns: list[Spoken] = field(default_factory=list)

    def __call__(self, talks: Sequence[Conversation]) -> Sequence[str]:
        """What is written next in each conversation."""
        self.talks.append(talks)
        self.turns.append(self.policy.speak(talks, self.draw))
        return self.turns[-1].texts


@dataclass(frozen=True, eq=False)
class ToolStep:
    """What a step saw."""

    made: Sequence[Rollout]
    rewards: Tensor
    """(G, n) of the outcomes alone"""
    loss: float
    entropy: float
    """of the policy, where it wrote"""

    @property
    def tool_rate(self) -> float:
        """Share of rollouts whose first turn ran code."""
        return sum(one.ran is not None for one in self.made) / len(self.made)


def group_advantages(rewards: Tensor, scale: Scale) -> Tensor:
    """(G, n) rewards less the mean of their group, over a deviation (Bessel's) and 1e-4."""
    apart = rewards - rewards.mean(1, keepdim=True)
    if scale == "none":
        return apart
    spread = rewards.std() if scale == "batch" else rewards.std(1, keepdim=True)
    return apart / (spread + _EPSILON)


def turn_masks(turns: Sequence[Tensor], ran: Tensor, train_tool_turn: bool) -> list[Tensor]:
    """Which tokens of each turn learn.

    Args:
        turns: (B, T) of the first turn and, where some took a second, (R, T') of it: 1 on tokens
            that were written.
        ran: (B,) bool, whether the first turn ran code: the R that took a second, in order.
        train_tool_turn: Whether that first turn learns.
    """
    first = turns[0]
    gap = first.new_zeros(len(first), 1)  # what the tool said
    second = first.new_zeros(len(first), turns[1].shape[1] if len(turns) > 1 else 0)
    if len(turns) > 1:
        second[ran] = turns[1]
    whole = learned_mask(torch.cat([first, gap, second], 1), ran, train_tool_turn)
    parts = [whole[:, : first.shape[1]], whole[ran, first.shape[1] + 1 :]]
    return parts[: len(turns)]


def token_loss(
    log_probabilities: Tensor, advantages: Tensor, mask: Tensor, tokens: Tensor, clip: float = 0.2
) -> Tensor:
    """The clipped loss of tokens that were drawn by this very policy (ρ = 1).

    Args:
        log_probabilities: (B, T) of the tokens, with gradients.
        advantages: (B,) of the rollouts.
        mask: (B, T) 1 on tokens that learn.
        tokens: Number of tokens that learn in the whole step.
        clip: How far a ratio counts beyond 1.
    """
    ratios = (log_probabilities - log_probabilities.detach()).exp()
    up, down = advantages.clamp(min=0)[:, None], advantages.clamp(max=0)[:, None]
    streams = Streams(up, down, torch.zeros_like(advantages, dtype=torch.bool))
    gained = surrogate(ratios[:, None], streams, clip)[:, 0]
    return -(gained * mask).sum() / tokens.clamp(min=1)


class LeanToolLoop:
    """A policy that learns in place.

    Args:
        policy: What learns.
        sandbox: Where snippets run.
        config: How it learns.
        how: How it is asked.
        draw: What tokens are drawn by; None: by the seed.
    """

    def __init__(
        self,
        policy: SpeakingPolicy,
        sandbox: Sandbox,
        config: LeanToolConfig,
        how: RolloutOptions | None = None,
        draw: torch.Generator | None = None,
    ) -> None:
        self.policy, self.config, self.how = policy, config, how or RolloutOptions()
        self.draw = draw or torch.Generator().manual_seed(config.seed)
        self.optimizer = torch.optim.AdamW(policy.parameters(), config.lr, weight_decay=0.0)
        self._sandbox = sandbox
        self._begun = copy.deepcopy(policy) if config.beta else None

    def step(self, questions: Sequence[PictureQuestion]) -> ToolStep:
        """Ask, run, score, learn.

        Args:
            questions: G of them, each asked `config.rollouts` times.

        Raises:
            NumericFault: If the gradient is not finite; nothing is learned then.
        """
        config, heard = self.config, Heard(self.policy, self.draw)
        each = [one for one in questions for _ in range(config.rollouts)]
        made, right = asked(heard, each, self._sandbox, self.how, config.rule)
        rewards = torch.tensor(right, dtype=torch.float32).view(len(questions), config.rollouts)
        device = heard.turns[0].mask.device
        ran = torch.tensor([one.ran is not None for one in made], device=device)
        rewarded = rewards + config.bonus * ran.view_as(rewards).cpu()
        advantages = group_advantages(rewarded, config.scale).flatten().to(device)
        masks = turn_masks([turn.mask for turn in heard.turns], ran, config.train_tool_turn)
        tokens = torch.stack([mask.sum() for mask in masks]).sum()
        self.optimizer.zero_grad()
        total, entropy = 0.0, 0.0
        for turn, mask, own in zip(heard.turns, masks, (advantages, advantages[ran]), strict=False):
            log_probabilities, entropies = self.policy.read(turn)
            spread = (entropies * mask).sum() / tokens.clamp(min=1)
            loss = token_loss(log_probabilities, own, mask, tokens, config.clip)
            apart = self._apart(turn, log_probabilities, mask) / tokens.clamp(min=1)
            whole = loss + config.beta * apart - config.entropy * spread
            whole.backward()  # type: ignore[no-untyped-call]
            total, entropy = total + float(loss.detach()), entropy + float(spread.detach())
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), config.most_norm)
        if not torch.isfinite(norm):
            what = "A gradient of the policy is not finite."
            raise NumericFault(what, "the lean loop", "Lower the rate.")
        self.optimizer.step()
        return ToolStep(made, rewards, total, entropy)

    def _apart(self, turn: Spoken, log_probabilities: Tensor, mask: Tensor) -> Tensor:
        """Sum of KL over the tokens that learn."""
        if self._begun is None:
            return log_probabilities.new_zeros(())
        with torch.no_grad():
            before, _ = self._begun.read(turn)
        gap = before - log_probabilities
        return ((gap.exp() - gap - 1) * mask).sum()


def asked(
    speaker: Speaker,
    questions: Sequence[PictureQuestion],
    sandbox: Sandbox,
    how: RolloutOptions,
    rule: RuleName = "relaxed_strict",
) -> tuple[list[Rollout], list[bool]]:
    """Rollouts of questions, and whether each is right."""
    with torch.no_grad():
        made = rollouts(speaker, questions, sandbox, how)
    return made, [scored(one, own, rule).right for one, own in zip(made, questions, strict=True)]
