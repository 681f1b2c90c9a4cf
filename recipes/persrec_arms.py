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
from typing import TypeVar

import numpy as np
import torch
from evidence import Evidence
from persrec_variants import KeptKeys, Pooled, Stale, Swapped, grafted

from tastemaker.config import seed_everything
from tastemaker.data.batches import last
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
from tastemaker.recommend.persrec_cost import cost_of
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.run.validation import Validation
from tastemaker.seams import Recommender, Steps
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

GAPS = (10, 25, 50)
"""Events that a memory is old."""
SHARE = 0.97
"""Of FULL's quality, that COMPRESS is to keep."""
BAR = f"{SHARE} × FULL"
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


def learnt(
    found: Evidence, task: Task, shape: PerSRecConfig, seed: int
) -> dict[str, HSTU | PerSRec]:
    """The four arms that are trained, each in the cache under its name and seed."""
    few, items = shape.recent + shape.tokens, task.ground.num_items
    assert isinstance(shape.backbone, HSTUConfig)
    inner = shape.backbone
    arms: dict[str, tuple[int, Callable[[], HSTU | PerSRec]]] = {
        "FULL": (shape.history, lambda: HSTU(replace(inner, history=shape.history), items)),
        "RECENT+k": (few, lambda: HSTU(replace(inner, history=few), items)),
        "COMPRESS": (shape.history, lambda: PerSRec.build(shape, task.ground)),
        "POOL": (shape.history, lambda: Pooled.build(shape, task.ground)),
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
            found.notes.append(requests(kept, compress, asked.slice(0, 64)))
        found.cpu_seconds += time.process_time() - started
    compared(found)
    found.fronts = {
        arm: [
            [round(cost / 1e6, 3), round(float(np.mean(found.values[arm][first])), 5)]
            for cost in costs
        ]
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
    part, low, high = ratio(found, "COMPRESS", "FULL")
    found.notes.append(f"COMPRESS / FULL: {part:.3f} [{low:.3f}, {high:.3f}]")


def ratio(found: Evidence, a: str, b: str) -> tuple[float, float, float]:
    """Mean of one arm over the mean of another, and its 95 % interval over users."""
    metric = found.metrics[0]
    table = np.stack([np.mean(found.values[arm][metric], axis=0) for arm in (a, b)], 1)
    means = resampled_means(table)
    low, high = np.percentile(means[:, 0] / means[:, 1], [2.5, 97.5])
    return float(table[:, 0].mean() / table[:, 1].mean()), float(low), float(high)


def multiply_adds(shape: PerSRecConfig) -> dict[str, list[float]]:
    """Arm → cost of a request by the formula; of COMPRESS with 1, 1/10 and none of a compression."""
    cost, raw = cost_of(shape), cost_of(replace(shape, tokens=shape.old))
    few = cost_of(replace(shape, old=0, recent=shape.recent + shape.tokens, tokens=0))
    return {
        "FULL": [cost.full],
        "FULL-KV": [raw.cached],
        "RECENT+k": [few.full],
        "COMPRESS": [cost.amortised(1), cost.amortised(10), cost.cached],
        "POOL": [cost.cached],
    }


@torch.inference_mode()
def requests(kept: KeptKeys, compress: PerSRec, contexts: Contexts, runs: int = 100) -> str:
    """CPU-milliseconds of requests one at a time, medians of turns, and what is kept of a user."""
    batch = last(contexts.slice(0, 1), compress.config.history)
    old, new = split_rows(batch, kept.recent)
    past, memory = kept.kept(old), compress.compress(old)
    calls: dict[str, Callable[[], object]] = {
        "FULL": lambda: kept.model.encode(batch),
        "FULL-KV": lambda: kept.asked(new, old.valid, past),
        "COMPRESS": lambda: compress.asked(new, memory),
        "a compression": lambda: compress.compress(old),
    }
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            began = time.process_time_ns()
            call()
            spent[name].append((time.process_time_ns() - began) / 1e6)
    took = ", ".join(f"{name} {np.median(times):.2f}" for name, times in spent.items())
    raw = sum(part.nbytes for pair in past.layers for part in pair)
    few = sum(part.nbytes for pair in memory.past.layers[1:] for part in pair) + memory.state.nbytes
    return f"CPU-ms of a request alone, without scoring: {took}; bytes kept of a user: FULL-KV {raw:,}, COMPRESS {few:,}"
