"""The trainings of the recipe on priors of events, and what they are compared for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from evidence import Evidence
from priors_trained import Arm, Way, best_merge, merge_by, said
from priors_world import HEADLINE, METRICS, POSITIVE, Floats, World

from tastemaker.metrics.comparisons import compare
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.priors import Priors
from tastemaker.train.config import FitConfig

PAPER = "arXiv 2511.10492"
SIZES = {"toy": (60, 60, 80), "small": (600, 200, 1_000), "full": (2_000, 200, 2_000)}
"""Users, events of each and videos."""


Size = tuple[int, int]
"""Events of a history, layers."""


@dataclass
class Study:
    """Everything trained in one world; each training lies in a folder of its own."""

    world: World
    training: FitConfig
    main: Evidence
    told: Evidence
    """heads that are told the kind of the targets, beside those that are not"""
    grid: Evidence
    merges: dict[str, Way] = field(default_factory=dict)
    """arm → how its heads are merged, which ranked validation best with the first seed"""
    reached: dict[str, float] = field(default_factory=dict)
    """arm → validation of the first seed, so merged"""

    @classmethod
    def of(cls, size: str, training: FitConfig) -> Study:
        """Generate the world; the same whatever the seed of a training."""
        names = ("priors_events", "priors_told", "priors_sweep")
        metrics = (METRICS, METRICS[1 : 1 + len(POSITIVE)], (HEADLINE,))
        found = [
            Evidence(name, PAPER, "short videos, generated", size, [], some)
            for name, some in zip(names, metrics, strict=True)
        ]
        return cls(World.of(*SIZES[size]), training, *found)

    def measured(
        self, name: str, arm: Arm, seed: int, found: Evidence
    ) -> tuple[NextItemModel | Priors, dict[str, Floats]]:
        """A trained model and its metrics; the first seed of an arm sets its merge."""
        started = time.process_time()
        training = replace(self.training, seed=seed)
        shape = f"{arm.history}-{arm.layers}"
        model, fitted = arm.trained(
            self.world,
            training,
            self.main.cache / f"{name.replace(', ', '-').replace(' ', '-')}-{shape}-seed-{seed}",
        )
        if not fitted.converged:
            found.notes.append(f"not converged: {name}, {shape}, seed {seed}")
        if isinstance(model, Priors) and name in self.merges:
            merge_by(model, *self.merges[name])
        elif isinstance(model, Priors):
            tried = best_merge(model, self.world)
            way = max(tried, key=lambda one: tried[one])
            self.merges[name], self.reached[name] = way, tried[way]
            words = ", ".join(f"{said(*one)} {value:.4f}" for one, value in tried.items())
            found.notes.append(f"{name} merges by {said(*way)}; validation: {words}")
        values = self.world.measures(model)
        found.spent(time.process_time() - started)
        return model, values

    def compare(self, arms: Mapping[str, Arm], seed: int) -> None:
        """One seed of all arms at one size; EVENT also as it is when told the kind."""
        self.main.seeds = self.told.seeds = [*self.main.seeds, seed]
        for name, arm in arms.items():
            model, values = self.measured(name, arm, seed, self.main)
            self.main.add(name, values)
            if name in ("BASE", "EVENT"):
                self.told.add(f"{name}, not told", values)
            if name == "EVENT" and isinstance(model, Priors):
                self.told.add("EVENT, told", self.world.told(model))

    def write(self, claims: Sequence[tuple[str, str, str, str, str]]) -> None:
        """Results of the arms so far."""
        self.main.relations, self.told.relations = [], []
        for key, claim, a, b, metric in claims:
            self.main.relate(key, claim, a, b, metric)
        for kind in POSITIVE:
            claim = f"told that {kind}s come, heads rank them better"
            asked = f"{HEADLINE} of {kind}s"
            self.told.relate("T", claim, "EVENT, told", "EVENT, not told", asked)
        self.told.cpu_seconds = self.main.cpu_seconds
        self.main.write()
        self.told.write()

    def sweep(
        self, arms: Mapping[str, Arm], priors: Sequence[str], grid: Sequence[Size], seed: int
    ) -> None:
        """The backbone and the best of some arms on validation, at every size; then slopes."""
        found, best = self.grid, max(priors, key=lambda name: self.reached[name])
        found.seeds = [*found.seeds, seed]
        gaps: dict[Size, Floats] = {}
        for history, layers in grid:
            values = {}
            for name in ("BASE", best):
                arm = replace(arms[name], history=history, layers=layers)
                values[name] = self.measured(name, arm, seed, found)[1][HEADLINE]
                found.add(f"{name}, {history} events, {layers} layers", {HEADLINE: values[name]})
            gaps[history, layers] = values[best] - values["BASE"]
        for axis, word in enumerate(("events", "layers")):
            for size in sorted({size[axis] for size in grid}):
                some = [gap for cell, gap in gaps.items() if cell[axis] == size]
                found.add(f"gap, {size} {word}", {HEADLINE: np.mean(some, 0)})
        self._slopes(best, grid)

    def _slopes(self, best: str, grid: Sequence[Size]) -> None:
        """How the gap grows; how wide an open question is, is judged by what the backbone does."""
        found = self.grid
        found.relations = []
        base = [np.mean(values[HEADLINE]) for arm, values in found.values.items() if "BASE" in arm]
        for axis, word in enumerate(("events", "layers")):
            few, many = sorted({size[axis] for size in grid})
            a, b = f"gap, {many} {word}", f"gap, {few} {word}"
            pair = compare(*(np.stack(found.values[arm][HEADLINE]) for arm in (a, b)))
            claim = f"the gain of {best} grows from {few} to {many} {word}"
            found.state("R6", claim, a, b, HEADLINE, replace(pair, reference=float(np.mean(base))))
        found.fronts = {
            f"{layers} layers": [
                [history, self._gap(best, history, layers)]
                for history, own in grid
                if own == layers
            ]
            for layers in sorted({layers for _, layers in grid})
        }
        found.axes = ("events of a history", f"gain of {best} in {HEADLINE.upper()}")
        found.write()

    def _gap(self, best: str, history: int, layers: int) -> float:
        """Mean gap at one size."""
        a, b = (
            np.mean(self.grid.values[f"{name}, {history} events, {layers} layers"][HEADLINE])
            for name in (best, "BASE")
        )
        return float(a - b)
