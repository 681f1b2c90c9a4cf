"""Blend: any number of models, fused with weights fitted on validation.

Counting is strong on small data and costs seconds, so what a user gets by default should never be
worse than counting (protocol §4, performance §4.2):

    s = w₀·log softmax(neural) + w₁·log(markov + .02·popularity share) + w₂·EASE

`PARTS` says which counting models stand beside a neural one, and how each is brought to a common
scale; `blend_weights` fits the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.seams import Recommender

SMOOTHING = 0.02
"""Weight of popularity where the Markov counts are silent."""


@dataclass(frozen=True)
class LogSoftmax:
    """A neural model's scores as log-probabilities."""

    model: Recommender

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) log-probabilities."""
        return torch.log_softmax(self.model.score(contexts), 1)


@dataclass(frozen=True)
class LogMarkov:
    """Logarithm of Markov counts, smoothed by popularity so that it is finite everywhere."""

    markov: Recommender
    popularity: Recommender

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) logarithms."""
        counts = self.popularity.score(contexts)
        share = counts / counts.sum(1, keepdim=True).clamp(min=1e-12)
        return torch.log(self.markov.score(contexts) + SMOOTHING * share + 1e-12)


@dataclass(frozen=True)
class BlendPart:
    """A counting model's place in the blend."""

    name: str
    scaled: Callable[..., Recommender]
    """brings it to the common scale, given the model and those beside it"""
    beside: tuple[str, ...] = ()
    """models mixed in, so that alone in the blend it ranks otherwise than by itself"""


PARTS = (
    BlendPart("markov-last-5", LogMarkov, ("popularity",)),
    BlendPart("ease", lambda ease: ease),
)
"""What is blended with a neural model, where a run has it."""


def parts_of(
    neural: str, neural_model: Recommender, counting: Mapping[str, Recommender]
) -> dict[str, Recommender]:
    """What the blend of some models is made of: name → model on the common scale.

    Args:
        neural: Name of the neural model.
        neural_model: The model.
        counting: Name → fitted counting model; a part that lacks one is left out.
    """
    parts: dict[str, Recommender] = {neural: LogSoftmax(neural_model)}
    for part in PARTS:
        needed = (part.name, *part.beside)
        if counting.keys() >= {*needed}:
            parts[part.name] = part.scaled(*(counting[name] for name in needed))
    return parts


class Blend:
    """A weighted sum of parts; a `Recommender`."""

    def __init__(self, parts: Mapping[str, Recommender], weights: Mapping[str, float]) -> None:
        """Fuse `parts` (each already on a common scale) with one weight each."""
        self.parts, self.weights = dict(parts), dict(weights)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) weighted sums; parts of weight 0 are not computed."""
        total: Tensor | None = None
        for name, weight in self.weights.items():
            if weight:
                # Counting models score on the CPU, a model that was just trained on its GPU.
                part = self.parts[name].score(contexts).cpu().mul_(weight)
                total = part if total is None else total.add_(part)
        if total is None:
            raise ValueError("a blend needs a weight above 0")
        return total
