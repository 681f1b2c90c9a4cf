"""RESTRAIN: learn without labels, from all answers and not from the commonest alone.

Paper: RESTRAIN: From Spurious Votes to Signals, https://arxiv.org/abs/2510.02172

n answers are sampled for a prompt. Every different answer a_j, which the share f_j of them gave,
is taken for the label with the weight

    w_j = g(f_j) / Σ_l g(f_l)        g(f) = exp(−(f − k)² / (2 σ²))

and rewards as GRPO does, A_ij = (1[answer i is a_j] − f_j) / (std_j + 1e-4). A group of which no
answer has κ votes (a count) is pushed down as a whole: A_ij = −δ. A prompt weighs u = g(f of its
commonest answer), counted once with the untrained model. The loss of all labels together,
u Σ_j w_j L(a_j), is exactly that of two streams of advantages,

    P_i = u Σ_j w_j max(A_ij, 0)        N_i = u Σ_j w_j min(A_ij, 0)

each clipped by itself; their sum alone is exact only where the ratio to the old policy is 1.

A wide σ rewards the *rarest* answer: of two answers of one group, that with the larger
h(f) = g(f) / (std(f) + 1e-4) gets the larger advantage, and h grows where f → 0. So a width by
which h falls anywhere is refused.

Left out: nothing of the loss; the figures of the paper need models of billions of weights.
Checked: `test_two_streams_are_the_loss_of_all_labels`, `test_the_rarer_never_gets_more`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.reinforce.votes import Votes

EPSILON = 1e-4
"""Added to a standard deviation, as the trainers of GRPO do."""
_WIDE, _NARROW, _MANY = 0.25, 0.2, 32


@dataclass(frozen=True)
class RestrainConfig:
    """How votes become advantages. The paper's values are not public: all defaults are ours."""

    k: float = 1.0
    """share of the votes at which an answer weighs most"""
    sigma: float | None = None
    """width of that weight; None: 0.25 for up to 32 rollouts, 0.2 above"""
    prompt_sigma: float | None = None
    """width for the weight of a prompt; None: sigma"""
    kappa: int = 3
    """votes, a count, that the commonest answer must have; 0 punishes nobody"""
    delta: float = 1.0
    """how far a group without such an answer is pushed down"""
    normalise: Literal["std", "none"] = "std"
    """divide rewards by their deviation, or not: then no width rewards rare answers"""
    weight_kl: bool = False
    """weigh a prompt's distance to the untrained model like its loss"""
    normalise_prompt_weights: Literal["off", "mean"] = "off"
    """divide prompt weights by their mean; off: as in the paper, which mostly lowers the rate"""
    forced: bool = False
    """accept a width that rewards rare answers"""

    def __post_init__(self) -> None:
        """Refuse what can be meant with no number of rollouts."""
        for name, value in {"kappa": self.kappa, "delta": self.delta, "k": self.k}.items():
            if not (math.isfinite(value) and value >= 0):
                fix = "Give a finite number, not below 0."
                raise BadInput(f"{name} is {value:g}.", _option(name), fix)
        if self.kappa != int(self.kappa):
            what = f"kappa is {self.kappa:g}, and it counts votes."
            raise BadInput(
                what, _option("kappa"), "Give a whole number of votes, such as 3; no share."
            )
        for name, width in {"sigma": self.sigma, "prompt_sigma": self.prompt_sigma}.items():
            if width is not None and not width > 0:
                raise BadInput(f"{name} is {width:g}.", _option(name), "Give a width above 0.")

    def sigma_at(self, rollouts: int) -> float:
        """The width for that many rollouts."""
        if self.sigma is not None:
            return self.sigma
        return _WIDE if rollouts <= _MANY else _NARROW

    def checked(self, rollouts: int) -> RestrainConfig:
        """This, with its width, if it can be meant with that many rollouts.

        Raises:
            BadInput: If one rollout is to vote, no answer can have kappa votes, or an answer with
                fewer votes would get the larger advantage and this is not forced.
        """
        if rollouts < 2:
            what = "One rollout a prompt is no vote: it always agrees with itself."
            raise BadInput(what, "rollouts", "Sample at least two; 16 is usual.")
        if self.kappa > rollouts:
            what = f"No answer can have kappa = {self.kappa} votes of {rollouts} rollouts."
            raise BadInput(what, _option("kappa"), f"Give at most {rollouts}; 3 is usual.")
        fall = None if self.forced else first_fall(rollouts, self)
        if fall:
            sigma = self.sigma_at(rollouts)
            what = (
                f"With sigma = {sigma:g} and {rollouts} rollouts an answer with "
                f"{counted(fall[0], 'vote')} gets a larger advantage than one with {fall[1]} in "
                "the same group."
            )
            fix = "Give a smaller one, --restrain.normalise none, or --restrain.forced."
            raise BadInput(what, _option("sigma"), fix)
        return replace(self, sigma=self.sigma_at(rollouts))


