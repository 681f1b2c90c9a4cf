"""The log of the recipe on priors of events, and how lists for it are measured.

The log is of short videos (`tastemaker.worlds.short_videos`): views, likes and shares follow
different wishes of one user, and skips are not learnt from. Nothing below tells a model of what
kind the events to come are, but for `told`, which is measured apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts, ranges
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split, split
from tastemaker.metrics.beyond_accuracy import entropy, novelty, personalisation
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import K, options_of
from tastemaker.metrics.ranking import multi_target, top_k
from tastemaker.metrics.scored import Scored, scores_of
from tastemaker.recommend.priors import Priors
from tastemaker.seams import Recommender
from tastemaker.worlds.short_videos import short_videos

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
HEADLINE = f"ndcg@{K}"
POSITIVE = ("view", "like", "share")
RARE = f"{HEADLINE} of rare categories"
METRICS = (
    HEADLINE,
    *(f"{HEADLINE} of {kind}s" for kind in POSITIVE),
    RARE,
    f"entropy@{K}",
    f"novelty@{K}",
    f"personalisation@{K}",
)


@dataclass(frozen=True)
class World:
    """A log of short videos cut at each user's last ten positive events."""

    cuts: Split
    ground: Ground
    groupings: dict[str, Grouping]
    """the true groups: categories of items, kinds of events"""
    tests: Queries
    targets: dict[str, tuple[Bools, Bools]]
    """metric → (U, I+1) which targets count for it, and (U,) users who have one"""

    @classmethod
    def of(cls, users: int, length: int, items: int, seed: int = 0) -> World:
        """Generate and cut; skips are left out before."""
        data = short_videos(users, length, items, seed).dataset()
        cuts = split(data.positives(), f"last-{K}")
        log = cuts.interactions
        ground = Ground.of(log.item_ids, data.catalog, cuts.train())
        groupings = {
            CATEGORY: ground.groupings[CATEGORY],
            "event": Grouping.from_event_names(log.event_names[: len(POSITIVE)]),
        }
        tests = cuts.queries("test")
        wanted = ranges(cuts.valid_end, log.offsets[1:])
        assert log.events is not None and log.event_names[: len(POSITIVE)] == POSITIVE
        assert len(wanted) == len(tests.target_items)
        kinds = np.array(log.event_names)[log.events[wanted]]
        rare = rarest(groupings[CATEGORY], cuts.train_counts)[tests.target_items - 1]
        chosen = {HEADLINE: np.ones(len(kinds), bool), RARE: rare}
        chosen |= {f"{HEADLINE} of {kind}s": kinds == kind for kind in POSITIVE}
        targets = {name: counted(tests, which, len(log.item_ids)) for name, which in chosen.items()}
        return cls(cuts, ground, groupings, tests, targets)

    def shuffled(self, seed: int) -> tuple[dict[str, Grouping], Contexts]:
        """Groups of the same sizes that mean nothing: categories and kinds dealt out anew."""
        rng, true = np.random.default_rng([seed, 7]), self.groupings[CATEGORY]
        dealt = true.membership[rng.permutation(true.num_members)]
        train = self.cuts.train()
        assert train.events is not None
        groups = self.groupings | {CATEGORY: replace(true, membership=dealt)}
        return groups, replace(train, events=rng.permutation(train.events))

    def accuracy(self, lists: npt.NDArray[np.int32], metric: str) -> Floats:
        """NDCG of lists (U, k) over the targets that count for a metric, of users who have one."""
        truth, users = self.targets[metric]
        hits = truth[np.arange(len(lists))[:, None], lists]
        return multi_target(hits[users], truth[users].sum(1), (K,))[HEADLINE]

    def measures(self, model: Recommender) -> dict[str, Floats]:
        """Every metric of the recipe, a value a user."""
        lists = evaluate(model, self.tests, options_of(self.cuts, True, (K,))).lists
        values = {metric: self.accuracy(lists, metric) for metric in self.targets}
        return values | {
            f"entropy@{K}": entropy(lists, self.groupings[CATEGORY].membership),
            f"novelty@{K}": novelty(lists, self.cuts.train_counts),
            f"personalisation@{K}": personalisation(lists, len(self.cuts.train_counts)),
        }

    def told(self, model: Priors) -> dict[str, Floats]:
        """NDCG over the targets of a kind by the heads of that kind: another task, kept apart."""
        model.config = replace(model.config, prior_given_at_test=True)
        candidates, values = self.cuts.trained_items, {}
        for kind in POSITIVE:
            asked = Told(model, self.groupings["event"].code(kind))
            with torch.inference_mode():
                scored = scores_of(asked, self.tests, 64, candidates)
                lists = np.concatenate([shown(one) for one in scored])
            values[f"{HEADLINE} of {kind}s"] = self.accuracy(lists, f"{HEADLINE} of {kind}s")
        model.config = replace(model.config, prior_given_at_test=False)
        return values


@dataclass(frozen=True)
class Told:
    """A model that is told that all targets are of one kind of event."""

    model: Priors
    kind: int

    @property
    def num_items(self) -> int:
        """I."""
        return self.model.num_items

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores by the heads of that kind."""
        return self.model.score_given(contexts, "event", np.full(len(contexts), self.kind))


def shown(scored: Scored) -> npt.NDArray[np.int32]:
    """(B, k) lists of what is not seen."""
    scored.leave_out_seen()
    return top_k(scored.scores, K).int().numpy()


def rarest(categories: Grouping, counts: npt.NDArray[np.int64]) -> Bools:
    """(I,) items of the quarter of groups with the fewest training events."""
    shares = categories.shares(counts)
    few = np.argsort(shares, kind="stable")[: max(1, len(shares) // 4)]
    held: Bools = np.asarray(categories.membership[:, few].sum(1)).ravel() > 0
    return held


def counted(tests: Queries, which: Bools, items: int) -> tuple[Bools, Bools]:
    """(U, I+1) some of the targets, by code, and (U,) users who have one."""
    owners = np.repeat(np.arange(len(tests)), np.diff(tests.target_offsets))
    truth = np.zeros((len(tests), items + 1), bool)
    truth[owners[which], tests.target_items[which]] = True
    return truth, truth.any(1)
