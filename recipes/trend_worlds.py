"""The arms of the recipe on trends: worlds of every strength, the same items asked in each.

A slope is of a trigger: how much a metric of its list changes with the strength of trends, by least
squares over the strengths. Every dial is set on validation with the first seed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from evidence import Evidence
from item_lists import DIAL, Dial, Floats, Scores, Task, best_lists, dial, measures
from mtmh_arms import BARE, TWO, USUAL

from tastemaker.data.splits import split
from tastemaker.recommend.item_to_item import CoVisited
from tastemaker.train.config import FitConfig
from tastemaker.worlds.trends import TrendOptions, TrendWorld, trend_bursts

STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.4)
K, TRIGGERS = 10, 300
"""Items of a list, triggers of a world."""
METRICS = ("recall@10", "relevance@10", "topic@10", "circular-relevance@10")
TRAINING = FitConfig(epochs=24, batch=32, patience=4, metric="recall@10", lr=2e-3)


def methods(task: Task, training: FitConfig, found: Evidence, name: str) -> dict[str, Dial]:
    """What is compared in a world."""
    made: dict[str, Dial] = {"blend": task.blend(CoVisited.fit(task.pairs, task.counts))}
    for arm, shape in {"two heads": TWO[USUAL], "co-engagement": BARE}.items():
        out = found.cache / f"{arm.replace(' ', '-')}-{name}"
        heads, converged = task.trained(shape, training, out)
        made[arm] = dial(heads)
        if not (converged or found.size == "toy"):
            found.notes.append(f"not converged: {arm}, {name}")
    return made


def judged(task: Task, scores: Scores, world: TrendWorld, ids: pl.Series) -> Floats:
    """(M, items) the metrics of every item of the world; NaN where nobody asked from it."""
    topics, of = world.topic_of(ids), task.test.triggers
    lists = best_lists(scores, of, K)
    table = np.full((len(METRICS), len(world.topics)), np.nan)
    table[:, ids.str.slice(1).cast(int).to_numpy()[of - 1]] = (
        measures.recall(lists, task.test, (K,))[f"recall@{K}"],
        task.judge.relevance(lists, of),
        (topics[lists - 1] == topics[of - 1][:, None]).mean(1),
        measures.relevance(task.content.vectors, lists, of),
    )
    return table


def worlds(found: Evidence, seed: int, settings: dict[tuple[str, float], float]) -> None:
    """Worlds of all strengths with one seed, then slopes over the strengths."""
    toy, values = found.size == "toy", {}
    training = replace(TRAINING, seed=seed, epochs=1 if toy else TRAINING.epochs)
    for strength in STRENGTHS:
        world = trend_bursts(TrendOptions(strength=strength, seed=seed, users=200 if toy else 800))
        cuts = split(world.interactions(), "global-time")
        ids, parts = cuts.interactions.item_ids, (cuts.queries("valid"), cuts.queries("test"))
        task = Task.of(world.catalog().align(ids), cuts.train(), parts, toy, share=1)
        made = methods(task, training, found, f"trend-{strength:g}-seed-{seed}")
        for arm, turn in made.items():
            tries = [0.0] if arm == "co-engagement" else DIAL
            best = max((task.recalled(turn(g), task.valid, K), g) for g in tries)[1]
            weight = settings.setdefault((arm, strength), best)
            values.setdefault(arm, []).append(judged(task, turn(weight), world, ids))
    stacked = {arm: np.stack(tables) for arm, tables in values.items()}  # (strengths, M, items)
    asked = np.flatnonzero(np.isfinite(np.stack(list(stacked.values()))).all((0, 1, 2)))
    asked = np.random.default_rng(seed).permutation(asked)[:TRIGGERS]
    steps = np.array(STRENGTHS) - np.mean(STRENGTHS)
    for arm, table in stacked.items():
        kept = table[:, :, asked]
        for strength, one in zip(STRENGTHS, kept, strict=True):
            found.add(f"{arm}, {strength:g}", dict(zip(METRICS, one, strict=True)))
        slope = np.tensordot(steps / (steps**2).sum(), kept, 1)
        found.add(f"{arm}, slope", dict(zip(METRICS, slope, strict=True)))
