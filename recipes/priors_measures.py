"""What the recipe on heads of human priors reads off top-10 lists: one value a user and measure.

Entropy is in bits over categories, an item with n of them counting 1/n in each. Explorers are users
with a target of a category that their past has none of. Within a category a user's NDCG@10 counts
the targets of that category alone, on the list as it is; users without such a target are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from tastemaker.data.groupings import Grouping
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.metrics import beyond_accuracy as beyond
from tastemaker.metrics.headline import K
from tastemaker.metrics.ranking import multi_target, top_k
from tastemaker.metrics.scored import scores_of
from tastemaker.metrics.targets import count_targets
from tastemaker.recommend.priors import Priors
from tastemaker.seams import Recommender

LONG = 100
"""Places of the lists that are ranked again."""
USERS = 64
"""Users scored at a time."""
FEWEST = 50
"""Users with a target in a category without whom it is not asked whether it lost."""
EXPLORERS, WORST = "explorers-ndcg@10", "worst-group-ndcg@10"
MEASURES = ("ndcg@10", "hr@10", "recall@10", "entropy@10", "novelty@10", "personalisation@10",
            "coverage@10", EXPLORERS, WORST)  # fmt: skip
Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Answers:
    """What a model recommends to Q users, best first."""

    lists: Int32s
    """(Q, L) item codes, 0 where a list ends"""
    scores: Floats
    """(Q, L), −inf where a list ends"""
    shares: dict[str, float]
    """head of a model that has some → its share of all places"""


@torch.inference_mode()
def answers(model: Recommender, queries: Queries, cuts: Split, length: int = K) -> Answers:
    """The lists of a model under the headline convention: trained items that are not seen yet."""
    lists: list[Int32s] = []
    scores: list[Floats] = []
    heads: list[npt.NDArray[np.int64]] = []
    names = model.head_names if isinstance(model, Priors) else ()
    for number, scored in enumerate(scores_of(model, queries, USERS, cuts.trained_items)):
        scored.leave_out_seen()
        best = top_k(scored.scores, length)
        columns = (best - 1).clamp(min=0)
        given = scored.scores.gather(1, columns).masked_fill(best == 0, -torch.inf)
        lists.append(best.numpy().astype(np.int32))
        scores.append(given.double().numpy())
        if isinstance(model, Priors):
            asked = queries.contexts.slice(number * USERS, (number + 1) * USERS)
            heads.append(model.spoken(asked)[1].gather(1, columns).numpy())
    shares = shares_of(np.concatenate(heads), names) if heads else {}
    return Answers(np.concatenate(lists), np.concatenate(scores), shares)


@dataclass(frozen=True)
class Bench:
    """Users, what they took, and the categories; measures lists of ten."""

    cuts: Split
    queries: Queries
    groups: Grouping

    @classmethod
    def of(cls, cuts: Split, groups: Grouping, part: str = "test") -> Bench:
        """The users of a part of the split."""
        return cls(cuts, cuts.queries("valid" if part == "valid" else "test"), groups)

    @property
    def explorers(self) -> npt.NDArray[np.bool_]:
        """(Q,) users with a target of a category that their past has none of."""
        past, table = self.queries.contexts, self.groups.membership
        held = beyond.held_groups(past.offsets, past.items, table)
        wanted = beyond.held_groups(self.queries.target_offsets, self.queries.target_items, table)
        return beyond.explorers(held, wanted)

    def columns(self, lists: Int32s) -> dict[str, Floats]:
        """Of (Q, 10) lists, one value a user; coverage is of all lists and so the same for each."""
        items = self.cuts.interactions.num_items
        found = multi_target(self._hits(lists), count_targets(self.queries), (K,))
        return found | {
            "entropy@10": self.entropy(lists),
            "novelty@10": beyond.novelty(lists, self.cuts.train_counts),
            "personalisation@10": beyond.personalisation(lists, items),
            "coverage@10": np.full(len(lists), beyond.coverage(lists, items)),
            EXPLORERS: found["ndcg@10"][self.explorers],
        }

    def entropy(self, lists: Int32s) -> Floats:
        """(Q,) bits."""
        return beyond.entropy(lists, self.groups.membership)

    def within(self, lists: Int32s, group: int) -> Floats:
        """NDCG@10 of the users with a target in a category, of their targets in it."""
        inside = np.concatenate([[False], self.groups.members(group)])
        wanted, bounds = self.queries.target_items, self.queries.target_offsets
        owners = np.repeat(np.arange(len(self.queries)), np.diff(bounds))[inside[wanted]]
        counts = np.bincount(owners, minlength=len(self.queries))
        hits = self._hits(lists) & inside[lists]
        asked = counts > 0
        return multi_target(hits[asked], counts[asked], (K,))["ndcg@10"]

    def target_shares(self) -> dict[str, float]:
        """Category → its share of the targets."""
        table = self.groups.membership.tocsr()[self.queries.target_items - 1]
        shares = (sp.diags_array(1 / np.diff(table.indptr)) @ table).mean(0)
        return dict(zip(self.groups.names, map(float, shares), strict=True))

    def _hits(self, lists: Int32s) -> npt.NDArray[np.bool_]:
        """(Q, 10) whether a place holds a target."""
        items, bounds = self.cuts.interactions.num_items + 1, self.queries.target_offsets
        owners = np.repeat(np.arange(len(self.queries)), np.diff(bounds))
        wanted = np.zeros((len(self.queries), items), bool)
        wanted[owners, self.queries.target_items] = True
        hits: npt.NDArray[np.bool_] = np.take_along_axis(wanted, lists.astype(np.int64), 1)
        return hits


def diversified(found: Answers, membership: sp.csr_array, weight: float, k: int = K) -> Int32s:
    """(Q, k) lists chosen greedily from longer ones for score and for other groups than before.

    Each place goes to the item with most of: score − weight · the share of its groups in the list
    so far, an item with n groups counting 1/n in each.
    """
    table = membership.toarray()
    shares = np.concatenate([np.zeros((1, table.shape[1])), table / table.sum(1, keepdims=True)])
    own = shares[found.lists]
    left, users = found.scores.copy(), np.arange(len(found.lists))
    held, chosen = np.zeros((len(users), own.shape[2])), []
    for _ in range(k):
        best = (left - weight * np.einsum("qlg,qg->ql", own, held)).argmax(1)
        chosen.append(found.lists[users, best])
        held += own[users, best]
        left[users, best] = -np.inf
    return np.stack(chosen, 1)


def weight_for(bench: Bench, found: Answers, entropy: float, most: float = 64.0) -> float:
    """The least weight, to within 1/1000, whose lists have so many bits on average; 0 if none."""

    def bits(weight: float) -> float:
        return float(bench.entropy(diversified(found, bench.groups.membership, weight)).mean())

    low, high = 0.0, most
    if bits(low) >= entropy:
        return low
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if bits(middle) >= entropy else (middle, high)
    return high


def shares_of(heads: npt.NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """Head → its share of all places of top-10 lists."""
    counts = np.bincount(heads.ravel(), minlength=len(names))
    return {name: float(count / counts.sum()) for name, count in zip(names, counts, strict=True)}


def worst_group(
    bench: Bench, arms: Mapping[str, Sequence[Int32s]], a: str, b: str
) -> tuple[dict[str, dict[str, float]], int]:
    """NDCG@10 within each category of every arm, and the category in which a loses most to b.

    `arms` are their lists with each seed; of small categories it is not asked whether they lost.
    """
    table, losses = {}, {}
    for group, name in enumerate(bench.groups.names):
        users = len(bench.within(arms[a][0], group))
        if not users:
            continue
        means = {
            arm: float(np.mean([bench.within(one, group).mean() for one in lists]))
            for arm, lists in arms.items()
        }
        table[name] = {"users": float(users), **means}
        if users >= FEWEST:
            losses[group] = means[a] / means[b] if means[b] else 1.0
    return table, min(losses, key=lambda group: losses[group])
