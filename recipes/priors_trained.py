"""Trainings of the recipe on priors of events: backbones and heads, and how heads are merged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from priors_world import HEADLINE, World

from tastemaker.config import seed_everything
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.prior_merge import Merge
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.validation import Validation
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted, fit

DIM = 32
"""Width of every backbone."""
MERGES: tuple[Merge, ...] = ("combine", "average", "calibrated")


@dataclass(frozen=True)
class Arm:
    """One training: a backbone, heads or none, and what they are given."""

    history: int = 50
    layers: int = 2
    heads: PriorsConfig | None = None
    """options of the heads, whatever backbone they name; None: the backbone alone"""
    shuffled: bool = False
    """groups mean nothing"""

    def trained(
        self, world: World, training: FitConfig, out: Path
    ) -> tuple[NextItemModel | Priors, Fitted]:
        """The model with its best weights on validation; resumed where it was begun.

        Batches hold as many events whatever the history.
        """
        seed_everything(training.seed)
        shape = SASRecConfig(
            dim=DIM, inner=4 * DIM, layers=self.layers, history=self.history, loss="softmax"
        )
        groups, train = world.groupings, world.cuts.train()
        if self.shuffled:
            groups, train = world.shuffled(training.seed)
        model: NextItemModel | Priors = SASRec.build(shape, world.ground)
        if self.heads is not None:
            config = replace(self.heads, backbone=shape)
            own = {prior: groups[prior] for prior in config.priors}
            model = Priors(config, SASRec.build(shape, world.ground), own)
            merge_by(model, config.merge)
        out.mkdir(parents=True, exist_ok=True)
        rows = max(1, training.batch * 50 // self.history)
        validation = Validation(training.metric, world.cuts, True)

        def validate() -> dict[str, float]:
            return validation.measure(model)

        steps = model.batches(train, rows, training.seed)
        fitted = fit(model, steps, training, validate, out, resume=True)
        return model.eval(), fitted


Way = tuple[Merge, bool]
"""How heads are merged, and whether the switch turns heads off."""


def merge_by(model: Priors, merge: Merge, off: bool = False) -> None:
    """Let a model merge its heads so, and turn heads off only if asked; what it learns stays."""
    switch = model.config.switch if off else 0.0
    model.heads.config = replace(model.config, merge=merge, switch=switch)
    model.config = replace(model.config, merge=merge)


def best_merge(model: Priors, world: World) -> dict[Way, float]:
    """Way → validation; the model is left with the best, of equals the first."""
    validation, found = Validation(HEADLINE, world.cuts, True), {}
    for off in (False, True) if model.config.switch else (False,):
        for merge in MERGES:
            merge_by(model, merge, off)
            found[merge, off] = validation.measure(model)[HEADLINE]
    merge_by(model, *max(found, key=lambda way: found[way]))
    return found


def said(merge: Merge, off: bool) -> str:
    """A way in words."""
    return f"{merge} with the switch" if off else merge
