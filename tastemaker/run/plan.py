"""Everything that decides a run before it starts, and whether a run there is of the same plan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from tastemaker import artifacts, config, files
from tastemaker.data.datasets import Dataset, load
from tastemaker.data.ground import CATEGORY, INTEREST, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import by_kind
from tastemaker.data.splits import Split, split
from tastemaker.files import JsonObject
from tastemaker.metrics.targets import check_queries
from tastemaker.options import FRAME, RunOptions
from tastemaker.recommend.backbones import foreign_models
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.run.folder import CONFIG, finished_folder, read_config, train_on, verify_run
from tastemaker.run.kept import keep_data, kept_data, pictures_of
from tastemaker.run.models import CountingSettings
from tastemaker.run.validation import Validation
from tastemaker.seams import Shape
from tastemaker.train.checkpoints import check_identity
from tastemaker.train.config import FitConfig, shaping
from tastemaker.understand.interest_groups import counted_groups


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run before it starts."""

    options: RunOptions
    dataset: Dataset
    cuts: Split
    model: Shape
    fit: FitConfig
    knobs: CountingSettings
    """settings of counting models that are not at their defaults"""
    updated: JsonObject | None = None
    """from which run and by what events, where it follows one; None: it is the first"""

    @cached_property
    def ground(self) -> Ground:
        """What the neural model is built on, and everything is measured by."""
        log, catalog = self.cuts.interactions, self.dataset.catalog
        ground = Ground.of(log.item_ids, catalog, self.cuts.train(), log.event_names)
        wanted = isinstance(self.model, PriorsConfig) and INTEREST in self.model.priors
        if not wanted or CATEGORY not in ground.groupings:
            return ground
        interests = self._interests(ground.groupings[CATEGORY])
        return replace(ground, groupings={**ground.groupings, INTEREST: interests})

    def _interests(self, categories: Grouping) -> Grouping:
        """Users by what they verifiably like more than others, of training events alone."""
        train, log = self.cuts.train(), self.cuts.interactions
        codes = train.polarities
        if codes is None:
            kinds = by_kind(log, self.dataset.declared)
            codes = kinds[np.zeros_like(train.items) if train.events is None else train.events]
        return counted_groups(train, codes, categories)

    @cached_property
    def refused(self) -> Interactions:
        """What each user explicitly refused, whatever else was said of it before."""
        return self.dataset.refused()

    def to_json(self) -> JsonObject:
        """The contents of `config.json`."""
        log = self.cuts.interactions
        return {
            **{k: v for k, v in vars(self.options).items() if k not in ("out", "resume")},
            "data": self.options.data_name,
            "source": self.dataset.source,
            "model_config": config.to_json(self.model),
            "fit": config.to_json(self.fit),
            "foreign_models": foreign_models(self.model),
            "knobs": self.knobs,
            "data_sha256": log.sha256,
            "vocabulary_sha256": log.vocabulary_sha256,
            "split_sha256": self.cuts.sha256,
            "threads": torch.get_num_threads(),
            **({"updated": self.updated} if self.updated else {}),
            **pictures_of(self.dataset.catalog),
            **config.environment(),
        }


def make_plan(
    options: RunOptions,
    folder: Path,
    model: Shape,
    training: FitConfig,
    knobs: CountingSettings,
) -> Plan:
    """Read and check the data and fix every option."""
    rejected = folder.with_name(f"{folder.name}-bad-rows.csv")
    drop = options.on_bad_rows == "drop"
    dataset = kept_frame(options, folder)
    dataset = dataset or load(options.data, bad_rows=rejected if drop else None)
    return plan_of(options, dataset, model, training, knobs)


def plan_of(
    options: RunOptions,
    dataset: Dataset,
    model: Shape,
    training: FitConfig,
    knobs: CountingSettings,
) -> Plan:
    """Check data that are there, and fix every option.

    Raises:
        BadInput: If they cannot be divided so, or nothing could be measured.
    """
    cuts = split(dataset.positives(), options.split)
    check_queries(cuts, options.repeats)
    Validation(training.metric, cuts, not options.repeats).check()
    log = cuts.interactions
    model = model.suited(log.num_items, log.times is not None)
    return Plan(options, dataset, cuts, model, replace(training, seed=options.seed), knobs)


def kept_frame(options: RunOptions, folder: Path) -> Dataset | None:
    """The table in memory that a run was begun with, to go on without it; None for other data."""
    path = folder / CONFIG
    if not (options.resume and isinstance(options.data, str) and options.data == FRAME):
        return None
    of_frame = path.is_file() and files.read_json(path).get("data") == FRAME
    return kept_data(folder) if of_frame else None


def is_finished(folder: Path, plan: Plan) -> bool:
    """Whether a finished run of this plan stands there; one that shall train on is not finished.

    Raises:
        ArtefactError: If the run there is of another plan, trained farther, or damaged.
    """
    finished = finished_folder(folder)
    if not (finished / artifacts.MANIFEST).exists():
        return False
    verify_run(finished)
    path = finished / CONFIG
    had, asked = check_plan(path, plan)["fit"], config.to_json(plan.fit)
    before, now = reach(had), reach(asked)
    if now != before and all(new >= old for new, old in zip(now, before, strict=True)):
        return False
    check_identity(path, {name: asked[name] for name in ("epochs", "patience")}, had)
    return True


def reach(fit: JsonObject) -> tuple[float, float]:
    """How far a training may go: epochs, and validations without a gain (0 is without end)."""
    return fit["epochs"], fit["patience"] or math.inf


def check_plan(path: Path, plan: Plan) -> JsonObject:
    """Read a `config.json`, or refuse it if its run has other data, model or training."""
    stored, wanted = read_config(path.parent), plan.to_json()
    hashes = ("data_sha256", "vocabulary_sha256", "split_sha256")
    names = ("model", "model_config", "knobs", *hashes, "repeats", "seed")
    check_identity(path, {name: wanted[name] for name in names}, stored)
    same = {"foreign_models": wanted["foreign_models"]}
    check_identity(path, same, same | stored)  # runs of earlier versions do not say
    check_identity(path, shaping(plan.fit), stored["fit"])
    return stored


def start_folder(folder: Path, plan: Plan) -> None:
    """Write `config.json`; what a resumed run has there must be of the same plan."""
    path, wanted = folder / CONFIG, plan.to_json()
    if path.is_file():
        wanted = check_plan(path, plan) | {"fit": wanted["fit"]}
    elif wanted["data"] == FRAME:
        keep_data(folder, plan.dataset)
    train_on(folder)
    files.write_json(path, wanted)
