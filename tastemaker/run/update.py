"""What happened since a run was made becomes a new run of the same options.

The new run's log is the old one and the new events, each once; who was erased is not in it. Its
neural model begins with the old weights, grown by a row for each new item, where that is possible:
a model that cannot grow begins afresh, and so does one whose weights have learnt from somebody who
was erased. All else is counted, blended and measured as in every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemaker import config
from tastemaker.config import from_json
from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import Dataset
from tastemaker.data.interactions import Interactions
from tastemaker.data.joining import Joined, chosen_again, joined, without
from tastemaker.data.polarity import polarities
from tastemaker.data.splits import split
from tastemaker.errors import BadInput, TastemakerError
from tastemaker.files import JsonObject
from tastemaker.options import RunOptions
from tastemaker.recommend.backbones import backbone_of
from tastemaker.run.folder import only_writer
from tastemaker.run.job import finish, fresh_model
from tastemaker.run.plan import Plan, plan_of, start_folder
from tastemaker.run.saved import SavedRun
from tastemaker.seams import Growing, Learned
from tastemaker.train.config import FitConfig
from tastemaker.train.journal import LOG

Flags = npt.NDArray[np.bool_]
GROWN, AFRESH = "grown", "afresh"
"""How the neural model of an update begins."""


@dataclass(frozen=True)
class News:
    """What happened since a run was made."""

    events: Interactions | None = None
    """None: nothing"""
    erased: Mapping[str, float] = field(default_factory=dict)
    """users who were erased → until when, in seconds since 1970"""
    catalog: Catalog | None = None
    """what is known about items by now; what it does not have stays as it was"""


@dataclass(frozen=True, eq=False)
class Lesson:
    """The log of a run with the news in it."""

    saved: SavedRun
    both: Joined
    catalog: Catalog
    learnt: Flags
    """(N,) whether the run was trained, or chosen, on an event"""
    repeated: int
    """new events that choose an item again, where users choose an item once; they are left out"""
    removed: int
    """old events of users who were erased"""
    forgotten: int
    """users who have no event left"""

    @property
    def counts(self) -> dict[str, int]:
        """What is new, and what was left out of it."""
        log, old = self.both.log, self.saved.interactions
        return {
            "events": int(self.both.new.sum()),
            "users": log.num_users - old.num_users + self.forgotten,
            "items": log.num_items - old.num_items,
            "known": self.both.known,
            "repeated": self.repeated,
            "removed": self.removed,
        }

    @property
    def idle(self) -> bool:
        """Whether there is nothing to learn and nothing to forget."""
        return not (self.removed or self.both.new.any())

    @cached_property
    def chosen(self) -> Flags:
        """(N,) events that models learn from, which are the new run's `interactions`."""
        return polarities(self.both.log, self.saved.data.declared) > 0

    @property
    def since(self) -> Flags:
        """Of the events that models learn from, those that the old run does not have."""
        return self.both.new[self.chosen]

    @property
    def unlearnt(self) -> Flags:
        """Of the events that models learn from, those that the old run has not learnt from."""
        return ~self.learnt[self.chosen]


def lesson_of(saved: SavedRun, news: News) -> Lesson:
    """Join the log of a run with the news.

    Raises:
        BadInput: If its log has no times, or is divided by a ready-made split.
    """
    refuse_unjoinable(saved)
    learnt = learnt_events(saved)
    old, keep = without(saved.data.interactions.by_time(), news.erased)
    removed, learnt = int((~keep).sum()), learnt[keep]
    both, repeated = Joined(old, np.arange(old.num_events)), 0
    if news.events is not None:
        events, _ = without(news.events.by_time(), news.erased)
        both = joined(old, events)
        if not saved.config["repeats"]:
            again = chosen_again(both, saved.data.declared)
            both, repeated = both.select(~again), int(again.sum())
    learnt = np.append(learnt, False)[both.origin]  # of new events the last, which is none
    forgotten = saved.interactions.num_users - old.num_users
    catalog = saved.data.catalog
    if news.catalog is not None:
        catalog = catalog.updated(news.catalog)
    return Lesson(saved, both, catalog, learnt, repeated, removed, forgotten)


