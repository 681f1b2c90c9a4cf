"""A generated world in which only the old part of a history tells what comes next, and its arms.

A user's old events are drawn by lot, but for a key of each topic, once or more, somewhere among
them. Then every topic is asked once: its question, and the answer that belongs to the key. Who
reads the newest events alone knows the topic and has to guess among its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from evidence import Evidence
from persrec_arms import Task

from tastemaker.data.batches import Batch
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import Split
from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.backbone_option import BackboneConfig, fresh_backbone
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.seams import Steps
from tastemaker.train.config import FitConfig

FREE = 8
"""Newest old events without a key, so that reading a few events more tells nothing."""


@dataclass(frozen=True)
class World:
    """How large a world is."""

    users: int
    old: int
    """events before the first question"""
    topics: int
    values: int
    """answers of a topic, of which one is right: chance is one in as many"""
    fillers: int
    """items that mean nothing"""
    repeats: int = 1
    """how often each key stands among the old events"""

    @property
    def recent(self) -> int:
        """Events between the old part and the last answer."""
        return 2 * self.topics - 1

    @property
    def names(self) -> list[str]:
        """(I,) ids in code order; answers stand last."""
        pairs = [f"{c} {v}" for c in range(self.topics) for v in range(self.values)]
        return [
            *(f"filler {n}" for n in range(self.fillers)),
            *(f"key {pair}" for pair in pairs),
            *(f"question {c}" for c in range(self.topics)),
            *(f"answer {pair}" for pair in pairs),
        ]

    def log(self, seed: int) -> Interactions:
        """Everybody's events."""
        rng, users = np.random.default_rng(seed), np.arange(self.users)[:, None]
        rows = rng.integers(0, self.fillers, (self.users, self.old + self.recent + 1))
        drawn = rng.integers(0, self.values, (self.users, self.topics))
        pair = np.arange(self.topics) * self.values + drawn
        told = self.topics * self.repeats
        places = rng.random((self.users, self.old - FREE)).argsort(1)[:, :told]
        rows[users, places] = self.fillers + np.tile(pair, self.repeats)
        order = rng.permuted(np.tile(np.arange(self.topics), (self.users, 1)), axis=1)
        questions = self.fillers + self.topics * self.values
        rows[:, self.old :: 2] = questions + order
        rows[:, self.old + 1 :: 2] = questions + self.topics + pair[users, order]
        offsets = np.arange(self.users + 1) * rows.shape[1]
        who = pl.Series([f"u{n}" for n in range(self.users)])
        return Interactions(
            who, pl.Series(self.names), offsets, (rows + 1).ravel().astype(np.int32)
        )

    def task(self, seed: int, training: FitConfig) -> Task:
        """Half of the users are asked their last answer: a third of them to validate."""
        log = self.log(seed)
        ends, number = log.offsets[1:], np.arange(self.users)
        asked, validates = number % 2 == 0, number % 6 == 0
        cuts = Split("given", log, ends - asked, ends - (asked & ~validates))
        known = {"item_id": self.names, "title": self.names}
        none = [None] * log.num_items
        catalog = Catalog(pl.DataFrame({name: known.get(name, none) for name in SCHEMA}, SCHEMA))
        return Task(cuts, training, seen=False, catalog=catalog)

    def answers_of(self, steps: Steps) -> Steps:
        """The same steps, in which answers alone are learnt."""
        return Answers(steps, len(self.names) - self.topics * self.values)


@dataclass(frozen=True)
class Answers:
    """Steps in which items above a code alone are targets."""

    steps: Steps
    above: int

    def __len__(self) -> int:
        """Steps in an epoch."""
        return len(self.steps)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """Batches of epoch `number`, from step `skip` on."""
        for batch in self.steps.epoch(number, skip):
            targets = targets_of(batch)
            kept = torch.where(targets > self.above, targets, 0)
            yield replace(batch, targets=kept, target_count=int((kept > 0).sum()))


def asked(
    found: Evidence, name: str, world: World, backbone: BackboneConfig, training: FitConfig
) -> None:
    """COMPRESS and RECENT+k with every seed, each of a world of its own."""
    shape = PerSRecConfig(backbone, world.old, world.recent, tokens=4)
    few = replace(backbone, history=shape.recent + shape.tokens)
    for seed in found.seeds:
        task = world.task(seed, training)
        arms = {
            "COMPRESS": lambda task=task: PerSRec.build(shape, task.ground),
            "RECENT+k": lambda task=task: fresh_backbone(few, task.ground),
        }
        for arm, make in arms.items():
            out = found.cache / f"{name.split()[0]}-{arm}-seed-{seed}"
            length = shape.history if arm == "COMPRESS" else few.history
            rows = round(training.batch * shape.history / length)  # as many events a step
            made, _, spent = task.trained(make, seed, rows, out, world.answers_of)
            found.cpu_seconds += spent
            measured = task.measured(made)
            found.add(f"{name}, {arm}", measured)
        users = np.ones(len(measured["hr@1"]))
        found.add(f"{name}, twice chance", {"hr@1": 2 / world.values * users})
        found.add(f"{name}, the bar", {"hr@1": 0.95 * users})
