"""Random search on validation, for a neural model and, with as many trials, the counting ones.

A comparison in which one side alone was tuned says little (protocol §3.9). The first trial of every
model is its preset or default, so the search never ends below it on validation; test is read once,
for the settings that won. Every trial is a line of `trials.jsonl`, and an interrupted search goes
on after the last one; only the best training is kept, as a run like any other.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tastemaker import files, records
from tastemaker.errors import BadInput, NumericFault
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of, validation_queries
from tastemaker.options import HEADLINE, TuneOptions
from tastemaker.recommend.backbones import NEURAL
from tastemaker.recommend.counting import COUNTING
from tastemaker.run.folder import only_writer, run_folder
from tastemaker.run.job import fresh_model, run_recommender, train_neural
from tastemaker.run.plan import Plan, make_plan
from tastemaker.seams import Shape
from tastemaker.train.journal import LOG
from tastemaker.train.stopping import listening

Settings = JsonObject
Space = Mapping[str, Sequence[Any]]

SPACE: Space = {
    "model.dim": (32, 64, 128, 256),
    "model.layers": (1, 2, 3, 4),
    "model.dropout": (0.1, 0.2, 0.3, 0.5),
    "model.history": (20, 50, 100, 200),
    "model.negatives": (128, 512, 2048),
    "fit.lr": (3e-4, 5e-4, 1e-3, 2e-3),
    "fit.batch": (16, 32, 64, 128),
    "fit.schedule": ("constant", "cosine"),
}
"""Values that trials of every neural model with such options are drawn from, beside its own."""


@dataclass
class Trials:
    """The records of `trials.jsonl`, one written after each trial."""

    path: Path
    lines: list[JsonObject] = field(default_factory=list)

    def made(self, model: str, number: int) -> JsonObject | None:
        """The trial, if it was made already."""
        return next((t for t in self.lines if (t["model"], t["trial"]) == (model, number)), None)

    def add(self, model: str, number: int, settings: Settings, **outcome: Any) -> None:
        """Keep one trial."""
        self.lines.append({"model": model, "trial": number, "settings": settings, **outcome})
        tried = ", ".join(f"{name} {choice}" for name, choice in settings.items()) or "as they were"
        value = "failed" if outcome[HEADLINE] is None else f"NDCG@10 {outcome[HEADLINE]:.4f}"
        LOG.info("%s, trial %d (%s): %s on validation", model, number + 1, tried, value)
        records.append(self.path, self.lines[-1])

    def best(self, model: str) -> JsonObject:
        """The trial with the highest validation value, the earlier of equals; failed ones last."""
        made = [trial for trial in self.lines if trial["model"] == model]
        return max(made, key=lambda trial: -1.0 if trial[HEADLINE] is None else trial[HEADLINE])

    def summary(self, model: str) -> JsonObject:
        """Trials, validation of the first and of the best, and the settings of the best."""
        made, best = [t for t in self.lines if t["model"] == model], self.best(model)
        first, settings = made[0][HEADLINE], best["settings"]
        return {"trials": len(made), "first": first, "best": best[HEADLINE], "settings": settings}


def tune_model(options: TuneOptions) -> JsonObject:
    """Search, then evaluate the winners once on test, as one run.

    Args:
        options: Which model, on what, and how many trials.

    Returns:
        What `run_recommender` returns for the best settings, with `tuned` (model → number of
        trials, validation of the first and of the best, settings) and `trials`, a path.

    Raises:
        TastemakerError: With cause and remedy; finished trials are kept for `--resume`.
    """
    if options.trials < 1:
        raise BadInput(f"{options.trials} trials are none.", "--trials", "Give at least 1.")
    presets, asked = NEURAL[options.model].presets, options.run()
    if options.preset not in presets:
        known = f"Known: {', '.join(presets)}."
        raise BadInput(f"There is no preset {options.preset!r}.", "--preset", known)
    start, folder = presets[options.preset], run_folder(asked)
    training = replace(start.fit, epochs=options.epochs)
    LOG.info("reading %s", options.run().data_name)
    plan = make_plan(replace(asked, resume=True), folder, start.model, training, {})
    with listening(str(folder)), only_writer(folder):
        return search(plan, options, Trials(folder / "trials.jsonl"))


def search(plan: Plan, options: TuneOptions, trials: Trials) -> JsonObject:
    """Make the trials that are missing, then the run of the best."""
    if options.resume:
        trials.lines = records.read(trials.path)
    counting = [name for name in COUNTING if tune_counting(name, plan, options.trials, trials)]
    folder = tune_neural(plan, options.trials, trials)
    best = varied(plan, trials.best(options.model)["settings"])
    knobs = {name: trials.best(name)["settings"] for name in counting}
    run = replace(plan.options, out=str(folder))
    results = run_recommender(run, best.model, best.fit, knobs)
    tuned = {name: trials.summary(name) for name in (options.model, *counting)}
    return {**results, "tuned": tuned, "trials": str(trials.path)}


def drawn(space: Space, trials: int, seed: int, without: Settings | None = None) -> list[Settings]:
    """Nothing set, then `trials` - 1 different random settings, or as many as there are."""
    rng = np.random.default_rng(seed)
    settings: list[Settings] = [{}]
    every = math.prod(len(values) for values in space.values()) - (without is not None)
    while len(settings) < min(trials, 1 + every):
        draw = {name: values[int(rng.integers(len(values)))] for name, values in space.items()}
        if draw not in settings and draw != without:
            settings.append(draw)
    return settings


def varied(plan: Plan, settings: Settings) -> Plan:
    """The plan with settings such as `model.dim`, `model.backbone.dim` and `fit.lr` in it."""
    model, training, log = plan.model, plan.fit, plan.cuts.interactions
    model = _changed(model, _under("model", settings))
    model = model.suited(log.num_items, log.times is not None)
    return replace(plan, model=model, fit=_changed(training, _under("fit", settings)))


def _under(group: str, settings: Settings) -> Settings:
    """Settings of one group of options, without its name."""
    start = f"{group}."
    return {n.removeprefix(start): v for n, v in settings.items() if n.startswith(start)}


def _changed(options: Any, settings: Settings) -> Any:
    """Options with settings in them, also in options that they hold."""
    plain = {name: value for name, value in settings.items() if "." not in name}
    for held in {name.partition(".")[0] for name in settings} - plain.keys():
        plain[held] = _changed(vars(options)[held], _under(held, settings))
    return replace(options, **plain)


def space_of(name: str) -> Space:
    """Option → values that a search of a neural model draws from.

    What a model's own options lack is drawn for the backbone that they hold, if they hold one.
    """
    own = vars(NEURAL[name].config())
    held = vars(own["backbone"]) if "backbone" in own else {}
    every: dict[str, Sequence[Any]] = {}
    for option, values in SPACE.items():
        group, _, plain = option.partition(".")
        if group == "fit" or plain in own:
            every[option] = values
        elif plain in held:
            every[f"{group}.backbone.{plain}"] = values
    return {**every, **NEURAL[name].space}


def taken(space: Space, model: Shape) -> Space:
    """The options that a model takes as it stands: one trained before has sizes of its own."""

    def takes(option: str, value: object) -> bool:
        try:
            _changed(model, _under("model", {option: value}))
        except BadInput:
            return False
        return True

    return {
        option: values
        for option, values in space.items()
        if all(takes(option, value) for value in values)
    }


def tune_neural(plan: Plan, count: int, trials: Trials) -> Path:
    """Train every trial; returns the folder of the best, the only one that is kept."""
    name, parent = plan.options.model, trials.path.parent
    space = taken(space_of(name), plan.model)
    for number, settings in enumerate(drawn(space, count, plan.options.seed)):
        if trials.made(name, number):
            continue
        trial, folder, began = varied(plan, settings), parent / f"trial-{number:03d}", _cpu()
        files.make_folder(folder)
        outcome: Settings = {HEADLINE: None}
        try:
            fitted = train_neural(trial, fresh_model(trial), folder)
            outcome = {HEADLINE: fitted.best, "epochs": fitted.epochs, "best": fitted.best_epoch}
        except NumericFault as error:
            outcome["error"] = str(error)
        trials.add(name, number, settings, **outcome, cpu_seconds=round(_cpu() - began, 1))
        best = parent / f"trial-{trials.best(name)['trial']:03d}"
        for other in parent.glob("trial-*"):
            if other != best:
                shutil.rmtree(other)
    return parent / f"trial-{trials.best(name)['trial']:03d}"


def tune_counting(name: str, plan: Plan, count: int, trials: Trials) -> bool:
    """Fit every trial of a counting model; False where the data are too large for it."""
    kind, cuts = COUNTING[name], plan.cuts
    queries, scoring = validation_queries(cuts), options_of(cuts, not plan.options.repeats, (10,))
    default = {knob: values[0] for knob, values in kind.KNOBS.items()}
    for number, settings in enumerate(drawn(kind.KNOBS, count, plan.options.seed, default)):
        if trials.made(name, number):
            continue
        began = _cpu()
        try:
            model = kind.fit(cuts.train(), cuts.interactions.num_items, **settings)
        except BadInput:
            return False
        value = evaluate(model, queries, scoring).mean(HEADLINE)
        trials.add(
            name, number, settings, **{HEADLINE: value}, cpu_seconds=round(_cpu() - began, 1)
        )
    return True


def _cpu() -> float:
    return time.process_time()
