"""The arms of the recipe on compressed histories: the data, what is trained, the gate, verdicts.

Every arm learns from the same events, in as many epochs of steps of as many targets, with as many
negatives. FULL reads P + R events, RECENT+k the newest R + k, COMPRESS the newest R and k tokens,
POOL the newest R and k means.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from evidence import Evidence
from persrec_requests import multiply_adds, requests
from persrec_variants import KeptKeys, Pooled, Stale, Swapped, grafted

from tastemaker.config import seed_everything
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import Split
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of
from tastemaker.metrics.intervals import Floats, resampled_means
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.validation import Validation
from tastemaker.seams import Recommender, Steps
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

GAPS = (10, 25, 50)
"""Events that a memory is old."""
SHARE = 0.97
"""Of FULL's quality, that COMPRESS is to keep."""
BAR = f"{SHARE} × FULL"
FLOOR = "SASRec"
"""Reads P + R events; where no arm reaches nine tenths of it, the backbone is too weak to tell."""
Model = TypeVar("Model", NextItemModel, PerSRec)


def long_histories(log: Interactions, least: int, newest: int) -> Interactions:
    """The newest events of every user who has `least`."""
    users = np.flatnonzero(log.lengths >= least)
    ends = log.offsets[1:][users]
    starts = np.maximum(log.offsets[:-1][users], ends - newest)
    kept = Contexts.gather(users, starts, ends, log.columns)
    ids = log.user_ids.gather(users)
    return Interactions(ids, log.item_ids, kept.offsets, kept.items, kept.times)


@dataclass(frozen=True)
class Task:
    """A log cut for learning and for asking, and how rankings are read."""

    cuts: Split
    training: FitConfig
    """its rows are of P + R events"""
    seen: bool = True
    """leave out what users have seen"""
    catalog: Catalog = field(default_factory=Catalog.empty)
    """I rows in code order, where a model reads texts"""

    @property
    def ground(self) -> Ground:
        """What a model is built on."""
        return Ground(self.cuts.interactions.num_items, self.catalog)

    def trained(
        self,
        make: Callable[[], Model],
        seed: int,
        rows: int,
        out: Path,
        steps: Callable[[Steps], Steps] = lambda steps: steps,
    ) -> tuple[Model, bool, float]:
        """A model, whether training stopped by itself, and its CPU-seconds; resumed in `out`."""
        training = replace(self.training, seed=seed)
        seed_everything(seed)
        model, validation = make(), Validation(training.metric, self.cuts, self.seen)
        out.mkdir(parents=True, exist_ok=True)
        batches = steps(model.batches(self.cuts.train(), rows, seed))
        fitted = fit(model, batches, training, lambda: validation.measure(model), out, resume=True)
        return model.eval(), fitted.converged, fitted.cpu_seconds

    def measured(self, model: Recommender) -> dict[str, Floats]:
        """Metrics of every user on the test events."""
        return evaluate(model, self.cuts.queries("test"), options_of(self.cuts, self.seen)).per_user


def learnt(found: Evidence, task: Task, shape: PerSRecConfig, seed: int) -> dict[str, Any]:
    """The arms that are trained, each in the cache under its name and seed."""
    few, items, inner = shape.recent + shape.tokens, task.ground.num_items, shape.backbone
    assert isinstance(inner, HSTUConfig)
    floor = SASRecConfig(loss="sampled", history=shape.history)
    arms: dict[str, tuple[int, Callable[[], Any]]] = {
        "FULL": (shape.history, lambda: HSTU(replace(inner, history=shape.history), items)),
        "RECENT+k": (few, lambda: HSTU(replace(inner, history=few), items)),
        "COMPRESS": (shape.history, lambda: PerSRec.build(shape, task.ground)),
        "POOL": (shape.history, lambda: Pooled.build(shape, task.ground)),
        FLOOR: (shape.history, lambda: SASRec(floor, items)),
    }
    made = {}
    for arm, (length, make) in arms.items():
        rows = round(task.training.batch * shape.history / length)  # as many targets a step
        made[arm], converged, spent = task.trained(
            make, seed, rows, found.cache / f"{arm}-seed-{seed}"
        )
        found.cpu_seconds += spent
        if not (converged or found.size == "toy"):
            found.notes.append(f"not converged: {arm}, seed {seed}")
    return made


