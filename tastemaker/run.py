"""The main job: check the data, train, evaluate, report; leave a run directory that says it all.

A run directory is an artefact once `manifest.json` stands in it. Until then it holds `config.json`
and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl
import torch

from tastemaker import artifacts, config
from tastemaker.checkpoints import check_identity
from tastemaker.data.datasets import Dataset, load
from tastemaker.data.splits import Split, split
from tastemaker.errors import BadInput
from tastemaker.metrics.evaluate import evaluate
from tastemaker.nn.next_item import NextItemConfig, NextItemModel
from tastemaker.options import Model, RunOptions
from tastemaker.processes import processes
from tastemaker.recommend.answer import KIND
from tastemaker.recommend.blend import fit_weights
from tastemaker.recommend.models import NEURAL, Knobs, Models, build, foreign_models, name_of
from tastemaker.report.page import write_report
from tastemaker.results import evaluate_models, options_of, validation_queries
from tastemaker.train import FitConfig, Fitted, fit, shaping

UNFINISHED = ("checkpoints",)
"""Parts of a run directory that are artefacts of their own."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run before it starts."""

    options: RunOptions
    dataset: Dataset
    cuts: Split
    model: NextItemConfig
    fit: FitConfig
    knobs: Knobs
    """settings of counting models that are not at their defaults"""

    def to_json(self) -> dict[str, Any]:
        """The contents of `config.json`."""
        log = self.cuts.interactions
        return {
            **{k: v for k, v in asdict(self.options).items() if k not in ("out", "resume")},
            "source": self.dataset.source,
            "model_config": config.to_json(self.model),
            "fit": config.to_json(self.fit),
            "foreign_models": foreign_models(self.model),
            "knobs": self.knobs,
            "data_sha256": log.sha256,
            "vocabulary_sha256": log.vocabulary_sha256,
            "split_sha256": self.cuts.sha256,
            "threads": torch.get_num_threads(),
            **config.environment(),
        }


def run_recommender(
    options: RunOptions | None = None,
    model: NextItemConfig | None = None,
    training: FitConfig | None = None,
    knobs: Knobs | None = None,
) -> dict[str, Any]:
    """Check the data, train a neural and the counting models, evaluate, and write a report.

    Args:
        options: What to run on and where to write.
        model: Shape and loss of the neural model; its type decides which model that is.
        training: How to train it; the seed is that of `options`.
        knobs: Settings of counting models, for those that shall not have their defaults.

    Returns:
        The contents of `results.json` plus `run`, the path of the run directory. Under
        `accelerate launch` the first process alone evaluates and has more than `run`.

    Raises:
        TastemakerError: With cause and remedy; nothing finished is left then.
    """
    options = options or RunOptions()
    model = model or NEURAL[options.model][1]()
    options = replace(options, model=cast(Model, name_of(model)))
    folder = run_folder(options)
    plan = make_plan(options, folder, model, training or FitConfig(), knobs or {})
    if is_finished(folder, plan):
        return {"run": str(folder), **artifacts.read_json(folder / "results.json")}
    neural = fresh_model(plan)
    ours = processes()
    ours.wait_for_everyone()  # all have chosen the same folder before it exists
    if not ours.is_main_process:
        ours.wait_for_everyone()
        train_neural(plan, neural, folder)
        return {"run": str(folder)}
    with only_writer(folder):
        start_folder(folder, plan)
        ours.wait_for_everyone()
        return {"run": str(folder), **finish(plan, neural, folder)}