def _option(name: str) -> str:
    """What a person calls it by."""
    return f"--restrain.{name.replace('_', '-')}"


@dataclass(frozen=True)
class Streams:
    """Advantages of G groups of n rollouts, those that pull up apart from those that push down."""

    positive: Tensor
    """(G, n) P, never below 0"""
    negative: Tensor
    """(G, n) N, never above 0"""
    penalised: Tensor
    """(G,) bool: the whole group is pushed down"""

    @property
    def total(self) -> Tensor:
        """(G, n) P + N; the whole advantage where the ratio to the old policy is 1."""
        return self.positive + self.negative


def log_weight(shares: Tensor, sigma: float, k: float = 1.0) -> Tensor:
    """Log g of shares of votes, of any shape."""
    return -((shares - k) ** 2) / (2 * sigma**2)


def pseudo_label_weights(counts: Tensor, rollouts: int, config: RestrainConfig) -> Tensor:
    """How much each answer of a group is taken for the label.

    Args:
        counts: (G, m) votes; 0 is no answer.
        rollouts: n, those without a readable answer included.
        config: Its k and sigma.

    Returns:
        (G, m) weights, 0 for no answer, of sum 1; all 0 in a group without any.
    """
    # As a softmax: with a narrow width every g is 0 in floating point.
    logits = log_weight(_shares(counts, rollouts), config.sigma_at(rollouts), config.k)
    weights = logits.masked_fill(counts == 0, -torch.inf).softmax(1)
    return weights.masked_fill(counts == 0, 0.0)


def prompt_weights(majority: Tensor, rollouts: int, config: RestrainConfig) -> Tensor:
    """What prompts weigh by the agreement of the untrained model, fixed for the whole training.

    Args:
        majority: (P,) votes of the commonest answer to each prompt of the training.
        rollouts: n of that sampling, which may be another than that of the training.
        config: Its k, sigma and `normalise_prompt_weights`.

    Returns:
        (P,) weights above 0 and at most 1, or of mean 1.

    Raises:
        BadInput: If an answer has more votes than there are rollouts.
    """
    if not len(majority) or int(majority.min()) < 0 or int(majority.max()) > rollouts:
        what = f"Votes of commonest answers are not all within 0 to {rollouts}."
        raise BadInput(what, "prompt weights", "Give the votes and the rollouts of one sampling.")
    shares = _shares(majority, rollouts)
    width = config.prompt_sigma or config.sigma_at(rollouts)
    logits = log_weight(shares, width, config.k)
    if config.normalise_prompt_weights == "mean":
        return logits.softmax(0) * len(logits)
    return logits.exp()


