"""The arms of the recipe on heads of human priors: what is trained, on which groups, how it is set.

All arms share the backbone, the windows, the seeds and the rule of stopping. One round of tuning on
validation with the first seed sets the loss of the plain backbone, how groups weigh, and the merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import scipy.sparse as sp
from evidence import Evidence

from tastemaker.config import seed_everything
from tastemaker.data.datasets import load
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import Split, split
from tastemaker.recommend.prior_merge import Merge
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.folder import only_writer
from tastemaker.run.validation import Validation
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

BACKBONE = SASRecConfig(loss="sampled")
HEADS = PriorsConfig(backbone=BACKBONE, shares=0.0, merge="combine")
MERGES: tuple[Merge, ...] = ("combine", "average", "calibrated")
FEWER = 64
"""Negatives of a head where every item is in all twenty groups: about as many comparisons a target
as where it is in 2.65 of them with 512 each, and so an equal budget."""
Model = SASRec | Priors


@dataclass(frozen=True)
class Arm:
    """What is trained, and on which groups."""

    config: SASRecConfig | PriorsConfig
    groups: str = "category"
    """category, shuffled or every"""


def shuffled(groups: Grouping, seed: int) -> Grouping:
    """Labels dealt anew among items with as many labels: groups and items keep their numbers."""
    rng, table = np.random.default_rng(seed), groups.membership.tocsr()
    labels = np.diff(table.indptr)
    dealt = np.arange(len(labels))
    for count in np.unique(labels):
        (alike,) = np.nonzero(labels == count)
        dealt[alike] = rng.permutation(alike)
    return replace(groups, membership=table[dealt])


def everywhere(groups: Grouping) -> Grouping:
    """Every item in every group."""
    ones = np.ones(groups.membership.shape, np.float32)
    return replace(groups, membership=sp.csr_array(ones))


@dataclass
class Study:
    """The data, what judges on validation, and the trainings."""

    cuts: Split
    ground: Ground
    training: FitConfig
    found: Evidence
    validation: Validation = field(init=False)
    trainings: dict[str, dict[str, float]] = field(default_factory=dict)
    """folder → parameters, epochs trained, the one kept, and CPU-seconds"""

    def __post_init__(self) -> None:
        """Validate by what selects."""
        self.validation = Validation(self.training.metric, self.cuts, filter_seen=True)

    @classmethod
    def of(cls, found: Evidence, training: FitConfig) -> Study:
        """MovieLens-small, of a toy its first 80 users; the last ten events of each for test."""
        data = load("movielens-small")
        log = data.positives()
        if found.size == "toy":
            log = log.select(np.arange(log.num_events) < log.offsets[80])
        cuts = split(log, "last-10")
        ground = Ground.of(cuts.interactions.item_ids, data.catalog, cuts.train())
        return cls(cuts, ground, training, found)

    @property
    def groups(self) -> Grouping:
        """The categories."""
        return self.ground.groupings[CATEGORY]

    def trained(self, name: str, arm: Arm, seed: int) -> Model:
        """One model at its best weights; read back where it is done, resumed where it was begun."""
        seed_everything(seed)
        model = self._fresh(arm, seed)
        config = arm.config
        variant = config.loss if isinstance(config, SASRecConfig) else config.weighting
        name = name if name.endswith(f", {variant}") else f"{name}, {variant}"
        word = name.lower().replace(",", "").replace(" ", "-")
        out = self.found.cache / f"{word}-seed-{seed}"
        training = replace(self.training, seed=seed)
        with only_writer(out):
            steps = model.batches(self.cuts.train(), training.batch, seed)
            validate = partial(self.validation.measure, model)
            fitted = fit(model, steps, training, validate, out, resume=True)
        note = f"not converged: {name}, seed {seed}"
        if not (fitted.converged or self.found.size == "toy" or note in self.found.notes):
            self.found.notes.append(note)
        self.trainings[out.name] = {
            "parameters": sum(one.numel() for one in model.parameters()),
            "epochs": fitted.epochs,
            "kept": fitted.best_epoch,
            "cpu_seconds": round(fitted.cpu_seconds, 1),
        }
        self.found.cpu_seconds = sum(one["cpu_seconds"] for one in self.trainings.values())
        return model.eval()

    def judged(self, model: Model) -> float:
        """What selects, on validation."""
        return self.validation.measure(model)[self.training.metric]

    def _fresh(self, arm: Arm, seed: int) -> Model:
        if isinstance(arm.config, SASRecConfig):
            return SASRec.build(arm.config, self.ground)
        backbone = SASRec.build(arm.config.backbone, self.ground)
        if not arm.config.priors:
            return Priors(arm.config, backbone, {})
        makers = {"category": lambda: self.groups, "every": lambda: everywhere(self.groups),
                  "shuffled": lambda: shuffled(self.groups, seed)}  # fmt: skip
        return Priors(arm.config, backbone, {CATEGORY: makers[arm.groups]()})


def merging(model: Model, merge: Merge) -> Model:
    """The same model with its heads merged otherwise, which needs no training."""
    if isinstance(model, Priors):
        model.config = replace(model.config, merge=merge)
    return model


@dataclass(frozen=True)
class Setting:
    """What validation chose with the first seed."""

    base: SASRecConfig
    heads: PriorsConfig
    merge: Merge
    """of all arms with heads; they are trained, and their weights chosen, by `combine`"""
    tried: Mapping[str, float]
    """what was tried → the metric that selects"""


def arms_of(setting: Setting, fewer: int = FEWER) -> dict[str, Arm]:
    """Arms that are trained with all seeds."""
    base, heads = setting.base, setting.heads
    everywhere = replace(heads, negatives=fewer)
    return {
        "BASE": Arm(base),
        "BASE, sampled": Arm(replace(base, loss="sampled")),
        "PRIOR": Arm(heads),
        "PRIOR, global negatives": Arm(replace(heads, in_group=0.0)),
        "RANDOM": Arm(heads, "shuffled"),
        "ALLTAGS": Arm(everywhere, "every"),
        "PARAM": Arm(replace(everywhere, in_group=0.0, start=0.02), "every"),
    }


def once_of(heads: PriorsConfig) -> dict[str, Arm]:
    """Arms that are trained with the first seed alone, and get no verdict."""
    ahead = replace(heads, offsets=4, segments=2)
    return {
        "MTP, 4 offsets": Arm(replace(ahead, priors=())),
        "PRIOR, 4 offsets": Arm(ahead),
    }


def tuned(study: Study, base: SASRecConfig, heads: PriorsConfig) -> Setting:
    """Two losses of the plain backbone; two weights of groups, each with three merges."""
    seed, tried = study.found.seeds[0], {}
    losses = {one: replace(base, loss=one) for one in ("sampled", "softmax")}
    for loss, config in losses.items():
        model = study.trained("BASE", Arm(config), seed)
        tried[f"BASE, {loss}"] = study.judged(model)
    ways: dict[str, tuple[PriorsConfig, Merge]] = {}
    for weighting in ("frequency", "uniform"):
        weighted = replace(heads, weighting=weighting)
        model = study.trained("PRIOR", Arm(weighted), seed)
        for merge in MERGES:
            name = f"PRIOR, {weighting}, {merge}"
            ways[name] = weighted, merge
            tried[name] = study.judged(merging(model, merge))
    best = max(ways, key=lambda name: tried[name])
    loss = max(losses, key=lambda one: tried[f"BASE, {one}"])
    return Setting(losses[loss], *ways[best], tried)
