"""item2vec: skip-gram with negative sampling over the pairs of a log (arXiv 1603.04259), in short.

An item asked from and an item that followed it should have a large inner product, an item drawn by
popularity a small one. As there, what is alike is the cosine of the vectors of one side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.pairs import Pairs
from tastemaker.recommend.item_to_item import ContentNeighbours

DIM, NEGATIVES, BATCH, LR = 64, 5, 512, 0.003
UPDATES, ROUND = 4_000, 500
"""Steps, and after how many it is asked whether it got better."""


def item2vec(
    pairs: Pairs,
    counts: np.ndarray,
    seed: int,
    validate: Callable[[ContentNeighbours], float],
    updates: int = UPDATES,
) -> ContentNeighbours:
    """Train, and return the vectors that were best on validation."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    first, then = (nn.Embedding(len(counts), DIM) for _ in range(2))
    for table in (first, then):
        nn.init.normal_(table.weight, std=0.1)
    optimiser = torch.optim.Adam([*first.parameters(), *then.parameters()], lr=LR)
    chance = np.cumsum(counts.astype(float) ** 0.75)
    often = np.cumsum(pairs.weights)
    best, kept = -1.0, None
    for update in range(1, updates + 1):
        some = np.searchsorted(often, rng.random(BATCH) * often[-1])
        a, b = (torch.from_numpy(x[some] - 1).long() for x in (pairs.triggers, pairs.targets))
        drawn = np.searchsorted(chance, rng.random((BATCH, NEGATIVES)) * chance[-1])
        loss = sgns(first(a), then(b), then(torch.from_numpy(drawn)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if update % ROUND == 0 or update == updates:
            vectors = F.normalize(first.weight.detach(), dim=1).numpy()
            found = ContentNeighbours(vectors * (counts > 0)[:, None])
            if (value := validate(found)) > best:
                best, kept = value, found
    assert kept is not None
    return kept


def sgns(a: Tensor, b: Tensor, others: Tensor) -> Tensor:
    """Mean of −log σ(a·b) − Σ log σ(−a·other): (B, D), (B, D), (B, N, D)."""
    own = F.logsigmoid((a * b).sum(1))
    rest = F.logsigmoid(-(others @ a[:, :, None])[..., 0]).sum(1)
    return -(own + rest).mean()