def advantages(
    answers: Tensor,
    weights: Tensor | None,
    config: RestrainConfig,
    dtype: torch.dtype = torch.float32,
) -> Streams:
    """Advantages of every rollout, from the votes of its group alone.

    Args:
        answers: (G, n) whole numbers; equal ones of a group are one answer, -1 is unreadable.
        weights: (G,) what the prompt of each group weighs; None: all 1.
        config: Checked for n.
        dtype: Of the result.

    Raises:
        BadInput: If a group has less than two rollouts, or weights are not finite or below 0.
    """
    votes = Votes.of(answers)
    n = votes.rollouts
    each = pseudo_label_weights(votes.counts, n, config).to(dtype)
    shares = _shares(votes.counts, n).to(dtype)[:, None, :]
    pulled = votes.member.to(dtype) - shares
    if config.normalise == "std":
        pulled = pulled / (_deviation(shares, n) + EPSILON)
    u = _weighing(weights, answers, dtype)
    positive = u * torch.einsum("gij,gj->gi", pulled.clamp(min=0), each)
    negative = u * torch.einsum("gij,gj->gi", pulled.clamp(max=0), each)
    penalised = votes.majority < config.kappa
    lost = penalised[:, None]
    return Streams(
        positive.masked_fill(lost, 0.0),
        torch.where(lost, -config.delta * u, negative),
        penalised,
    )


def surrogate(
    ratios: Tensor, streams: Streams, clip: float = 0.2, clip_high: float | None = None
) -> Tensor:
    """What is maximised: the clipped ratio times the advantage, of both streams.

    Args:
        ratios: (G, n) or (G, n, T) probabilities by the policy over those by the old one.
        streams: Advantages of the same rollouts.
        clip: How far below 1 a ratio counts.
        clip_high: How far above; None: as far.

    Returns:
        The shape of `ratios`.
    """
    high = clip if clip_high is None else clip_high
    clipped = ratios.clamp(1 - clip, 1 + high)
    found = torch.zeros_like(ratios)
    for stream in (streams.positive, streams.negative):
        pull = stream.to(ratios.dtype).reshape(stream.shape + (1,) * (ratios.dim() - 2))
        found = found + torch.minimum(ratios * pull, clipped * pull)
    return found


def first_fall(rollouts: int, config: RestrainConfig) -> tuple[int, int] | None:
    """Votes of two answers of one group of which the rarer gets the larger advantage.

    Exact for every division of the rollouts: the advantages of two answers of a group differ by
    h(f) of the one less h(f) of the other, times what both share. Two answers meet in a group that
    is not pushed down as a whole if the commoner has kappa votes, or a third answer still can.

    Returns:
        (fewer, more) votes; None where a commoner answer never gets less.
    """
    votes = torch.arange(1, rollouts + 1, dtype=torch.float64)
    shares = votes / rollouts
    height = log_weight(shares, config.sigma_at(rollouts), config.k)
    if config.normalise == "std":
        height = height - (_deviation(shares, rollouts) + EPSILON).log()
    fewer, more = votes[:, None], votes[None, :]
    meet = (fewer < more) & (fewer + more <= rollouts)
    meet &= (more >= config.kappa) | (fewer + more + config.kappa <= rollouts)
    falls = (meet & (height[:, None] > height[None, :] + 1e-9)).nonzero()
    return (int(falls[0, 0]) + 1, int(falls[0, 1]) + 1) if len(falls) else None


def _shares(counts: Tensor, rollouts: int) -> Tensor:
    return counts.to(torch.float64) / rollouts


def _deviation(shares: Tensor, rollouts: int) -> Tensor:
    """Of the rewards of a group for one answer, with n − 1."""
    return (shares * (1 - shares) * (rollouts / (rollouts - 1))).clamp(min=0).sqrt()


def _weighing(weights: Tensor | None, answers: Tensor, dtype: torch.dtype) -> Tensor:
    """(G, 1) what prompts weigh."""
    groups = len(answers)
    if weights is None:
        return torch.ones(groups, 1, dtype=dtype, device=answers.device)
    if weights.shape != (groups,) or not bool((weights >= 0).all() & weights.isfinite().all()):
        what = f"Weights of shape {tuple(weights.shape)} are not {groups} finite ones from 0."
        raise BadInput(what, "prompt weights", "Give one weight a group.")
    return weights.to(device=answers.device, dtype=dtype)[:, None]
