"""What the recipes on items with few or no training events share: rivals, strata, one measurement.

Rivals: the id-only backbone, the mean cosine of the same frozen encoder's vectors with the newest
items (content kNN), and chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from evidence import Evidence
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts, ranges
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.hllm import HLLM
from tastemaker.seams import Recommender

NEWEST = 5
RARE = 5
"""Training events up to which an item is rare."""


@dataclass(frozen=True)
class ContentNeighbours:
    """Mean cosine with the newest items read, by vectors that no event has shaped."""

    vectors: Tensor
    """(I+1, H) unit vectors."""

    @classmethod
    def like(cls, model: Recommender) -> tuple[ContentNeighbours, ContentNeighbours]:
        """Neighbours by what an HLLM's item encoder says before training, and by it whitened."""
        assert isinstance(model, HLLM)
        fresh = HLLM(model.hllm, model.num_items, model.catalog).eval()
        fresh.start()
        fresh.refresh()
        return cls(F.normalize(fresh.features, dim=-1)), cls(fresh.vectors)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) mean cosines."""
        batch = last(contexts, NEWEST)
        mean = self.vectors[batch.items].sum(1) / batch.valid.sum(1, keepdim=True).clamp(min=1)
        return mean @ self.vectors[1:].T


class Chance:
    """Random scores, the same in every run."""

    def __init__(self, num_items: int, seed: int) -> None:
        self.num_items, self.random = num_items, torch.Generator().manual_seed(seed)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) uniform random numbers."""
        return torch.rand(len(contexts), self.num_items, generator=self.random)


def one_by_one(cuts: Split) -> Queries:
    """One query a test event, each with all of its user's events before it, as when serving."""
    log = cuts.interactions
    at = ranges(cuts.valid_end, log.offsets[1:])
    owner = np.repeat(np.arange(log.num_users), log.offsets[1:] - cuts.valid_end)
    starts = log.offsets[:-1][owner]
    contexts = Contexts.gather(owner, starts, at, log.columns)
    return Queries(contexts, log.items[at], np.arange(len(at) + 1))


def measure(
    found: Evidence,
    models: Mapping[str, Recommender],
    queries: Queries,
    train: npt.NDArray[np.int32],
    num_items: int,
    scoring: EvalOptions = EvalOptions((10,)),  # noqa: B008
) -> None:
    """Add every model's values on rare and on unseen targets; rows of one user are averaged.

    Args:
        found: Where to add them, as `MODEL, rare` and `MODEL, unseen`.
        models: Name → model.
        queries: Test queries with one target each.
        train: Items of all training events.
        num_items: I.
        scoring: How rankings are made.
    """
    events = np.bincount(train, minlength=num_items + 1)[queries.target_items]
    strata = {"rare": (events > 0) & (events <= RARE), "unseen": events == 0}
    for label, wanted in strata.items():
        some = queries.take(np.flatnonzero(wanted))
        owner = np.unique(some.contexts.users, return_inverse=True)[1]
        for name, model in models.items():
            values = evaluate(model, some, scoring).per_user
            rows = np.bincount(owner)
            means = {m: np.bincount(owner, values[m]) / rows for m in found.metrics}
            found.add(f"{name}, {label}", means)


CLAIMS = (
    ("on rare items HLLM is above SASRec", "hllm, rare", "sasrec, rare"),
    ("on rare items HLLM is above kNN", "hllm, rare", "content-knn, rare"),
    ("fine-tuning helps on rare items", "hllm, rare", "hllm-frozen, rare"),
    ("on unseen items HLLM is above chance", "hllm, unseen", "chance, unseen"),
    ("on unseen items HLLM is above kNN", "hllm, unseen", "content-knn, unseen"),
    ("on unseen items HLLM is above SASRec", "hllm, unseen", "sasrec, unseen"),
)


def relate(found: Evidence, metric: str | None = None, first: int = 1) -> None:
    """What is claimed of text on rare and on unseen items, numbered from R`first`."""
    for number, (claim, a, b) in enumerate(CLAIMS, start=first):
        found.relate(f"R{number}", claim, a, b, metric)
