"""What VRec's recipes train and ask on: rows of histories, and what each thought was like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from tastemaker.data.batches import last
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.queries import Queries
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.metrics.intervals import Floats
from tastemaker.recommend.sasrec import SASRec
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_groups import Known, known_of
from tastemaker.recommend.vrec_measures import rows_of
from tastemaker.recommend.vrec_shape import CHOSEN, TEXT, VRecConfig
from tastemaker.recommend.vrec_verifiers import Labels
from tastemaker.seams import Recommender
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

MEASURES = ("entropy", "accuracy", "cosine", "w", "trust in text", "g/r")
"""Of a thought: H / log C and whether the likeliest group is right, both means over verifiers;
likeness to the thought before; how far it is drawn; the gate's share of the verifier of texts; and
the length of what it is drawn to, in lengths of the thought."""
_ROWS = 64


@dataclass(frozen=True, eq=False)
class Task:
    """Data, what to train on it, and how rankings are read."""

    ground: Ground
    train: Contexts
    valid: Queries
    test: Queries
    shape: VRecConfig
    training: FitConfig
    """of the first stage"""
    scoring: EvalOptions

    def known(self) -> Known:
        """Ids and groups, the same for all arms and seeds."""
        return known_of(replace(self.shape, verifiers=(TEXT, CHOSEN)), self.ground)

    def fitted(self, model: VRec | SASRec, training: FitConfig, out: Path) -> None:
        """Train a model, or read it where that is done."""
        out.mkdir(parents=True, exist_ok=True)

        def validate() -> dict[str, float]:
            return {"ndcg@10": evaluate(model, self.valid, self.scoring).mean("ndcg@10")}

        steps = model.batches(self.train, training.batch, training.seed)
        fit(model, steps, training, validate, out, resume=True)
        model.eval()

    def measured(self, model: Recommender) -> dict[str, Floats]:
        """Metrics of every user on the test rows."""
        return self.by_user(evaluate(model, self.test, self.scoring).per_user)

    def by_user(self, rows: Mapping[str, Floats]) -> dict[str, Floats]:
        """Means of each user's rows."""
        owner = np.unique(self.test.contexts.users, return_inverse=True)[1]
        counts = np.bincount(owner)
        return {name: np.bincount(owner, values) / counts for name, values in rows.items()}


def task_of(data: tuple[Catalog, Contexts, Queries, Queries], codes: str, toy: bool) -> Task:
    """Items, training, validation and test with the options of the recipes, or few and small."""
    items, train, valid, test = data
    shape = VRecConfig(
        history=10, codes=codes, beams=40, targets=0, verify_epochs=3, joint_epochs=8
    )
    training = FitConfig(epochs=20, lr=2e-3, weight_decay=0.1, batch=16,
                         validate_every=4, patience=0, checkpoint_every=1_000)  # fmt: skip
    if toy:
        few = np.arange(50)
        train, valid, test = train.slice(0, 100), valid.take(few), test.take(few)
        shape = replace(shape, dim=16, classes=4, beams=10, verify_epochs=1, joint_epochs=1)
        training = replace(training, epochs=1)
    ground = Ground(len(items.frame), items, train=train)
    scoring = EvalOptions((10,), filter_seen=False)
    return Task(ground, train, valid, test, shape, training, scoring)


@torch.no_grad()
def thinking(model: VRec, task: Task) -> list[dict[str, Floats]]:
    """`MEASURES` of each thought, a value a user."""
    steps: list[dict[str, list[Floats]]] = [{} for _ in range(model.config.thoughts)]
    contexts, targets = task.test.contexts, torch.from_numpy(task.test.target_items).long()
    labels = [cast(Labels, one) for one in model.labels]
    for start in range(0, len(contexts), _ROWS):
        batch = last(contexts.slice(start, start + _ROWS), model.config.history)
        rows = rows_of(model.reason(batch), labels, targets[start : start + _ROWS])
        for number in range(rows.thoughts):
            values = {"cosine": rows.cosines[number - 1]} if number else {}
            if rows.checked:
                one = rows.checked[number]
                values["entropy"], values["accuracy"] = one.uncertainty.mean(1), one.right.mean(1)
                values["w"], values["trust in text"] = one.weight, one.trust[:, 0]
                values["g/r"] = one.guidance
            for name, value in values.items():
                steps[number].setdefault(name, []).append(value.numpy())
    return [
        task.by_user({name: np.concatenate(parts) for name, parts in step.items()})
        for step in steps
    ]
