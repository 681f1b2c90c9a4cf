"""A next-item model from the histories of many silos, to a run directory.

Engine, gate, rounds and folder are those of classifiers. Silos speak of one catalogue; a row of the
item table is averaged over those that saw the item. Each user's last event is the test, the one
before is held out as well, and what is measured is HR@10 and NDCG@10, each silo alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch

from tastemaker.config import to_json
from tastemaker.counts import counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import opened
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.queries import Queries
from tastemaker.data.silos import Silos, by_column
from tastemaker.data.splits import Split, leave_one_out
from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.next_item import FederatedItems
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federated, Federation, FederationConfig, Parties
from tastemaker.federate.silo_data import SiloData, across
from tastemaker.files import JsonObject
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.federate import engine_of
from tastemaker.run.federate_job import Work, folder_of
from tastemaker.run.federate_log_opened import save_log_model
from tastemaker.run.federate_results import RoundsConfig, refused, rounds_of, worst

SHAPE = SASRecConfig(dim=32, layers=1, heads=1, inner=64)
"""Small: a silo has few events, and the item table is sent in every round."""
LOCAL = LocalConfig(1, 8, 5e-3, momentum=0.0, weight_decay=0.0, optimizer="adam")


@dataclass(frozen=True)
class LogConfig(RoundsConfig):
    """Everything that decides the federation of a next-item model, beside the data."""

    method: Method = field(default_factory=FedAvg)
    federation: FederationConfig = field(default_factory=lambda: FederationConfig(20, local=LOCAL))
    model: SASRecConfig = SHAPE
    panel: int = 50
    """users who agreed that the server learns from them, where it needs any"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            BadInput: Naming the option.
        """
        super().__post_init__()
        if self.panel < 1:
            raise BadInput(f"panel = {self.panel!r} is no panel.", "--panel", "Give 1 or more.")

    @property
    def asks(self) -> bool:
        """Whether the server needs a panel."""
        credible = isinstance(self.method, FedSSD) and self.method.asks
        return credible or self.federation.tune_on_auxiliary


@dataclass(frozen=True, eq=False)
class LogParts:
    """Who holds what of a log."""

    name: str
    cuts: Split
    silos: Silos
    """without the panel's users"""
    catalog: Catalog
    """I rows in code order"""
    groups: Grouping

    @cached_property
    def queries(self) -> Mapping[str, Queries]:
        """What each silo is asked."""
        return self.silos.queries(self.cuts.queries("test"))

    def clients(self, model: FederatedItems) -> dict[str, SiloData]:
        """What each silo learns from."""
        held = self.silos.contexts(self.cuts.train())
        return {name: SiloData(train, model) for name, train in held.items()}

    def panel(self, model: FederatedItems) -> SiloData:
        """What the server learns from."""
        train = self.cuts.train()
        return SiloData(train.take(self.silos.rows(train, -1)), model)

    def measured(self, model: FederatedItems) -> list[JsonObject]:
        """HR@10 and NDCG@10 of each silo; None where nobody can be asked."""
        model.eval()
        rows = []
        for name, asked in self.queries.items():
            told: Mapping[str, float | None] = {"accuracy": None, "ndcg@10": None}
            if len(asked):
                told = across({name: asked}, self.cuts.trained_items)(model)
            gain = told["ndcg@10"]
            rows.append({"name": name, "accuracy": told["accuracy"], "ndcg@10": gain})
        return rows


