"""The MTMH-style model on Amazon Office and MovieLens-small: engaging, or similar, or both?

Order splits, lists of fifty for every method, three seeds. Against co-visitation, item2vec, content
kNN, one head of the same dimension and total loss, and the blend of co-visitation and content that
needs no training; the ablation that should lose is the relevance head without its way from content
past the trunk. The dial of every method is set once, on validation, to what recalls most.
"""

import sys
import time
from dataclasses import replace

import numpy as np
from evidence import Evidence, size_of
from item2vec import item2vec
from item_lists import COLUMNS, K, Task, dial, means, movielens_task, office_task

from tastemaker.metrics.fronts import compare_fronts, hypervolume
from tastemaker.recommend.item_to_item import CoVisited, Popular
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.train.config import FitConfig

SHAPE = MTMHConfig(encoder="words")
TRADES = {f"two heads, λ = 1, μ = {mu:g}": replace(SHAPE, trade=mu) for mu in (0.0, 0.1, 0.3)}
DEFAULT = "two heads, λ = 1, μ = 0.1"
ALONE = replace(SHAPE, relevance_weight=0.0, trade=0.0, relevance=0.0)
ONE = replace(SHAPE, dim=2 * SHAPE.dim, relevance_weight=0.0, trade=1.1, relevance=0.0)
"""One head with the whole of both losses and as long a vector as both heads together."""
BLENDS = ("cosine", "pmi", "share")
TRAINING = FitConfig(epochs=30, batch=32, patience=3, metric="recall@50", lr=2e-3)


def measured(found: Evidence, task: Task, training: FitConfig) -> None:
    """All arms of all seeds."""
    front: dict[str, list[object]] = {}
    fixed = {f"blend, {one}": task.blend(one) for one in BLENDS}
    points = {name: task.front(turn) for name, turn in fixed.items()}
    best = max((task.recalled(turn(task.tuned(turn)), task.valid), name) for name, turn in fixed.items())[1]
    counted = {f"co-visitation, {one}": CoVisited.fit(task.pairs, task.counts, one) for one in BLENDS}
    counted |= {"content kNN": task.content, "popularity": Popular(task.counts)}
    counted |= {"blend": fixed[best](task.tuned(fixed[best]))}
    settings: dict[str, float] = {}
    for seed in found.seeds:
        learn = replace(training, seed=seed)
        heads = {}
        for arm, shape in {**TRADES, "co-engagement": ALONE, "one head": ONE, "no skip": TRADES[DEFAULT]}.items():
            out = found.cache / f"{arm.replace(' ', '-')}-seed-{seed}"
            made, converged = task.trained(shape, learn, out, skip=arm != "no skip")
            heads[arm] = dial(made)
            if not (converged or found.size == "toy"):
                found.notes.append(f"not converged: {arm}, seed {seed}")
        two, one = heads[DEFAULT], heads["one head"](0.0)
        settings = settings or {"tuned": task.tuned(two), "as relevant": task.as_relevant(two, one)}
        vectors = item2vec(task.pairs, task.counts, seed, lambda v: task.recalled(v, task.valid),
                           epochs=1 if found.size == "toy" else 20)  # fmt: skip
        arms = {
            "two heads": two(settings["tuned"]),
            "engagement head": two(0.0),
            "relevance head": two(1.0),
            "two heads, as relevant": two(settings["as relevant"]),
            "co-engagement": heads["co-engagement"](0.0),
            "one head": one,
            "item2vec": vectors,
            **counted,
        }
        for arm, scores in arms.items():
            found.add(arm, task.columns(scores, task.test))
        for arm, scores in {**{a: arms[a] for a in ("two heads", "relevance head", "co-engagement")},
                            "no skip": heads["no skip"](1.0)}.items():  # fmt: skip
            if len(task.cold):
                found.add(f"{arm}, cold", task.columns(scores, task.cold))
