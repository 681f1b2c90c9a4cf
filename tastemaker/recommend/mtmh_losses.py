"""The losses of the MTMH-style model: pure functions of scores, ours and not the paper's.

T triggers meet J targets; s are inner products of unit vectors, r cosines of the items' content.
Every function gives sums or values a trigger, so that shares of a step add up; who calls divides.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_NEVER = -1e9
"""Logit of what does not compete; finite, so that a trigger without rivals has a gradient."""


def engagement(
    logits: Tensor, counts: Tensor, pairs: Tensor, weights: Tensor, positives: Tensor
) -> Tensor:
    """Softmax over the targets of a step: −Σ_b w_b·log(e^own / (e^own + Σ_rivals count·e^rival)).

    It equals the softmax over all pairs of the step in which every other target that is a positive
    of the trigger is masked, and so are repetitions of the pair's own.

    Args:
        logits: (T, J) scores / temperature − log q.
        counts: (J,) how often each target stands in the step.
        pairs: (2, P) trigger and target of each pair.
        weights: (P,) of the pairs.
        positives: (2, M) trigger and target of what does not compete, the pairs among them.

    Returns:
        Scalar, summed over pairs.
    """
    competes = torch.ones_like(logits, dtype=torch.bool)
    competes[positives[0], positives[1]] = False
    rivals = torch.where(competes, logits + counts.log(), _NEVER).logsumexp(1)
    own = logits[pairs[0], pairs[1]]
    return (weights * (torch.logaddexp(own, rivals[pairs[0]]) - own)).sum()


def listwise(
    scores: Tensor, meaning: Tensor, allowed: Tensor, temperature: float, softness: float
) -> Tensor:
    """(T,) KL(softmax(r / softness) ‖ softmax(s / temperature)) over the allowed targets.

    Args:
        scores: (T, J) s.
        meaning: (T, J) r.
        allowed: (T, J) bool, targets that count; a trigger without any has no loss.
        temperature: τ.
        softness: τ_t.
    """
    want = torch.where(allowed, meaning / softness, _NEVER).log_softmax(1)
    got = torch.where(allowed, scores / temperature, _NEVER).log_softmax(1)
    return (want.exp() * (want - got) * allowed).sum(1)


def squared(scores: Tensor, meaning: Tensor, allowed: Tensor) -> Tensor:
    """(T,) mean of (s − r)² over the allowed targets."""
    return ((scores - meaning).square() * allowed).sum(1) / allowed.sum(1).clamp(min=1)


def margin(scores: Tensor, meaning: Tensor, allowed: Tensor, least: float = 0.1) -> Tensor:
    """(T,) mean of max(0, least − (s_j − s_k)) over allowed j, k with r_j − r_k > least.

    It makes (T, J, J) values: give it few targets.
    """
    nearer = meaning[:, :, None] - meaning[:, None, :] > least
    nearer &= allowed[:, :, None] & allowed[:, None, :]
    short = F.relu(least - (scores[:, :, None] - scores[:, None, :])) * nearer
    return short.sum((1, 2)) / nearer.sum((1, 2)).clamp(min=1)
