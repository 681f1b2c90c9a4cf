"""What the recipes on item-to-item lists share: the data and their truth, columns, dials, training.

Everything counted or learnt is of training events. The judge of relevance is a sentence encoder;
what the models learn from and search by are words (TF-IDF and SVD), another family: the judge
refuses to be one of those it judges. Relevance by words is shown too, and is circular.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.config import seed_everything
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.data.queries import Queries
from tastemaker.metrics import item_to_item as measures
from tastemaker.metrics.beyond_accuracy import coverage, novelty
from tastemaker.metrics.item_to_item import Following, Judge, Scores, best_lists
from tastemaker.models.cached import Cached
from tastemaker.models.encode import TextEncoder
from tastemaker.models.packaged import cache_folder
from tastemaker.models.words import Words
from tastemaker.recommend.item_to_item import ContentNeighbours, PostHocBlend
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.mtmh import MTMH
from tastemaker.recommend.mtmh_content import content_of
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

K = 50
"""Items of a list, the same for every method."""
KS = (10, 50, 100)
DIAL = tuple(step / 10 for step in range(11))
"""Weights g on meaning that are tried."""
TRIGGERS = 1_000
"""Validation triggers that a training looks at after every epoch, at most."""
COLUMNS = (
    "recall@50", "recall@10", "recall@100", "traffic-recall@50", "relevance@50", "relevance@10",
    "circular-relevance@50", "category@50", "novelty@50", "coverage@50", "diversity@50",
    "long-tail@50", "cold@50",
)  # fmt: skip
Floats = npt.NDArray[np.float64]
Dial = Callable[[float], Scores]
"""g → scores."""


@dataclass(frozen=True)
class Task:
    """A data set cut in time or order: what to learn from, and what people took next."""

    ground: Ground
    valid: Following
    test: Following
    cold: Following
    """the test's targets without training events"""
    judge: Judge
    content: ContentNeighbours
    """words: what the models learn from, and what content kNN goes by"""
    membership: sp.csr_array
    """(I, G) categories, if there are any"""
    pairs: Pairs
    counts: npt.NDArray[np.int64]
    """(I,) training events"""

    @classmethod
    def of(
        cls,
        items: Catalog,
        train: Contexts,
        parts: Sequence[Queries],
        toy: bool,
        share: float = 0.05,
    ) -> Task:
        """Cut and judge; triggers have training events, as all methods must know them.

        A toy has a `share` of the triggers and, for a judge that need not be installed, words.
        """
        ground = Ground.of(items.frame["item_id"], items, train)
        counts = np.bincount(train.items, minlength=ground.num_items + 1)[1:]
        lot = np.random.default_rng(0).random(len(counts)) < (share if toy else 1)
        valid, test = (Following.of(part).asked_from((counts > 0) & lot) for part in parts)
        known, texts = content_of("words", ground), items.texts()
        encode = (
            Words(texts, dim=16)
            if toy
            else Cached(TextEncoder("minilm", max_tokens=64), cache_folder() / "vectors")
        )
        judge = Judge.of(encode, texts, {known.identity})
        none = sp.csr_array((ground.num_items, 1))
        membership = ground.groupings[CATEGORY].membership if ground.groupings else none
        content = ContentNeighbours(known.vectors[1:].numpy())
        cold, pairs = test.towards(counts == 0), co_engaged(train)
        return cls(ground, valid, test, cold, judge, content, membership, pairs, counts)

    def recalled(self, scores: Scores, truth: Following, k: int = K) -> float:
        """Mean recall at k."""
        lists = best_lists(scores, truth.triggers, k)
        return float(measures.recall(lists, truth, (k,))[f"recall@{k}"].mean())

    def columns(self, scores: Scores, truth: Following) -> dict[str, Floats]:
        """Every column for every trigger; coverage is of all lists and so the same for each."""
        lists, of = best_lists(scores, truth.triggers, max(KS)), truth.triggers
        values = measures.recall(lists, truth, KS)
        values["traffic-recall@50"] = measures.by_traffic(values["recall@50"], truth.traffic)
        values["relevance@10"] = self.judge.relevance(lists[:, :10], of)
        lists = lists[:, :K]
        shown = coverage(lists, self.ground.num_items)
        return values | {
            "relevance@50": self.judge.relevance(lists, of),
            "circular-relevance@50": measures.relevance(self.content.vectors, lists, of),
            "category@50": measures.category_match(lists, of, self.membership),
            "novelty@50": novelty(lists, self.counts),
            "coverage@50": np.full(len(lists), shown),
            "diversity@50": self.judge.diversity(lists),
            "long-tail@50": measures.share_of(lists, measures.long_tail(self.counts)),
            "cold@50": measures.share_of(lists, self.counts == 0),
        }

    def front(self, dial: Dial) -> Floats:
        """(11, 2, T) recall and relevance at K of every setting."""
        points = []
        for g in DIAL:
            lists = best_lists(dial(g), self.test.triggers, K)
            recall = measures.recall(lists, self.test, (K,))[f"recall@{K}"]
            points.append([recall, self.judge.relevance(lists, self.test.triggers)])
        return np.array(points)

    def tuned(self, dial: Dial) -> float:
        """The weight that recalls most of validation, the larger of equals."""
        return max((self.recalled(dial(g), self.valid), g) for g in DIAL)[1]

    def as_relevant(self, dial: Dial, as_this: Scores) -> float:
        """The least weight at which validation lists are as relevant by words as those of another.

        Not by the judge, who sets nothing.
        """
        of = self.valid.triggers

        def relevance(scores: Scores) -> float:
            lists = best_lists(scores, of, K)
            return float(measures.relevance(self.content.vectors, lists, of).mean())

        enough = relevance(as_this)
        return next((g for g in DIAL if relevance(dial(g)) >= enough), 1.0)

    def blend(self, engagement: Scores) -> Dial:
        """The blend of some engagement and content."""
        return lambda g: PostHocBlend(engagement, self.content, g)

    def trained(
        self, shape: MTMHConfig, training: FitConfig, out: Path, skip: bool = True
    ) -> tuple[ItemHeads, bool]:
        """Both heads, and whether training stopped by itself; resumed where it was begun."""
        seed_everything(training.seed)
        model = MTMH.build(shape, self.ground)
        if not skip and model.network.skip is not None:
            model.network.skip.requires_grad_(False).weight.zero_()
        few = np.random.default_rng(0).permutation(len(self.valid))[:TRIGGERS]
        kept = np.zeros(len(self.counts), bool)
        kept[self.valid.triggers[few] - 1] = True
        some = self.valid.asked_from(kept)

        def validate() -> dict[str, float]:
            scores, k = dial(model.item_heads())(shape.relevance), int(training.metric[7:])
            return {training.metric: self.recalled(scores, some, k)}

        out.mkdir(parents=True, exist_ok=True)
        steps = model.batches(self.ground.train, training.batch, training.seed)
        fitted = fit(model, steps, training, validate, out, resume=True)
        return model.eval().item_heads(), fitted.converged


def dial(heads: ItemHeads) -> Dial:
    """Both heads in one inner product."""
    stored = heads.stored().T
    return lambda g: lambda triggers: heads.queries(triggers.astype(np.int64) - 1, g) @ stored