def refuse_unjoinable(saved: SavedRun) -> None:
    """Refuse a run whose log new events cannot be put into.

    Raises:
        BadInput: With the reason.
    """
    log = saved.data.interactions
    fix = "Make a run of data whose events have times, and serve that."
    if log.times is None:
        what = "The log of this run has an order but no times, so nothing says what is newer."
        raise BadInput(what, str(saved.path), fix)
    if saved.config["split"] == "given":
        what = "This run is divided by a ready-made split, of which new events are no part."
        fix = "Make a run with another split, such as --split leave-one-out, and serve that."
        raise BadInput(what, str(saved.path), fix)


def learnt_events(saved: SavedRun) -> Flags:
    """(N,) events of a run's log, oldest first, that it was trained or chosen on."""
    log = saved.data.interactions.by_time()
    cuts = split(saved.interactions, saved.config["split"])
    ends = np.repeat(cuts.valid_end, cuts.interactions.lengths)
    learnt = np.zeros(log.num_events, bool)
    learnt[polarities(log, saved.data.declared) > 0] = np.arange(len(ends)) < ends
    return learnt


def learn(lesson: Lesson, folder: Path, source: JsonObject, epochs: int = 0) -> None:
    """Make a run of the old one's options in an empty folder.

    Args:
        lesson: What to learn.
        folder: Where.
        source: What the run notes of where the news came from.
        epochs: Most epochs; 0: as many as the old run's.

    Raises:
        TastemakerError: With cause and remedy; the folder is then no run.
        Stopped: After SIGTERM or Ctrl-C.
    """
    plan = plan_after(lesson, folder, epochs)
    neural, start = begun(lesson, plan)
    counts = {name: lesson.counts[name] for name in ("events", "users", "items")}
    updated = {"from": source["from"], **counts, "start": start, **source}
    plan = replace(plan, updated=updated)
    with only_writer(folder):
        start_folder(folder, plan)
        finish(plan, neural, folder)


def plan_after(lesson: Lesson, folder: Path, epochs: int) -> Plan:
    """The options of the old run, for the joined log."""
    saved, data = lesson.saved, lesson.saved.data
    old = saved.config
    dataset = Dataset(
        data.name, lesson.both.log, lesson.catalog, data.declared, str(old.get("source", "")),
        data.dropped,
    )  # fmt: skip
    name, source = str(old["model"]), str(saved.path)
    options = RunOptions(
        str(old["data"]), name, str(folder), old["split"], old["seed"], old["repeats"]
    )
    log = dataset.interactions
    shape = from_json(backbone_of(name).config, old["model_config"], source)
    training = from_json(FitConfig, old["fit"], source)
    training = replace(training, epochs=epochs) if epochs else training
    return plan_of(
        options, dataset, shape.suited(log.num_items, True), training, old.get("knobs") or {}
    )


def begun(lesson: Lesson, plan: Plan) -> tuple[Learned, str]:
    """The neural model as its training begins, and how: `GROWN` or `AFRESH`."""
    model, name = lesson.saved.models.neural, plan.options.model
    if lesson.removed:
        LOG.info("%s begins afresh: its weights have learnt from users who were erased", name)
        return fresh_model(plan), AFRESH
    if isinstance(model, Growing):
        config.seed_everything(plan.options.seed)  # of the rows of new items
        try:
            grown = model.grown(plan.ground)
        except (ValueError, TastemakerError) as error:
            LOG.info("%s cannot grow: %s", name, error)
        else:
            return grown, GROWN
    LOG.info("%s begins afresh: it does not go on with the weights that it has", name)
    return fresh_model(plan), AFRESH