def federate_log(
    config: LogConfig, data: str | Path | Any, by: str, out: str = "", resume: bool = False
) -> JsonObject:
    """Train a next-item model whose histories stay with their silos, in this process.

    Args:
        config: How.
        data: A log as `load` takes it.
        by: Column of its interactions that says in which silo an event lies.
        out: Folder; empty: `runs/federate-METHOD-DATA`.
        resume: Go on with what was begun there.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    parts = log_parts(config, data, by)
    with torch.random.fork_rng():
        torch.manual_seed(config.federation.local.seed)
        core = SASRec(config.model, len(parts.catalog.frame))
    # With privacy no row may say who saw its item.
    model = FederatedItems(core, parts.groups, (), config.federation.privacy is None)
    sha256, clients = _sha256(parts, model), parts.clients(model)
    panel = parts.panel(model) if config.asks else None
    settled = {**to_json(config), "by": by, "data_sha256": sha256}
    work = Work(config, folder_of(config, parts.name, out), settled)
    caps = {name: one.examples for name, one in clients.items()}
    evaluate = across(parts.queries, parts.cuts.trained_items)
    parties = Parties(engine_of(config, model, clients), caps, evaluate, panel, work.secret)
    federation = Federation(model, config.method, parties, config.federation)

    def finish(folder: Path, done: Federated) -> JsonObject:
        save_log_model(folder, core, parts.catalog, parts.cuts.trained_items)
        facts = {"sha256": sha256, "auxiliary": panel.examples if panel else 0, "by": by}
        return _results(config, parts, model, facts, done.history)

    return work.run(resume, lambda folder, watch: federation.run(folder, True, watch), finish)


def log_parts(config: LogConfig, data: str | Path | Any, by: str) -> LogParts:
    """Take out the test, and a panel where one is needed; leave the others to their silos.

    Raises:
        BadInput: If no column names silos, if silos have items that the catalogue lacks, if a panel
            would leave one empty, or with every problem of the data.
    """
    if not by:
        what = "A log is not dealt to clients: it is trained across the silos that it names."
        fix = "Name the column of its interactions that says in which silo an event lies."
        raise BadInput(what, "--by", fix)
    silos = by_column(data, by)
    log, items = opened(data)
    catalog = Catalog.empty() if items is None else Catalog.from_table(items)
    if len(catalog.frame):
        silos.refuse_unknown(catalog.frame["item_id"])
    if config.asks:
        silos = silos.panel(config.panel, config.federation.local.seed)
    ground = Ground.of(silos.log.item_ids, catalog)
    groups = _groups(config, ground)
    return LogParts(log.declared.name, leave_one_out(silos.log), silos, ground.catalog, groups)


def _groups(config: LogConfig, ground: Ground) -> Grouping:
    """What the model is credible by: categories; one group of all where nobody asks."""
    if not isinstance(config.method, FedSSD):
        return Grouping.from_labels(pl.Series(["all"] * ground.num_items), "items")
    if CATEGORY not in ground.groupings:
        what = "FedSSD believes the global model by categories of items, and these have none."
        fix = "Give the folder an items file with categories, or choose another method."
        raise BadInput(what, "--method fedssd", fix)
    return ground.groupings[CATEGORY]


def _sha256(parts: LogParts, model: FederatedItems) -> str:
    """Of the events, who holds them, and the groups of items."""
    digest = hashlib.sha256(f"{parts.cuts.sha256}:{parts.silos.names}".encode())
    digest.update(parts.silos.owners.tobytes())
    digest.update(model.groups.numpy().tobytes())
    return digest.hexdigest()


def _results(
    config: LogConfig,
    parts: LogParts,
    model: FederatedItems,
    facts: JsonObject,
    history: Sequence[Mapping[str, Any]],
) -> JsonObject:
    """What was federated, how well it went, and for whom."""
    last, rejected = history[-1], refused(history)
    held, owners = parts.clients(model), parts.silos.owners
    silos = [
        {
            **row,
            "users": int((owners == place).sum()),
            "examples": held[row["name"]].examples,
            "rejected": rejected[row["name"]],
        }
        for place, row in enumerate(parts.measured(model))
    ]
    asked = [len(one) for one in parts.queries.values() if len(one)]
    by = facts.pop("by")
    return {
        **rounds_of(config, history),
        "measure": "HR@10",
        "model": {
            "kind": "SASRec",
            **to_json(model.model.config),
            "parameters": sum(one.numel() for one in model.parameters()),
        },
        "data": {
            "name": parts.name,
            **facts,
            "items": model.model.num_items,
            "users": int((owners >= 0).sum()),
            "examples": sum(one.examples for one in held.values()),
            "clients": len(silos),
            "test": sum(asked),
            "smallest": min(asked),
            "parted": f"By the column {by}: {counted(len(silos), 'silo')}, each a client.",
        },
        **{name: last[name] for name in ("accuracy", "ndcg@10", "worst_ndcg@10")},
        "worst_class": None,
        "worst_client": worst(silos),
        "classes": [],
        "clients": silos,
    }
