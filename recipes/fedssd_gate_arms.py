"""The arms of the recipe on bad clients: our loop and gate, and Flower's own FedAvg, side by side.

Both are given the same replies of the same clients, ten of them with skewed labels. From the second
round on one client is bad, another one for each seed. Flower's strategy is called as its server
calls it, in this process: what it raises there ends its run.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from fedssd_arms import LAST
from fedssd_worlds import CLASSES, DIGITS, silos
from flwr.app import ArrayRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg as Stock
from flwr.supercore.task_identity import TaskIdentity
from torch import nn

from tastemaker import files
from tastemaker.errors import NumericFault, Unavailable
from tastemaker.federate.bad_clients import BadClients, Fault, flipped
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.classifiers import Classifier, Mlp
from tastemaker.federate.client import LocalConfig, shared
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.evaluation import predictions
from tastemaker.federate.examples import Examples
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tastemaker.seams import Broadcast, Engine, Reply

MALFORMED: Sequence[Fault] = (
    "nan", "infinity", "missing key", "extra key", "wrong shape", "wrong dtype",
    "negative examples", "no examples", "many examples", "duplicate", "stale", "oversized",
)  # fmt: skip
METRICS = ("accuracy", "rounds completed", "replies rejected", "replies shortened")


@dataclass(frozen=True)
class Arm:
    """Who is bad, and who averages."""

    method: Method | None = FedAvg()
    """None: Flower's own FedAvg, without a gate"""
    fault: Fault | None = None
    lost: float = 0.0
    """share of the replies of each round"""
    flippers: int = 0
    """clients whose labels are all wrong"""
    updates: float = 3.0
    """most that an update may be, in median ones"""
    alpha: float = 0.1
    rounds: int = 40


CASES = {
    "clean": Arm(), "30 % of replies lost": Arm(lost=0.3), "NaN": Arm(fault="nan"),
    "weights × −10": Arm(fault="scaled"), "update × −10": Arm(fault="reversed"),
    "examples × 10,000": Arm(fault="greedy"), "two flip labels": Arm(flippers=2),
}  # fmt: skip
BOUNDS = {"30 % of replies lost": 2, "NaN": 3, "weights × −10": 3, "update × −10": 3}
"""Case → points below clean that it may be."""
ATTACKS = ("NaN", "weights × −10", "update × −10")
WHO = {
    "FedAvg": (FedAvg(), ["clean", *BOUNDS, "two flip labels"]),
    "FedSSD": (FedSSD(), ["clean", *ATTACKS]),
    "Flower": (None, [*ATTACKS, "examples × 10,000"]),
}
"""Who averages, and in which cases."""


class Watched:
    """An evaluation that keeps which examples were right, a round each."""

    def __init__(self, test: Examples) -> None:
        self.test, self.right = test, list[np.ndarray]()

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """Accuracy."""
        logits, labels = predictions(model, self.test)
        self.right.append((logits.argmax(1) == labels).double().numpy())
        return {"accuracy": float(self.right[-1].mean())}

    def found(self, **told: float) -> dict[str, list[float]]:
        """Metrics of an arm: accuracy an example, the others one value each."""
        metrics = {name.replace("_", " "): [float(value)] for name, value in told.items()}
        return {"accuracy": np.mean(self.right[-LAST:], 0).tolist(), **metrics}


def kept(cache: Path, arm: Arm, seed: int) -> dict[str, np.ndarray]:
    """Each metric of one arm and seed, and the CPU-seconds; read where it was found before."""
    told = {"arm": repr(arm), "seed": seed}
    path = cache / f"{hashlib.sha256(files.json_text(told).encode()).hexdigest()[:16]}.json"
    if not path.is_file():
        began = time.process_time()
        found = trained(arm, seed)
        files.make_folder(cache)
        spent = {"cpu seconds": [time.process_time() - began]}
        files.write_json(path, told | {"found": found | spent})
    return {name: np.array(values) for name, values in files.read_json(path)["found"].items()}


def trained(arm: Arm, seed: int) -> dict[str, list[float]]:
    """Each metric of one arm and seed."""
    test, own, parts = silos(DIGITS, seed, arm.alpha, validate=False)
    clients = {f"c{number}": data for number, data in enumerate(parts)}
    first = seed % len(parts)  # who is bad
    for number in range(first, first + arm.flippers):
        name = f"c{number % len(parts)}"
        labels = flipped(clients[name].labels, CLASSES)
        clients[name] = replace(clients[name], labels=labels)
    torch.manual_seed(seed)
    model = Classifier(Mlp(), test.inputs.shape[1:], CLASSES)
    local, watched = LocalConfig(seed=seed), Watched(test)
    inner = InProcess(model, clients, arm.method or FedAvg(), local)
    faults = {f"c{first}": arm.fault} if arm.fault else {}
    engine = BadClients(inner, faults, arm.lost, seed)
    if arm.method is None:
        return _stock(engine, sorted(clients), model, watched, arm.rounds)
    sizes = {name: data.examples for name, data in clients.items()}
    gate = GateConfig(clip=ClipConfig(updates=arm.updates))
    config = FederationConfig(arm.rounds, local=local, gate=gate)
    federation = Federation(model, arm.method, Parties(engine, sizes, watched, own), config)
    return _gated(federation, watched)


def _gated(federation: Federation, watched: Watched) -> dict[str, list[float]]:
    """Our loop to its end, or to where it says that it cannot go on."""
    try:
        federation.run()
    except (NumericFault, Unavailable) as stopped:
        logging.warning("%s", stopped)
    history = federation.history
    return watched.found(
        rounds_completed=sum(one["status"] == "ok" for one in history),
        replies_rejected=sum(len(one["rejected"]) for one in history),
        replies_shortened=sum(one["clipped"] for one in history),
    )


def _stock(
    engine: Engine, names: Sequence[str], model: nn.Module, watched: Watched, rounds: int
) -> dict[str, list[float]]:
    """Flower's FedAvg: what it averages is the model, and what it raises is the end."""
    logging.disable(logging.ERROR)  # a client that gives up in every round, at length
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1
    strategy, completed = Stock(), 0
    for number in range(1, rounds + 1):
        broadcast = Broadcast(number, shared(model))
        messages = [_message(reply) for reply in engine.round(broadcast, names)]
        try:
            arrays, _ = strategy.aggregate_train(number, messages)
            if arrays is not None:
                model.load_state_dict(arrays.to_torch_state_dict())
        except Exception as error:  # whatever a client's reply made it raise ends Flower's run
            logging.info("Flower stopped in round %d: %s", number, error)
            watched(model)
            break
        completed = number
        watched(model)
    return watched.found(rounds_completed=completed, replies_rejected=0, replies_shortened=0)


def _message(reply: Reply) -> Message:
    """A reply as a client of Flower sends it."""
    sent = Message(RecordDict(), 2, MessageType.TRAIN)
    arrays = ArrayRecord(torch_state_dict=dict(reply.weights))
    metrics = MetricRecord({"num-examples": reply.examples})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=sent)
