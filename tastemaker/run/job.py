"""The main job: check the data, train, evaluate, report; leave a run directory that says it all.

A run directory is an artefact once `manifest.json` stands in it. Until then it holds `config.json`
and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from tastemaker import artifacts, config, files
from tastemaker.metrics.evaluate import evaluate
from tastemaker.nn.next_item import NextItemConfig, NextItemModel
from tastemaker.options import Model, RunOptions
from tastemaker.recommend.backbones import NEURAL, build, name_of
from tastemaker.recommend.blend import fit_weights
from tastemaker.report.page import write_report
from tastemaker.run.folder import KIND, UNFINISHED, only_writer, run_folder
from tastemaker.run.kept import keep
from tastemaker.run.models import Knobs, Models
from tastemaker.run.plan import Plan, is_finished, make_plan, start_folder
from tastemaker.run.results import evaluate_models, options_of, validation_queries
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted, fit
from tastemaker.train.processes import processes


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
        return {"run": str(folder), **files.read_json(folder / "results.json")}
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
    models.save(folder)
    keep(folder, plan.dataset)
    per_user.write_parquet(folder / "users.parquet")
    files.write_json(folder / "results.json", dict(results))
    write_report(folder)
    artifacts.seal(folder, KIND, {"best": results["best"]}, skip=UNFINISHED)
