"""What heads of human priors cost: beside the same model without groups, and beside its backbone.

Everything runs on one thread of one process, in turns, so that all see the same load; CPU-seconds
of three repetitions, their median ratio with the least and the largest. Training is on
MovieLens-small, whose films have 2.7 genres an event: a target is learnt once for each of them, so
heads of genres have 2.7 times the losses of MTP, the same horizons without groups. Requests are of
users with 200 events.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import copy
import itertools
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import load
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import leave_one_out
from tastemaker.nn.heads import Composition
from tastemaker.recommend.prior_merge import Merge
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.step import Trainer, adamw

ROOT = Path(__file__).parents[1]
REPEATS, WARM, STEPS, K = 3, 5, 12, 10
GROUPS, SEGMENTS, MANY = 18, 2, 1000
SMALL, LARGE, HISTORY = 3416, 20_000, 200
FIT = FitConfig()
MERGES: tuple[Merge, ...] = ("combine", "calibrated")
COMPOSITIONS: tuple[Composition, ...] = ("hierarchical", "multiplicative", "additive")
Row = dict[str, Any]


def world() -> Ground:
    """MovieLens-small with the training part of its events."""
    data = load("movielens-small")
    log = data.positives()
    return Ground.of(log.item_ids, data.catalog, leave_one_out(log).train())


def drawn(items: int, groups: int, labels: float, seed: int = 0) -> Grouping:
    """Items in groups of Zipf's sizes, each in one, and in others up to a mean of `labels`."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, groups + 1)
    more = rng.binomial(1, (labels - 1) / 2, (items, 2)).sum(1)
    rows = np.repeat(np.arange(items), 1 + more)
    columns = rng.choice(groups, len(rows), p=shares / shares.sum())
    members = sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), (items, groups))
    members.sum_duplicates()
    members.data[:] = 1
    return Grouping(tuple(f"group {number}" for number in range(groups)), members, "items")


def steps(model: Any, train: Contexts) -> Callable[[], float]:
    """What takes one step of training, its batch included."""
    trainer = Trainer(model.train(), adamw(model, FIT), FIT.clip)
    batches = model.batches(train, FIT.batch)

    def forever() -> Iterator[Any]:
        for number in itertools.count():
            yield from batches.epoch(number)

    following = forever()
    return lambda: trainer.step(next(following), FIT.lr)


def heads(ground: Ground, grouping: Grouping | None, offsets: int, **options: Any) -> Priors:
    """Heads of groups and two horizons on SASRec; without groups MTP."""
    torch.manual_seed(0)
    backbone = SASRecConfig(loss="sampled", history=options.pop("history", 50))
    names: tuple[Any, ...] = () if grouping is None else (CATEGORY,)
    config = PriorsConfig(
        backbone=backbone, priors=names, offsets=offsets, segments=SEGMENTS, **options
    )
    groupings = {} if grouping is None else {CATEGORY: grouping}
    return Priors(config, SASRec(backbone, ground.num_items), groupings)


def alternating(
    arms: Mapping[str, Callable[[], object]], warm: int, times: int
) -> dict[str, list[float]]:
    """CPU-milliseconds of one call of each arm, in each repetition, the arms in turns."""
    for call in arms.values():
        for _ in range(warm):
            call()
    took: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(REPEATS):
        spent = dict.fromkeys(arms, 0.0)
        for _ in range(times):
            for name, call in arms.items():
                started = time.process_time()
                call()
                spent[name] += time.process_time() - started
        for name, seconds in spent.items():
            took[name].append(1000 * seconds / times)
    return took


def beside(what: str, ours: list[float], peer: list[float], most: float | None = None) -> Row:
    """Medians of both sides and of their ratio, which is not to be above `most`."""
    ratios = [one / other for one, other in zip(ours, peer, strict=True)]
    middle = statistics.median(ratios)
    return {
        "what": what,
        "ours": round(statistics.median(ours), 2),
        "peer": round(statistics.median(peer), 2),
        "ratio": f"{middle:.2f}, {min(ratios):.2f} to {max(ratios):.2f}",
        "target": None if most is None else f"≤ {most}",
        "met": None if most is None else middle <= most,
    }


def alone(what: str, ours: float) -> Row:
    """A row without a peer."""
    return {"what": what, "ours": round(ours, 2), "peer": None, "ratio": None, "target": None,
            "met": None}  # fmt: skip


