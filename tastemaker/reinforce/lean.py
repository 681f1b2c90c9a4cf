"""The lean loop: learning from one's own answers at sizes where a trainer is all overhead.

It samples, asks a signal what the rollouts are worth, and takes a step on the clipped loss of both
streams, the same pure functions as a trainer of language models. Per sequence the mean over its
tokens, then the mean over sequences:

    loss = − mean_i mean_t ( surrogate(ρ_it, P_i, N_i) − β KL_it )      ρ = p / p_old
    KL_it = q/p − log(q/p) − 1, of the untrained model's q
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce.monitors import Monitored, monitored
from tastemaker.reinforce.restrain import Streams, prompt_weights, surrogate
from tastemaker.reinforce.signals import LabelFree, Labelled, Rollouts, SignalConfig, signal
from tastemaker.reinforce.votes import Votes


@dataclass(frozen=True)
class Sampled:
    """What a policy said to G prompts, n times each, in up to T tokens."""

    answers: Tensor
    """(G, n) whole numbers, which mean the same for one prompt throughout; -1 is unreadable"""
    tokens: Tensor
    """(G, n, T)"""
    mask: Tensor
    """(G, n, T) 1 at tokens of the reply"""
    log_probabilities: Tensor
    """(G, n, T) of the tokens, by the policy that said them"""
    certainty: Tensor
    """(G, n) of `self_certainty`"""
    entropy: Tensor
    """of the policy, any shape"""


class Policy(Protocol):
    """What the loop asks of a model."""

    def sample(self, prompts: Tensor, rollouts: int, draw: torch.Generator) -> Sampled:
        """Answer each of (G,) prompts several times."""

    def log_probabilities(self, prompts: Tensor, tokens: Tensor) -> Tensor:
        """(G, n, T) of those tokens, with gradients."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is learnt."""


@dataclass(frozen=True)
class LeanConfig:
    """How the loop learns."""

    signal: LabelFree | Labelled = "restrain"
    """what rollouts are worth"""
    dials: SignalConfig = field(default_factory=SignalConfig)
    """of the signal"""
    weights: Literal["offline", "online", "none"] = "offline"
    """of prompts, for `restrain`: by the untrained model once, by each step's votes, or all 1"""
    steps: int = 300
    rollouts: int = 16
    """of a prompt and step; also of the untrained model"""
    lr: float = 1.0
    """of plain gradient descent: one that adapts its rate would undo the weights of prompts"""
    clip: float = 0.2
    """how far a ratio counts beyond 1"""
    beta: float = 0.0
    """weight of the distance to the untrained model"""
    iterations: int = 1
    """steps on one sample"""
    watch: int = 10
    """steps from one look of the monitors to the next"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with."""
        counts = {"steps": self.steps, "iterations": self.iterations, "watch": self.watch}
        for name, value in counts.items():
            if value < 1:
                raise BadInput(f"{name} is {value}.", name, "Give at least 1.")
        if not (self.lr > 0 and self.beta >= 0 and 0 < self.clip < 1):
            what = f"lr {self.lr:g}, beta {self.beta:g}, clip {self.clip:g}."
            raise BadInput(what, "training", "Give a rate above 0, beta from 0, clip in (0, 1).")
        if self.signal == "restrain":
            self.dials.restrain.checked(self.rollouts)


@dataclass(frozen=True)
class Base:
    """What the untrained model said, once, to P prompts."""

    answers: Tensor
    """(P,) its commonest answer; -1 where none was readable"""
    shares: Tensor
    """(P,) share of the rollouts that gave it"""
    weights: Tensor
    """(P,) what RESTRAIN makes of that"""

    @classmethod
    def of(cls, answers: Tensor, config: SignalConfig) -> Base:
        """From (P, n) answers of the untrained model."""
        votes = Votes.of(answers)
        commonest = torch.where(votes.chosen, answers, -1).amax(1)
        weights = prompt_weights(votes.majority, votes.rollouts, config.restrain)
        return cls(commonest, votes.majority / votes.rollouts, weights)


