"""References of a few plain lines each, and recommenders whose scores are a given table."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries

MASKED = -math.inf


class Table:
    """Scores every user by their row of a table, whatever the context."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = torch.as_tensor(np.asarray(rows), dtype=torch.float32)

    def score(self, contexts: Contexts) -> torch.Tensor:
        return self.rows[torch.from_numpy(contexts.users)]


def flat(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return np.array([item for row in rows for item in row], np.int32), offsets


def queries(contexts: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Queries:
    items, offsets = flat(contexts)
    past = Contexts(np.arange(len(contexts), dtype=np.int64), offsets, items)
    return Queries(past, *flat(targets))


def rows_of(flat_items: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    return [flat_items[low:high].tolist() for low, high in pairwise(offsets)]


def masked(scores: Sequence[float], codes: Sequence[int]) -> list[float]:
    return [MASKED if at + 1 in codes else s for at, s in enumerate(scores)]


def rank(scores: Sequence[float], target: int) -> int:
    own = scores[target - 1]
    if own == MASKED:
        return 2**31 - 1
    above = sum(1 for s in scores if s > own)
    return 1 + above + sum(1 for at, s in enumerate(scores) if s == own and at != target - 1)


def top(scores: Sequence[float], k: int) -> list[int]:
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    return [at + 1 for at in order if scores[at] > MASKED][:k]


def single(place: int, k: int) -> dict[str, float]:
    hit = place <= k
    return {
        "hr": float(hit),
        "ndcg": 1 / math.log2(place + 1) if hit else 0.0,
        "mrr": 1 / place if hit else 0.0,
    }


def multi(ranked: Sequence[int], targets: Sequence[int], k: int) -> dict[str, float]:
    wanted = set(targets)
    places = [place for place, item in enumerate(ranked[:k], 1) if item in wanted]
    ideal = sum(1 / math.log2(q + 1) for q in range(1, min(len(wanted), k) + 1))
    return {
        "recall": len(places) / len(wanted),
        "hr": float(bool(places)),
        "ndcg": sum(1 / math.log2(place + 1) for place in places) / ideal,
        "mrr": 1 / places[0] if places else 0.0,
    }
