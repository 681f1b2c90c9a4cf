"""The arms of the recipe on item-to-item lists: what needs no training, what does, and fronts.

Every dial is set once, on validation with the first seed; all three measures of co-visitation make
a front of the blend, as all three trades make one of the model, so that both have as many points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from evidence import Evidence
from item2vec import UPDATES, item2vec
from item_lists import Dial, Floats, Scores, Task, dial
from office import office

from tastemaker.data.datasets import load
from tastemaker.data.splits import split
from tastemaker.metrics.fronts import compare_fronts, hypervolume
from tastemaker.recommend.item_to_item import CoVisited, Popular
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.train.config import FitConfig

SHAPE = MTMHConfig(encoder="words")
TWO = {f"two heads, μ = {mu:g}": replace(SHAPE, trade=mu) for mu in (0.0, 0.1, 0.3)}
USUAL = "two heads, μ = 0.1"
BARE = replace(SHAPE, relevance_weight=0.0, relevance=0.0, trade=0.0)
ONE = replace(BARE, dim=2 * SHAPE.dim, trade=1.1)
"""One head, as long as both together, with the whole of the loss of both."""
TRAINED = {**TWO, "co-engagement": BARE, "one head": ONE, "no skip": TWO[USUAL]}
MEASURES = ("cosine", "pmi", "share")
AREA = "hypervolume@50"
COLD = ("two heads", "relevance head", "co-engagement", "content kNN")
"""Arms that are asked for items without training events too."""


def counted(task: Task) -> tuple[dict[str, Scores], dict[str, Dial]]:
    """Arms that need no training, and the dials of the blends."""
    visited = {one: CoVisited.fit(task.pairs, task.counts, one) for one in MEASURES}
    blends = {f"blend, {one}": task.blend(made) for one, made in visited.items()}
    settings = {name: task.tuned(turn) for name, turn in blends.items()}
    best = max(blends, key=lambda name: task.recalled(blends[name](settings[name]), task.valid))
    arms: dict[str, Scores] = {f"co-visitation, {one}": made for one, made in visited.items()}
    arms |= {"content kNN": task.content, "popularity": Popular(task.counts)}
    return {"blend": blends[best](settings[best]), **arms}, blends


def learnt(found: Evidence, task: Task, training: FitConfig) -> dict[str, Dial]:
    """The dials of everything that is trained, with the seed of `training`."""
    dials = {}
    for arm, shape in TRAINED.items():
        name = arm.replace(",", "").replace(" = ", "-").replace(" ", "-").replace("μ", "mu")
        out = found.cache / f"{name}-seed-{training.seed}"
        heads, converged = task.trained(shape, training, out, skip=arm != "no skip")
        dials[arm] = dial(heads)
        if not (converged or found.size == "toy"):
            found.notes.append(f"not converged: {arm}, seed {training.seed}")
    return dials


def measure(found: Evidence, task: Task, training: FitConfig) -> None:
    """All arms of all seeds, then the fronts as R3."""
    fixed, blends = counted(task)
    standing = {arm: task.columns(scores, task.test) for arm, scores in fixed.items()}
    standing["content kNN, cold"] = task.columns(fixed["content kNN"], task.cold)
    points: dict[str, list[Floats]] = {name: [task.front(turn)] for name, turn in blends.items()}
    tuned = alike = -1.0
    for seed in found.seeds:
        dials = learnt(found, task, replace(training, seed=seed))
        two, one = dials[USUAL], dials["one head"](0.0)
        if seed == found.seeds[0]:
            tuned, alike = task.tuned(two), task.as_relevant(two, one)
            words = f"weight on meaning, set on validation: {tuned:g}"
            found.notes.append(f"{words}; as relevant as one head from {alike:g}")
        arms = {
            "two heads": two(tuned),
            "engagement head": two(0.0),
            "relevance head": two(1.0),
            "two heads, as relevant": two(alike),
            "co-engagement": dials["co-engagement"](0.0),
            "one head": one,
            "item2vec": item2vec(
                task.pairs, task.counts, seed, lambda made: task.recalled(made, task.valid),
                10 if found.size == "toy" else UPDATES,
            ),
        }  # fmt: skip
        for arm, scores in arms.items():
            found.add(arm, task.columns(scores, task.test))
            if arm in COLD:
                found.add(f"{arm}, cold", task.columns(scores, task.cold))
        found.add("no skip, cold", task.columns(dials["no skip"](1.0), task.cold))
        for arm, values in standing.items():
            found.add(arm, values)
        for name in TWO:
            points.setdefault(name, []).append(task.front(dials[name]))
    fronts(found, {name: np.stack(made) for name, made in points.items()})


def fronts(found: Evidence, points: Mapping[str, Floats]) -> None:
    """R3: the areas of all points of the model and of all points of the blend."""
    sides = {}
    for side, of in (("front of two heads", "two heads"), ("front of the blend", "blend")):
        made = [values for name, values in points.items() if name.startswith(of)]
        whole = np.concatenate(
            [np.broadcast_to(v, (len(found.seeds), *v.shape[1:])) for v in made], 1
        )
        sides[side] = whole
        for area in hypervolume(whole.mean(-1)):
            found.add(side, {AREA: np.array([area])})
    found.fronts = {name: values.mean((0, -1)).round(5).tolist() for name, values in points.items()}
    found.state("R3", "the front of two heads holds more than the blend's", *sides, AREA,
                compare_fronts(*sides.values()))  # fmt: skip


def office_task(toy: bool) -> Task:
    """Amazon Office: order split, the rows of the public files."""
    items, train, valid, test = office()
    return Task.of(items, train, (valid, test), toy)


def movielens_task(toy: bool) -> Task:
    """MovieLens-small: each user's last ten events, and the ten before for validation."""
    data = load("movielens-small")
    cuts = split(data.positives(), "last-10")
    items = data.catalog.align(cuts.interactions.item_ids)
    return Task.of(items, cuts.train(), (cuts.queries("valid"), cuts.queries("test")), toy)


TASKS = {"amazon-office": office_task, "movielens-small": movielens_task}