def loss(
    log_probabilities: Tensor,
    said: Sampled,
    streams: Streams,
    config: LeanConfig,
    untrained: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """The loss of one sample.

    Args:
        log_probabilities: (G, n, T) by the policy that learns.
        said: What the old policy said.
        streams: What that is worth.
        config: Its clip, beta, and whether prompt weights are on the distance too.
        untrained: (G, n, T) log-probabilities by the untrained model; needed where beta is above 0.
        weights: (G,) of the prompts; used only for the distance, and only where asked for.
    """
    ratios = (log_probabilities - said.log_probabilities).exp()
    each = surrogate(ratios, streams, config.clip)
    if config.beta and untrained is not None:
        behind = untrained - log_probabilities
        distance = behind.exp() - behind - 1
        if config.dials.restrain.weight_kl and weights is not None:
            distance = distance * weights[:, None, None].to(distance.dtype)
        each = each - config.beta * distance
    kept = said.mask.to(each.dtype)
    return -((each * kept).sum(2) / kept.sum(2).clamp(min=1)).mean()


def step(
    policy: Policy,
    optimiser: torch.optim.Optimizer,
    prompts: Tensor,
    said: Sampled,
    of_sample: Callable[[Tensor], Tensor],
    iterations: int = 1,
) -> float:
    """Learn from one sample; returns the last loss.

    Args:
        policy: Learns.
        optimiser: Of its parameters.
        prompts: (G,) what was asked.
        said: What it said.
        of_sample: (G, n, T) log-probabilities → loss.
        iterations: Steps on this sample.

    Raises:
        NumericFault: If the loss is not finite; the parameters stay as they were.
    """
    value = 0.0
    for _ in range(iterations):
        optimiser.zero_grad()
        found = of_sample(policy.log_probabilities(prompts, said.tokens))
        value = float(found.detach())
        if not torch.isfinite(found):
            what = f"The loss is {value}."
            raise NumericFault(what, "training", "Lower the learning rate, or raise beta.")
        found.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return value


def learn(
    policy: Policy, prompts: Tensor, config: LeanConfig, labels: Tensor | None = None
) -> list[Monitored]:
    """Train a policy on its own answers.

    Args:
        policy: The untrained model; it is changed.
        prompts: (P,) all are asked at every step.
        config: How.
        labels: (P,) correct answers; read by the signal `gold` and by nothing else.

    Returns:
        What every `watch`-th step showed, the first included.
    """
    draw = torch.Generator().manual_seed(config.seed)
    optimiser = torch.optim.SGD(policy.parameters(), lr=config.lr)
    base = Base.of(policy.sample(prompts, config.rollouts, draw).answers, config.dials)
    reference = _reference(policy) if config.beta else None
    seen = []
    for number in range(config.steps):
        said = policy.sample(prompts, config.rollouts, draw)
        weights = _weights(said.answers, base, config)
        shown = Rollouts(
            said.answers, weights, base.answers, base.shares, said.certainty, step=number
        )
        streams = signal(config.signal, shown, config.dials, labels)
        before = _under(policy, reference, prompts, said) if reference else None

        of_sample = partial(
            loss, said=said, streams=streams, config=config, untrained=before, weights=weights
        )
        step(policy, optimiser, prompts, said, of_sample, config.iterations)
        if number % config.watch == 0:
            seen.append(monitored(said.answers, streams, said.entropy, said.mask.sum(2)))
    return seen


def _weights(answers: Tensor, base: Base, config: LeanConfig) -> Tensor | None:
    if config.signal != "restrain" or config.weights == "none":
        return None
    if config.weights == "offline":
        return base.weights
    return Base.of(answers, config.dials).weights


def _reference(policy: Policy) -> list[Tensor]:
    return [one.detach().clone() for one in policy.parameters()]


@torch.no_grad()
def _under(policy: Policy, reference: list[Tensor], prompts: Tensor, said: Sampled) -> Tensor:
    """(G, n, T) log-probabilities by the same model with other parameters."""
    own = _reference(policy)
    try:
        for one, other in zip(policy.parameters(), reference, strict=True):
            one.copy_(other)
        return policy.log_probabilities(prompts, said.tokens)
    finally:
        for one, other in zip(policy.parameters(), own, strict=True):
            one.copy_(other)