def measure(found: Evidence, task: Task, shape: PerSRecConfig) -> None:
    """Train and ask every arm, a seed at a time."""
    asked = task.cuts.queries("test").contexts
    others = grafted(asked, shape.recent)
    for seed in found.seeds:
        made = learnt(found, task, shape, seed)
        started = time.process_time()
        full, compress = made["FULL"], made["COMPRESS"]
        kept = KeptKeys(full, shape.recent)
        readers: dict[str, Recommender] = {
            **made,
            "FULL-KV": kept,
            "FULL, RANDOM-OLD": Swapped(full, others),
            "COMPRESS, RANDOM-OLD": Swapped(compress, others),
            **{f"COMPRESS, {gap} events passed over": Stale(compress, gap) for gap in GAPS},
        }
        for arm, reader in readers.items():
            found.add(arm, task.measured(reader))
        first = found.metrics[0]
        found.add(BAR, {first: SHARE * found.values["FULL"][first][-1]})
        if seed == found.seeds[-1]:
            took, words = requests(kept, made["RECENT+k"], compress, asked)
            found.notes.append(words)
        found.cpu_seconds += time.process_time() - started
    compared(found)
    quality = {arm: round(float(np.mean(found.values[arm][first])), 5) for arm in took}
    found.fronts = {arm: [[round(ms, 3), quality[arm]] for ms in took[arm]] for arm in took}
    found.tables["multiply-adds of a request, millions"] = {
        arm: {"its compression included": costs[0] / 1e6, "kept tokens": costs[-1] / 1e6}
        for arm, costs in multiply_adds(shape).items()
    }


def compared(found: Evidence) -> None:
    """The gate, and what may be claimed behind it."""
    found.relate("G1", "gate: FULL is above RECENT+k", "FULL", "RECENT+k")
    found.relate("G2", "gate: FULL loses by the old events of another", "FULL", "FULL, RANDOM-OLD")
    if all(one["verdict"] == "holds" for one in found.relations):
        found.relate("P1", "COMPRESS is above RECENT+k", "COMPRESS", "RECENT+k")
        found.relate("P2", f"COMPRESS is above {BAR}", "COMPRESS", BAR)
        found.notes.insert(0, "the gate is open: the old part carries signal")
    else:
        closed = "the old part carries no measurable signal here: no verdict on P1 and P2"
        found.notes.insert(0, f"the gate (G1, G2) is closed: {closed}")
    found.relate("P3", "COMPRESS is above POOL", "COMPRESS", "POOL")
    found.relate(
        "P3", "COMPRESS loses by the old events of another", "COMPRESS", "COMPRESS, RANDOM-OLD"
    )
    means = {arm: np.mean(values[found.metrics[0]]) for arm, values in found.values.items()}
    if max(mean for arm, mean in means.items() if arm != FLOOR) < 0.9 * means[FLOOR]:
        found.notes.insert(0, "backbone too weak: no verdict")
    part, low, high = ratio(found, "COMPRESS", "FULL")
    found.notes.append(f"COMPRESS / FULL: {part:.3f} [{low:.3f}, {high:.3f}]")


def ratio(found: Evidence, a: str, b: str) -> tuple[float, float, float]:
    """Mean of one arm over the mean of another, and its 95 % interval over users."""
    metric = found.metrics[0]
    table = np.stack([np.mean(found.values[arm][metric], axis=0) for arm in (a, b)], 1)
    means = resampled_means(table)
    low, high = np.percentile(means[:, 0] / means[:, 1], [2.5, 97.5])
    return float(table[:, 0].mean() / table[:, 1].mean()), float(low), float(high)