def finish(plan: Plan, neural: NextItemModel, folder: Path) -> dict[str, Any]:
    """Train, fit, evaluate and write; returns the contents of `results.json`."""
    started = time.process_time()
    fitted = train_neural(plan, neural, folder)
    models = fit_others(plan, neural)
    results, per_user = evaluate_models(models, plan.dataset, plan.cuts, not plan.options.repeats)
    results["training"] = {
        **asdict(fitted),
        "model": plan.options.model,
        "config": config.to_json(plan.model) | config.to_json(plan.fit),
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    seed = plan.options.seed
    results |= {"seed": seed, "seeds": [seed], **config.environment()}
    publish(folder, plan, models, results, per_user)
    return results


def make_plan(
    options: RunOptions,
    folder: Path,
    model: NextItemConfig,
    training: FitConfig,
    knobs: Knobs,
) -> Plan:
    """Read and check the data and fix every option."""
    rejected = folder.with_name(f"{folder.name}-bad-rows.csv")
    drop = options.on_bad_rows == "drop"
    dataset = load(options.data, bad_rows=rejected if drop else None)
    cuts = split(dataset.positives(), options.split)
    log = cuts.interactions
    model = model.suited(log.num_items, log.times is not None)
    return Plan(options, dataset, cuts, model, replace(training, seed=options.seed), knobs)


def run_folder(options: RunOptions) -> Path:
    """Where this run is written.

    Raises:
        BadInput: If the folder holds something already and the run is not resumed.
    """
    if options.out:
        folder = Path(options.out)
        if options.resume or not folder.exists() or not any(folder.iterdir()):
            return folder
        raise BadInput(
            f"The run directory {options.out!r} holds something already.",
            "--out",
            "Choose another, remove it, or go on with --resume.",
        )
    stem = f"{Path(options.data).name}-{options.model}"
    names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 10_000))
    taken = (Path("runs") / name for name in names)
    if options.resume:
        raise BadInput("There is nothing to resume.", "--resume", "Name the run with --out.")
    return next(path for path in taken if not path.exists())


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, against a second writer, until the block or process ends.

    Raises:
        BadInput: If another process holds it.
    """
    artifacts.make_folder(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what, fix = "Another process is writing this folder.", "Wait for it, or name another."
            raise BadInput(what, str(folder), fix) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(handle)


def is_finished(folder: Path, plan: Plan) -> bool:
    """Whether a finished run of this plan stands there; one that shall train on is not finished.

    Raises:
        ArtefactError: If the run there is of another plan, trained farther, or damaged.
    """
    if not (folder / artifacts.MANIFEST).is_file():
        return False
    artifacts.verify(folder, KIND)
    path = folder / "config.json"
    had, asked = check_plan(path, plan)["fit"], config.to_json(plan.fit)
    before, now = reach(had), reach(asked)
    if now != before and all(one >= other for one, other in zip(now, before, strict=True)):
        return False
    check_identity(path, {name: asked[name] for name in ("epochs", "patience")}, had)
    return True


def reach(fit: Mapping[str, Any]) -> tuple[float, float]:
    """How far a training may go: epochs, and validations without a gain (0 is without end)."""
    return fit["epochs"], fit["patience"] or math.inf


def check_plan(path: Path, plan: Plan) -> dict[str, Any]:
    """Read a `config.json`, or refuse it if its run has other data, model or training."""
    found, wanted = artifacts.read_json(path), plan.to_json()
    hashes = ("data_sha256", "vocabulary_sha256", "split_sha256")
    names = ("model", "model_config", "knobs", *hashes, "repeats", "seed")
    check_identity(path, {name: wanted[name] for name in names}, found)
    same = {"foreign_models": wanted["foreign_models"]}
    check_identity(path, same, same | found)  # runs of earlier versions do not say
    check_identity(path, shaping(plan.fit), found["fit"])
    return found


def start_folder(folder: Path, plan: Plan) -> None:
    """Write `config.json`; what a resumed run has there must be of the same plan."""
    path, wanted = folder / "config.json", plan.to_json()
    if path.is_file():
        wanted = check_plan(path, plan) | {"fit": wanted["fit"]}
        (folder / artifacts.MANIFEST).unlink(missing_ok=True)  # a finished run trains on
    else:
        artifacts.sweep(folder)
    artifacts.write_json(path, wanted)


def fresh_model(plan: Plan) -> NextItemModel:
    """The neural model before training; refuses data it cannot be built for."""
    config.seed_everything(plan.options.seed)
    log = plan.cuts.interactions
    return build(plan.model, log.num_items, plan.dataset.catalog.align(log.item_ids))


def train_neural(plan: Plan, neural: NextItemModel, folder: Path) -> Fitted:
    """Train the neural model, choosing its weights on validation."""
    batches = neural.batches(plan.cuts.train(), plan.fit.batch, plan.options.seed)
    queries = validation_queries(plan.cuts)
    scoring = options_of(plan.cuts, not plan.options.repeats, ks=(10,))

    def validate() -> dict[str, float]:
        measured = evaluate(neural, queries, scoring)
        return {name: measured.mean(name) for name in ("ndcg@10", "hr@10")}

    return fit(neural, batches, plan.fit, validate, folder, plan.options.resume)


def fit_others(plan: Plan, neural: NextItemModel) -> Models:
    """Fit the counting models on the training events, and the blend of all on validation."""
    train, num_items = plan.cuts.train(), plan.cuts.interactions.num_items
    models = Models.fit_counting(plan.options.model, neural, train, num_items, plan.knobs)
    parts, seen = models.parts(), not plan.options.repeats
    queries = validation_queries(plan.cuts)
    models.weights, _ = fit_weights(parts, queries, models.candidates, seen)
    return models


def publish(
    folder: Path,
    plan: Plan,
    models: Models,
    results: Mapping[str, Any],
    per_user: pl.DataFrame,
) -> None:
    """Write everything and, last, the manifest that makes the folder a run."""
    log = plan.cuts.interactions
    models.save(folder)
    log.save(folder)
    plan.dataset.catalog.align(log.item_ids).save(folder / "items.parquet")
    per_user.write_parquet(folder / "users.parquet")
    artifacts.write_json(folder / "results.json", dict(results))
    write_report(folder)
    artifacts.seal(folder, KIND, {"best": results["best"]}, skip=UNFINISHED)
