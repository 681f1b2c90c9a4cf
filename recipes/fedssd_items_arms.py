"""The arms of the recipe on next items across silos: how the log is dealt, and who trains how.

All arms have the same silos, panel and first weights, and the panel's users are nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import nn

from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import load
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.data.silos import Silos
from tastemaker.data.splits import Split, leave_one_out
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.next_item import FederatedItems, smallest_groups
from tastemaker.federate.objectives import Method
from tastemaker.federate.partitions import dirichlet
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tastemaker.federate.silo_data import SiloData
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

SILOS, PANEL, LEAST, CORE, SEED = 8, 70, 30, 10, 0
LAST = 3
"""Final values are means over so many last rounds."""
SHAPE = SASRecConfig(dim=32, layers=1, heads=1, inner=64, loss="softmax")
LOCAL = LocalConfig(1, 8, 5e-3, weight_decay=0.0, seed=SEED, optimizer="adam")
UNCLIPPED = GateConfig(clip=ClipConfig(updates=0, few=0, rows=0, alone=0))
"""Methods are compared as they are: no update is shortened."""
OURS = FedSSD(m_max=3.0, threshold=0.0, centred=True)
METRICS = ("ndcg@10", "hr@10")
Floats = npt.NDArray[np.float64]
Rounds = list[dict[str, Floats]]
"""Of each round metric → (Q,) values of users."""


@dataclass(frozen=True, eq=False)
class Task:
    """A log in silos, and what is asked of models."""

    cuts: Split
    silos: Silos
    groups: Grouping
    queries: Queries
    """one of each user of a silo"""
    rounds: int

    @property
    def train(self) -> Contexts:
        """Training events, a row a user."""
        return self.cuts.train()


@dataclass(frozen=True)
class Arm:
    """How silos are trained together."""

    method: Method = FedAvg()
    by_row: bool = False
    tunes: bool = False
    """whether the server takes a pass over its panel after each round"""


ARMS = {
    "FedAvg": Arm(),
    "FedAvg by row": Arm(by_row=True),
    "FedSSD": Arm(OURS),
    "FedSSD by row": Arm(OURS, by_row=True),
    "panel-tuned": Arm(tunes=True),
}


def task(rounds: int) -> Task:
    """Items of ten events or more; users dealt by the genre they see most, Dir(0.1)."""
    data = load("movielens-small")
    log = data.positives()
    log = log.select(np.bincount(log.items)[log.items] >= CORE)
    users = np.repeat(np.arange(log.num_users), log.lengths)
    ids = {"user_id": log.user_ids.gather(users), "item_id": log.item_ids.gather(log.items - 1)}
    log = Interactions.from_frame(pl.DataFrame({**ids, "timestamp": log.times}))
    groups = Ground.of(log.item_ids, data.catalog).groupings[CATEGORY]
    cuts = leave_one_out(log)
    train, of_item = cuts.train(), smallest_groups(groups)
    rows = [train.items[a:b] for a, b in zip(train.offsets[:-1], train.offsets[1:], strict=True)]
    liked = np.array([np.bincount(of_item[row - 1]).argmax() for row in rows])
    owners = np.empty(log.num_users, np.int64)
    for place, some in enumerate(dirichlet(liked, SILOS, 0.1, SEED, LEAST)):
        owners[some] = place
    silos = Silos.of_users(log, [f"silo {owner}" for owner in owners]).panel(PANEL, SEED)
    asked = cuts.queries("test")
    held = np.flatnonzero(silos.owners[asked.contexts.users] >= 0)
    return Task(cuts, silos, groups, asked.take(held), rounds)


class Measure:
    """What each round's model is worth to each user; a federation calls it after every round."""

    def __init__(self, of: Task, queries: Queries) -> None:
        self.queries, self.rounds = queries, Rounds()
        self.options = EvalOptions(ks=(10,), candidates=of.cuts.trained_items)
        self.owners = of.silos.owners[queries.contexts.users]

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """HR@10 as a mean over silos."""
        told = evaluate(model, self.queries, self.options).per_user  # type: ignore[arg-type]
        self.rounds.append({metric: told[metric] for metric in METRICS})
        return {"accuracy": by_silo(told["hr@10"], self.owners).mean()}


def by_silo(values: Floats, owners: npt.NDArray[np.int64]) -> Floats:
    """Mean of each silo that has a user."""
    return np.array([values[owners == silo].mean() for silo in np.unique(owners)])


def trained(
    of: Task, arm: Arm, held: Mapping[str, Contexts], queries: Queries
) -> tuple[Rounds, Sequence[JsonObject]]:
    """Train, and measure after each round.

    Args:
        of: What on.
        arm: How.
        held: Client → its training events.
        queries: What is asked after each round.

    Returns:
        Of each round metric → (Q,), and the record of the round.
    """
    torch.manual_seed(SEED)
    model = FederatedItems(SASRec(SHAPE, of.silos.log.num_items), of.groups, (), arm.by_row)
    clients = {name: SiloData(train, model) for name, train in held.items()}
    panel = SiloData(of.train.take(of.silos.rows(of.train, -1)), model)
    caps, measure = {name: one.examples for name, one in clients.items()}, Measure(of, queries)
    parties = Parties(InProcess(model, clients, arm.method, LOCAL), caps, measure, panel)
    config = FederationConfig(of.rounds, tune_on_auxiliary=arm.tunes, local=LOCAL, gate=UNCLIPPED)
    went = Federation(model, arm.method, parties, config).run()
    return measure.rounds, went.history


def alone(of: Task) -> Rounds:
    """Each silo trained alone and asked for its own users."""
    held, owners = of.silos.contexts(of.train), of.silos.owners[of.queries.contexts.users]
    whole = [{metric: np.empty(len(of.queries)) for metric in METRICS} for _ in range(of.rounds)]
    for place, (name, train) in enumerate(held.items()):
        own = np.flatnonzero(owners == place)
        rounds, _ = trained(of, Arm(), {name: train}, of.queries.take(own))
        for target, found in zip(whole, rounds, strict=True):
            for metric in METRICS:
                target[metric][own] = found[metric]
    return whole


def outcome(of: Task, rounds: Rounds, history: Sequence[JsonObject]) -> dict[str, float]:
    """What an arm came to, as means over silos."""
    owners = of.silos.owners[of.queries.contexts.users]
    final = {m: np.mean([one[m] for one in rounds[-LAST:]], axis=0) for m in METRICS}
    told = {f"{m}, mean over silos": by_silo(final[m], owners).mean() for m in METRICS}
    told |= {f"{m}, worst silo": by_silo(final[m], owners).min() for m in METRICS}
    if history:
        told["drift"] = np.mean([record["drift"] for record in history])
        told["MB a round"] = np.mean([sent(record) for record in history])
    return {name: float(value) for name, value in told.items()}


def sent(record: JsonObject) -> float:
    """MB of a round, both ways."""
    return (record["bytes_down"] + record["bytes_up"]) / 1e6


def reached(
    of: Task, rounds: Rounds, history: Sequence[JsonObject], level: float
) -> dict[str, float]:
    """First round whose HR@10 over silos is a level, and MB until then; empty: none is."""
    owners = of.silos.owners[of.queries.contexts.users]
    for number, one in enumerate(rounds, 1):
        if by_silo(one["hr@10"], owners).mean() >= level:
            return {"rounds": number, "MB": sum(sent(record) for record in history[:number])}
    return {}
