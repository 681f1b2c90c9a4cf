"""What every recipe shares: resumable runs, paired relations with a verdict, one JSON shape.

A recipe trains one run a seed under `runs/recipes/NAME-SIZE/`, resumes what was interrupted,
and writes `results/NAME.json` in the one shape that a test checks.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.metrics.comparisons import Difference, compare, verdict
from tastemaker.metrics.intervals import intervals
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.options import RunOptions
from tastemaker.recommend.backbones import name_of
from tastemaker.recommend.counting import COUNTING
from tastemaker.run.job import run_recommender
from tastemaker.train.config import FitConfig

ROOT = Path(__file__).parents[1]
METRICS = ("ndcg@10", "hr@10", "mrr@10")
OTHERS = (*COUNTING, "blend")
"""Models that every run has beside its neural one."""


def size_of(doc: str) -> str:
    """`--toy` runs the code path in a minute; `--size full` the long version."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--size", choices=("toy", "small", "full"), default="small")
    parser.add_argument("--toy", action="store_const", const="toy", dest="size")
    torch.set_num_threads(1)
    return str(parser.parse_args().size)


def runs_of(name: str, size: str) -> Path:
    """Where the runs of a recipe lie; a recipe may read those of another."""
    return ROOT / "runs" / "recipes" / f"{name}-{size}"


@dataclass
class Evidence:
    """Per-user values of every arm and seed, and what they say."""

    name: str
    paper: str
    data: str
    size: str
    seeds: Sequence[int]
    metrics: Sequence[str] = METRICS
    """kept of every arm; the first is the one meant where a claim names none"""
    cpu_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """what a reader must know first, such as `not converged`"""
    values: dict[str, dict[str, list[npt.NDArray[np.float64]]]] = field(default_factory=dict)
    relations: list[dict[str, Any]] = field(default_factory=list)
    axes: Sequence[str] = ()
    """what fronts' coordinates are, if not recall and relevance at 50"""
    fronts: dict[str, list[list[float]]] = field(default_factory=dict)
    """method → points that its dial gives, in two coordinates"""
    tables: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """what else was measured and has no verdict: title → row → column → number"""
    curves: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)
    """line → what is drawn of it → rows of budget, median, low and high"""
    made_with: dict[str, Any] = field(default_factory=environment)
    """versions and commit when the recipe started"""

    @property
    def cache(self) -> Path:
        """Where the runs of this recipe lie."""
        return runs_of(self.name, self.size)

    def add(self, arm: str, per_user: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Per-user metrics of one arm and the next seed; some of those of the recipe will do."""
        kept = self.values.setdefault(arm, {})
        for metric in filter(per_user.__contains__, self.metrics):
            kept.setdefault(metric, []).append(np.asarray(per_user[metric], np.float64))

    def train(
        self,
        arm: str,
        options: RunOptions,
        model: NextItemConfig,
        training: FitConfig | None = None,
        also: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Train one run, or read the finished one, and add its neural model as `arm`.

        Args:
            arm: Name of the arm; the run lies in the cache under it and the seed.
            options: Data, seed and split; `out` may name a run that recipes share.
            model: Shape of the neural model.
            training: How to train it.
            also: Other models of the run to add under their own names, once a seed.
        """
        out = options.out or str(self.cache / f"{arm.split()[0]}-seed-{options.seed}")
        options = replace(options, out=out, resume=True)
        results = run_recommender(options, model, training)
        self.cpu_seconds += results["training"]["cpu_seconds"]
        if not results["training"]["converged"]:
            self.notes.append(f"not converged: {arm}, seed {options.seed}")
        users = pl.read_parquet(Path(out) / "users.parquet", glob=False)
        names = {arm: name_of(model)} | {
            one: one
            for one in also
            if len(self.values.get(one, {}).get(self.metrics[0], ()))
            <= self.seeds.index(options.seed)
        }
        for name, own in names.items():
            rows = users.filter(pl.col("model") == own)
            self.add(name, {metric: rows[metric].to_numpy() for metric in self.metrics})
        return results

    def against_published(
        self, arm: str, value: float, share: float = 0.97, metric: str | None = None
    ) -> None:
        """Say whether the arm reaches `share` of a published figure, over the seeds so far."""
        metric = metric or self.metrics[0]
        values = np.mean(self.values[arm][metric], axis=0)
        cell = intervals({metric: values})[metric].to_json()
        low, high = cell["ci95"]
        word = "reaches" if cell["mean"] >= share * value else "misses"
        self.notes.append(
            f"{arm}: {metric.upper()} {cell['mean']:.4f} [{low:.4f}, {high:.4f}] {word} "
            f"{share:.2f} of the published {value:.3f}"
        )

    def relate(self, key: str, claim: str, a: str, b: str, metric: str | None = None) -> None:
        """Compare arm `a` with arm `b`, user by user and seed by seed; the claim is a > b."""
        metric = metric or self.metrics[0]
        pair = compare(np.stack(self.values[a][metric]), np.stack(self.values[b][metric]))
        self.state(key, claim, a, b, metric, pair)

    def state(
        self, key: str, claim: str, a: str, b: str, metric: str, difference: Difference
    ) -> None:
        """Note a difference of two arms that was measured elsewhere; the claim is a > b."""
        measured = {"difference": difference.difference, "ci95": list(difference.ci95)}
        said = {"id": key, "claim": claim, "a": a, "b": b, "metric": metric, **measured}
        self.relations.append({**said, "verdict": verdict(difference)})

    def spent(self, seconds: float) -> None:
        """Add CPU-seconds of this start, and those of earlier ones that it went on from."""
        path = self.cache / "cpu_seconds.json"
        before = files.read_json(path)["cpu_seconds"] if path.is_file() else 0.0
        self.cpu_seconds = before + seconds
        files.make_folder(self.cache)
        files.write_json(path, {"cpu_seconds": self.cpu_seconds})

    def write(self) -> Path:
        """Write `results/NAME.json` (a toy: into the cache) and print the relations."""
        arms = {
            arm: {metric: [float(one.mean()) for one in seeds] for metric, seeds in found.items()}
            for arm, found in self.values.items()
        }
        more = {"axes": list(self.axes), "fronts": self.fronts, "tables": self.tables}
        more["curves"] = self.curves
        result = {
            "name": self.name,
            "paper": self.paper,
            "data": self.data,
            "size": self.size,
            "seeds": list(self.seeds),
            "users": len(next(iter(self.values.values()))[self.metrics[0]][0]),
            "notes": self.notes,
            "arms": arms,
            "relations": self.relations,
            **{name: value for name, value in more.items() if value},
            "cpu_seconds": round(self.cpu_seconds),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "date": datetime.now(UTC).date().isoformat(),
            **self.made_with,
        }
        suffix = "" if self.size == "small" else f"-{self.size}"
        folder = self.cache if self.size == "toy" else ROOT / "results"
        path = folder / f"{self.name}{suffix}.json"
        files.make_folder(folder)
        files.write_json(path, result)
        for one in self.relations:
            low, high = one["ci95"]
            gap = f"{one['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
            sys.stdout.write(f"{one['id']} {one['claim']}: {gap} {one['verdict']}\n")
        return path
