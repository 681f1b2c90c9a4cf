"""What a federation is decided by, and what it has to tell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from torch import nn

from tastemaker.config import to_json
from tastemaker.counts import counted
from tastemaker.data.labelled import Int64s, Labelled, PictureForm
from tastemaker.errors import BadInput
from tastemaker.federate.bad_clients import Fault
from tastemaker.federate.baselines import Scaffold, refuse_momentum
from tastemaker.federate.classifiers import Cnn, Logistic, Mlp
from tastemaker.federate.evaluation import predictions
from tastemaker.federate.fedssd import FedSSD, class_credibility, confusion, rates
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import FederationConfig
from tastemaker.files import JsonObject
from tastemaker.run.federate_parts import PartitionConfig, Parts

KIND = "federation"
"""Kind of artefact."""
_MANY_CELLS = 40_000
"""Clients times classes above which who holds what is not told one by one."""
_DEALING = ("clients", "alpha", "least")
"""Options of how examples are dealt to clients."""
_LOST = 0.75
"""Share of its best accuracy below which a model at the end is said to have come apart."""
_COARSE = 0.001
"""Share of the test that one example may be without a word about it."""


@dataclass(frozen=True)
class RoundsConfig:
    """What decides a federation in this process, whatever it learns."""

    method: Method = field(default_factory=FedSSD)
    federation: FederationConfig = field(default_factory=FederationConfig)
    faults: tuple[Fault, ...] = ()
    """what the first clients do wrong, one each, to see what the gate does"""
    lost: float = 0.0
    """share of the replies of each round that are lost"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            BadInput: Naming the option.
        """
        local = self.federation.local
        if isinstance(self.method, Scaffold) and local.optimizer != "sgd":
            what = f"SCAFFOLD takes plain SGD, and the optimiser is {local.optimizer}."
            raise BadInput(what, "--optimizer", "Give sgd, or choose another method.")
        refuse_momentum(self.method, local.momentum)
        if not 0 <= self.lost < 1:
            what = f"lost = {self.lost!r} is no share of replies."
            raise BadInput(what, "--lost", "Give a share from 0 to below 1.")


@dataclass(frozen=True)
class FederateConfig(RoundsConfig):
    """Everything that decides the federation of a classifier, beside the data."""

    model: Logistic | Mlp | Cnn | None = None
    """None: convolutions over pictures, layers over the rows of a table"""
    partition: PartitionConfig = field(default_factory=PartitionConfig)

    def shape(self, data: Labelled) -> Logistic | Mlp | Cnn:
        """The kind of model that is trained."""
        return self.model or (Cnn() if isinstance(data.form, PictureForm) else Mlp())


def results_of(
    config: FederateConfig,
    data: Labelled,
    parts: Parts,
    model: nn.Module,
    history: Sequence[Mapping[str, Any]],
) -> JsonObject:
    """What was federated, how well it went, and for whom."""
    last, told = history[-1], rounds_of(config, history)
    classes, clients = _classes(data, parts, model), _clients(parts, model, refused(history))
    if data.silos or parts.held is None:  # nothing was dealt, so nothing is told of how
        partition = told["config"]["partition"]
        told["config"]["partition"] = {n: v for n, v in partition.items() if n not in _DEALING}
    return {
        **told,
        "model": {
            "kind": type(config.shape(data)).__name__,
            **to_json(config.shape(data)),
            "parameters": sum(one.numel() for one in model.parameters()),
        },
        "data": _data(config, data, parts),
        **{name: last[name] for name in ("accuracy", "loss")},
        "worst_class": worst(classes),
        "worst_client": worst(clients),
        "classes": classes,
        "clients": clients,
    }


def rounds_of(config: RoundsConfig, history: Sequence[Mapping[str, Any]]) -> JsonObject:
    """What is told of any federation: its options, and how its rounds went."""
    rejected = [one for line in history for one in line["rejected"]]
    best, accuracy = max(enumerate((line["accuracy"] for line in history), 1), key=itemgetter(1))
    return {
        "kind": KIND,
        "method": {"kind": type(config.method).__name__, **to_json(config.method)},
        "rounds": len(history),
        "failed": sum(line["status"] == "failed" for line in history),
        "bytes": {way: sum(line[f"bytes_{way}"] for line in history) for way in ("down", "up")},
        "rejected": {"count": len(rejected), "rules": Counter(one["rule"] for one in rejected)},
        "privacy": _privacy(config, history[-1]),
        "unanswered": sum(map(_unanswered, history)),
        "clipped": sum(line["clipped"] for line in history),
        "best": {"round": best, "accuracy": accuracy},
        "config": to_json(config),
    }


def refused(history: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many updates of each client were rejected."""
    return Counter(one["client"] for line in history for one in line["rejected"])