def training(ground: Ground) -> Iterator[Row]:
    """A step of each composition beside a step of MTP."""
    assert ground.train is not None
    genres, single = ground.groupings[CATEGORY], drawn(ground.num_items, GROUPS, 1.0)
    plain = SASRec(SASRecConfig(loss="sampled"), ground.num_items)
    for offsets in (2, 8):
        models: dict[str, Any] = {"MTP": heads(ground, None, offsets)}
        for kind in COMPOSITIONS:
            models[f"{genres.num_groups} genres, {kind}"] = heads(
                ground, genres, offsets, composition=kind
            )
        models[f"{GROUPS} groups, one an item, hierarchical"] = heads(ground, single, offsets)
        models["the backbone alone"] = plain
        arms = {name: steps(model, ground.train) for name, model in models.items()}
        took = alternating(arms, WARM, STEPS)
        for name, values in took.items():
            print(offsets, name, values, flush=True)
        for name in list(arms)[1:]:
            most = 1.5 if "hierarchical" in name else None
            what = f"CPU-ms a training step, {offsets} offsets in 2 horizons: {name}, beside MTP"
            yield beside(what, took[name], took["MTP"], most)


def requests(ground: Ground) -> Iterator[Row]:
    """Scores and the ten best of one user and of 64, by heads and by the backbone."""
    rng = np.random.default_rng(0)
    genres = ground.groupings[CATEGORY]
    small = Ground(SMALL)
    cases = [
        (f"{SMALL:,} items in {GROUPS} groups", small, drawn(SMALL, GROUPS, 1.65)),
        (f"{genres.num_members:,} films in {genres.num_groups} genres", ground, genres),
    ]
    for what, place, grouping in cases:
        model = heads(place, grouping, 2, history=HISTORY).eval()
        merges = {one: copy.copy(model) for one in MERGES}
        for merge, other in merges.items():
            other.config = replace(model.config, merge=merge)
        with torch.no_grad():
            for parameter in model.heads.parameters():
                parameter.normal_(std=0.02)
        for users, times in ((1, 100), (64, 4)):
            items = rng.integers(1, place.num_items + 1, users * HISTORY).astype(np.int32)
            offsets = np.arange(users + 1) * HISTORY
            asked = Contexts(np.arange(users), offsets, items)
            scored = {**merges, "backbone": model.backbone}
            arms = {
                name: lambda one=one: one.score(asked).topk(K)  # noqa: B023 - called at once
                for name, one in scored.items()
            }
            with torch.inference_mode():
                took = alternating(arms, WARM, times)
            who = "one request" if users == 1 else f"a batch of {users}"
            for merge in merges:
                text = f"CPU-ms of {who}, 2 horizons, {what}, {merge}, beside the backbone alone"
                yield beside(text, took[merge], took["backbone"], 1.2)


def many() -> dict[str, float]:
    """A thousand groups in a process of their own, for its memory."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    rows = 400
    items = rng.integers(1, LARGE + 1, rows * 100).astype(np.int32)
    train = Contexts(np.arange(rows), np.arange(rows + 1) * 100, items)
    model = heads(Ground(LARGE), drawn(LARGE, MANY, 1.65), 2)
    took = alternating({"step": steps(model, train)}, 2, 4)["step"]
    asked = train.slice(0, 1)
    with torch.inference_mode():
        model.eval()
        each = alternating({"ask": lambda: model.score(asked).topk(K)}, 3, 20)["ask"]
        best = model.score(asked)
    assert bool(torch.isfinite(best).all())
    return {
        "step": statistics.median(took) / 1000,
        "request": statistics.median(each),
        "parameters": sum(parameter.numel() for parameter in model.heads.parameters()),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure and write results/bench-priors.json."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(many()))
        return
    torch.set_num_threads(1)
    ground = world()
    rows = [*training(ground), *requests(ground)]
    command = [sys.executable, __file__, "many"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    what = f"{MANY:,} groups, 2 horizons, {LARGE:,} items"
    rows += [
        alone(f"{what}: CPU-s a training step", found["step"]),
        alone(f"{what}: CPU-ms of one request", found["request"]),
        alone(f"{what}: millions of parameters of the heads", found["parameters"] / 1e6),
        alone(f"{what}: MB of memory at most, training and requests", found["peak"]),
    ]
    result = {"name": "priors", "rows": rows, "load": os.getloadavg(), **environment()}
    files.write_json(ROOT / "results" / "bench-priors.json", result)
    print("\n".join(f"{row['what']}: {row['ours']} {row['ratio']} {row['met']}" for row in rows))


if __name__ == "__main__":
    main()
