"""The main job: check the data, train, evaluate, report; leave a run directory that says it all.

A run directory is an artefact once `manifest.json` stands in it. Until then it holds `config.json`
and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import cast

import polars as pl
from torch import nn

from tastemaker import config, files
from tastemaker.counts import counted
from tastemaker.data.parquet import write_parquet
from tastemaker.files import JsonObject
from tastemaker.metrics.headline import validation_queries
from tastemaker.options import RunOptions
from tastemaker.recommend.backbones import NEURAL, build, name_of
from tastemaker.recommend.blend_weights import fit_weights
from tastemaker.run.caveats import caveats_of_heads
from tastemaker.run.first_answers import first_answers
from tastemaker.run.folder import (
    DATA,
    RESULTS,
    USERS,
    clear_results,
    finished_folder,
    only_writer,
    run_folder,
    seal_run,
)
from tastemaker.run.heads import heads_of_run
from tastemaker.run.kept import keep_data
from tastemaker.run.models import CountingSettings, Models
from tastemaker.run.plan import Plan, is_finished, make_plan, start_folder
from tastemaker.run.reasoning import reasoning_of_run
from tastemaker.run.results import measure, results_of
from tastemaker.run.similar import keep_neighbours
from tastemaker.run.together import together
from tastemaker.run.validation import Validation
from tastemaker.seams import Learned, Shape
from tastemaker.train.config import FitConfig
from tastemaker.train.journal import LOG
from tastemaker.train.loop import Fitted, fit
from tastemaker.train.processes import processes
from tastemaker.train.stages import stages_of
from tastemaker.train.stopping import listening


def run_recommender(
    options: RunOptions | None = None,
    model: Shape | None = None,
    training: FitConfig | None = None,
    knobs: CountingSettings | None = None,
) -> JsonObject:
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
        TastemakerError: With cause and remedy; nothing new that is finished is left then.
        Stopped: After SIGTERM or Ctrl-C; `resume` goes on from there.
    """
    options = options or RunOptions()
    model = model or NEURAL[options.model].config()
    options = replace(options, model=name_of(model))
    folder = run_folder(options)
    with listening(str(folder)):
        return _run(options, folder, model, training, knobs)


def _run(
    options: RunOptions,
    folder: Path,
    model: Shape,
    training: FitConfig | None,
    knobs: CountingSettings | None,
) -> JsonObject:
    LOG.info("reading %s", options.data_name)
    plan = make_plan(options, folder, model, training or FitConfig(), knobs or {})
    log = plan.cuts.interactions
    users, items = counted(log.num_users, "user"), counted(log.num_items, "item")
    LOG.info("%s of %s with %s", counted(log.num_events, "interaction"), users, items)
    if is_finished(folder, plan):
        return {"run": str(folder), **files.read_json(finished_folder(folder) / RESULTS)}
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


def finish(plan: Plan, neural: Learned, folder: Path) -> JsonObject:
    """Count, train, blend, evaluate and write; returns the contents of `results.json`."""
    started = time.process_time()
    models = first_answers(plan, neural)
    counted = time.process_time() - started
    fitted = train_neural(plan, neural, folder)
    started = time.process_time()
    fit_blend(plan, models)
    LOG.info("measuring %d models on the test events", len(models.names))
    measured = measure(plan, models)
    keep_models(folder, plan, models)
    results, per_user = results_of(plan, models, measured, fitted)
    results["training"] = {
        **asdict(fitted),
        "model": plan.options.model,
        "config": config.to_json(plan.model) | config.to_json(plan.fit),
        "cpu_seconds": round(counted + fitted.cpu_seconds + time.process_time() - started, 1),
    }
    seed = plan.options.seed
    results |= {"seed": seed, "seeds": [seed], **config.environment()}
    if plan.updated:
        results["updated"] = plan.updated
    if shown := together(neural, plan.ground):
        results["together"] = shown
    if said := heads_of_run(neural, plan.cuts, measured[plan.options.model]):
        results["heads"] = said
        results["warnings"] += caveats_of_heads(said)
    if thought := reasoning_of_run(neural, plan.cuts, measured[plan.options.model]):
        results["reasoning"] = thought
        results["warnings"] += thought["caveats"]
    publish(folder, results, per_user)
    return results


def fresh_model(plan: Plan) -> Learned:
    """The neural model before training; refuses data it cannot be built for."""
    config.seed_everything(plan.options.seed)
    return build(plan.model, plan.ground)


def train_neural(plan: Plan, neural: Learned, folder: Path) -> Fitted:
    """Train the neural model, choosing its weights on validation."""
    name, events = plan.options.model, len(plan.cuts.train().items)
    module = cast(nn.Module, neural)  # which every trained model is
    most = " + ".join(str(planned.config.epochs) for planned in stages_of(module, plan.fit))
    LOG.info("training %s on %s; epochs: at most %s", name, counted(events, "event"), most)
    batches = neural.batches(plan.cuts.train(), plan.fit.batch, plan.options.seed)
    validation = Validation(plan.fit.metric, plan.cuts, not plan.options.repeats)
    validate = partial(validation.measure, neural)
    fitted = fit(module, batches, plan.fit, validate, folder, plan.options.resume)
    LOG.info(
        "epochs trained: %d; the weights of epoch %d are kept", fitted.epochs, fitted.best_epoch
    )
    return fitted


def fit_blend(plan: Plan, models: Models) -> None:
    """Fit the weights of the blend on validation."""
    LOG.info("fitting the blend on validation")
    queries, seen = validation_queries(plan.cuts), not plan.options.repeats
    models.weights, _ = fit_weights(models.parts(), queries, models.candidates, seen)


def keep_models(folder: Path, plan: Plan, models: Models) -> None:
    """Write the models and the data, and free what ranks: what follows needs the memory."""
    kept_here = plan.dataset.source == str(folder)
    clear_results(folder, but=DATA if kept_here else ())
    models.save(folder)
    keep_neighbours(models.neural, folder)
    keep_data(folder, plan.dataset)
    models.let_go()


def publish(folder: Path, results: JsonObject, per_user: pl.DataFrame) -> None:
    """Write everything else and, last, the manifest that makes the folder a run."""
    write_parquet(folder / USERS, per_user)
    files.write_json(folder / RESULTS, dict(results))
    LOG.info("writing the report")
    from tastemaker.report.page import write_report  # charts are 40 MB, while nothing else is held

    write_report(folder)
    seal_run(folder, {"best": results["best"]})