def warnings_of(results: Mapping[str, Any], config: RoundsConfig) -> list[str]:
    """What a reader should know before believing the rest."""
    told = []
    if results["failed"]:
        many = counted(results["failed"], "round")
        told.append(f"{many} had no quorum and left the model as it was.")
    best = results.get("best")
    if best and results["accuracy"] < _LOST * best["accuracy"]:
        told.append(
            f"After round {best['round']} the accuracy was {best['accuracy']:.3f}, and at the end "
            f"it is {results['accuracy']:.3f}: training came apart. Lower --lr or give --clip 1."
        )
    whole = results["data"]["test"]
    test = results["data"].get("smallest", whole)
    if test * _COARSE < 1:
        of = "The test" if test == whole else "The test of one of the silos"
        told.append(f"{of} has {counted(test, 'example')}: one is {100 / test:.2g} points.")
    auxiliary = results["data"]["auxiliary"]
    if isinstance(config.method, FedSSD) and config.method.asks and auxiliary:
        many = counted(auxiliary, "labelled example")
        told.append(
            f"The server has {many} that no client holds. How far they alone would have come, "
            "FedAvg with --tune-on-auxiliary shows: compare with it before crediting the method."
        )
    if count := results["unanswered"]:
        told.append(
            f"{counted(count, 'time')} a client that was asked did not reply. Where its loss was "
            "not finite, lower --lr or give --clip 1."
        )
    if count := results["rejected"]["count"]:
        told.append(f"{counted(count, 'update')} were rejected; see who sent them.")
    return told


def _unanswered(line: Mapping[str, Any]) -> int:
    """Clients of a round from which nothing came that could be judged."""
    refused = {one["client"] for one in line["rejected"]}
    return max(0, int(line["selected"]) - int(line["accepted"]) - len(refused))


def _privacy(config: RoundsConfig, last: Mapping[str, Any]) -> JsonObject | None:
    """What the models tell of a client, at most; None: nothing bounds it."""
    privacy = config.federation.privacy
    return {"epsilon": last["epsilon"], **to_json(privacy)} if privacy else None


def _data(config: FederateConfig, data: Labelled, parts: Parts) -> JsonObject:
    partition = config.partition
    drawn = f"Dealt by Dirichlet shares of each class, α {partition.alpha:g}."
    if parts.held is None:
        drawn = "Each holds data of its own, of which the server knows nothing."
    return {
        "name": Path(data.name).name,
        "sha256": data.sha256,
        "classes": len(data.classes),
        "inputs": list(data.inputs.shape[1:]),
        "examples": None if parts.held is None else int(parts.held.sum()),
        "clients": len(parts.names),
        "auxiliary": parts.auxiliary.examples if parts.auxiliary else 0,
        "test": parts.test.examples,
        "parted": "By the silos that the data names." if data.silos else drawn,
    }


def _classes(data: Labelled, parts: Parts, model: nn.Module) -> list[JsonObject]:
    """Accuracy of each class in the test, and how far the server believes the model it."""
    size = len(data.classes)

    def counts(examples: Any) -> Any:
        logits, labels = predictions(model, examples)
        return confusion(labels, logits.argmax(1), size)

    test = counts(parts.test)
    believed: list[float | None] = [None] * size
    if parts.auxiliary:
        believed = class_credibility(rates(counts(parts.auxiliary))).tolist()
    return [
        {
            "name": name,
            "test": int(row.sum()),
            "accuracy": float(row[place] / row.sum()) if row.sum() else None,
            "credibility": believed[place],
        }
        for place, (name, row) in enumerate(zip(data.classes, test, strict=True))
    ]


def _clients(parts: Parts, model: nn.Module, rejected: Mapping[str, int]) -> list[JsonObject]:
    """What each client holds, how right the model is for it, and how often it was rejected."""
    accuracies = parts.accuracies(model).tolist()
    return [
        {
            "name": name,
            **_holds(parts.held, place),
            "accuracy": None if math.isnan(accuracies[place]) else float(accuracies[place]),
            "rejected": rejected[name],
        }
        for place, name in enumerate(parts.names)
    ]


def _holds(held: Int64s | None, client: int) -> JsonObject:
    """What a client holds, as far as that is known and can be told."""
    if held is None:
        return {"examples": None, "classes": None}
    row = held[client]
    whole = {"held": row.tolist()} if held.size <= _MANY_CELLS else {}
    return {"examples": int(row.sum()), "classes": int((row > 0).sum()), **whole}


def worst(rows: Sequence[JsonObject]) -> JsonObject | None:
    """Name and accuracy of the one with the lowest; None: nothing was measured."""
    known = [row for row in rows if row["accuracy"] is not None]
    lowest = min(known, key=lambda row: float(row["accuracy"]), default=None)
    return lowest and {"name": lowest["name"], "accuracy": lowest["accuracy"]}
