"""Monitors: numbers of a step that show a collapse before the accuracy does."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tastemaker.reinforce.restrain import Streams
from tastemaker.reinforce.votes import Votes

_SLACK = 1e-6
"""By how much a rarer answer must lead before that counts."""


@dataclass(frozen=True)
class Monitored:
    """Means over the groups of a step."""

    majority: float
    """share of the rollouts that gave the commonest answer of their group"""
    distinct: float
    """different answers of a group"""
    commonest: float
    """share of all rollouts that gave the one answer that is commonest over all prompts; high where
    the policy says the same to everything"""
    unreadable: float
    """share of rollouts without an answer"""
    penalised: float
    """share of groups pushed down as a whole"""
    correlation: float | None
    """of the votes of a rollout's answer with its advantage, the mean over groups in which both
    vary; None without such"""
    falling: float
    """share of groups in which a rarer answer has the larger advantage"""
    pull: float
    """mean size of an advantage"""
    entropy: float | None = None
    """of the policy, in nats"""
    length: float | None = None
    """tokens of a reply"""


def monitored(
    answers: Tensor,
    streams: Streams,
    entropy: Tensor | None = None,
    lengths: Tensor | None = None,
) -> Monitored:
    """What a step shows.

    Args:
        answers: (G, n) whole numbers that mean the same in every group; -1 is unreadable.
        streams: Advantages of the same rollouts.
        entropy: Any shape; its mean is kept.
        lengths: Tokens of replies, any shape; their mean is kept.
    """
    votes, pulls = Votes.of(answers), streams.total
    read = answers[answers >= 0]
    return Monitored(
        majority=_mean(votes.majority) / votes.rollouts,
        distinct=_mean(votes.distinct),
        commonest=_largest(read) / answers.numel(),
        unreadable=1 - len(read) / answers.numel(),
        penalised=_mean(streams.penalised),
        correlation=_correlation(votes.own.to(pulls.dtype), pulls),
        falling=_mean(falling(votes, streams)),
        pull=_mean(pulls.abs()),
        entropy=None if entropy is None else _mean(entropy),
        length=None if lengths is None else _mean(lengths),
    )


def falling(votes: Votes, streams: Streams) -> Tensor:
    """(G,) bool: a rarer answer of the group has a larger advantage than a commoner one.

    Where it is ever true of RESTRAIN, the width is too large (see `restrain`).
    """
    pulls = streams.total
    rarer = (votes.own[:, :, None] < votes.own[:, None, :]) & (votes.own[:, :, None] > 0)
    return (rarer & (pulls[:, :, None] > pulls[:, None, :] + _SLACK)).flatten(1).any(1)


def pass_at_1(answers: Tensor, labels: Tensor) -> Tensor:
    """(G,) share of rollouts that are correct; of prompts held out, and for measuring alone.

    Args:
        answers: (G, n) whole numbers; -1 is unreadable and never correct.
        labels: (G,) correct answers, numbered alike.
    """
    return ((answers == labels[:, None]) & (answers >= 0)).to(torch.float64).mean(1)


def _correlation(a: Tensor, b: Tensor) -> float | None:
    a, b = (x.double() - x.double().mean(1, keepdim=True) for x in (a, b))
    apart = (a.square().sum(1) * b.square().sum(1)).sqrt()
    vary = apart > _SLACK
    return _mean((a * b).sum(1)[vary] / apart[vary]) if bool(vary.any()) else None


def _largest(values: Tensor) -> int:
    """How often the commonest of them stands there."""
    ordered = values.sort().values
    ends = torch.searchsorted(ordered, ordered, right=True)
    return int((ends - torch.searchsorted(ordered, ordered)).max()) if len(ordered) else 0


def _mean(values: Tensor) -> float:
    return float(values.double().mean())
