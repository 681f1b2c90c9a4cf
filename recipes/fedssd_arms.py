"""The arms of the recipes on federated training: ten clients, labels skewed, pictures by class.

All arms of a seed have the same split, partition, auxiliary set and first weights, and whatever
method, the examples of the auxiliary set are nobody's. What an arm found is kept, so the recipe
goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from evidence import Evidence
from fedssd_worlds import CLASSES, World, silos

from tastemaker import files
from tastemaker.federate.baselines import FedAvg, FedGKD, FedNTD, FedProx, Moon, Scaffold
from tastemaker.federate.classifiers import Classifier
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.evaluation import classification, predictions
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tastemaker.federate.server_step import UNCLIPPED

LAST = 5
"""Final values are means over so many last rounds."""
LEVELS = (0.80, 0.85, 0.90, 0.93)
METRICS = ("accuracy", "worst class", "drift", *(f"rounds to {level:.0%}" for level in LEVELS))
GATE = GateConfig(clip=UNCLIPPED)
"""Methods are compared as they are: no update is shortened."""
PLAIN = LocalConfig(momentum=0.0)
STRENGTHS = (0.3, 1.0, 3.0)
Tables = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class Arm:
    """What is trained, and among whom."""

    method: Method
    alpha: float = 0.1
    share: float = 1.0
    tunes: bool = False
    """whether the server takes a pass over its own examples after each round"""
    rounds: int = 40
    local: LocalConfig = LocalConfig()


SETTINGS: Mapping[str, Sequence[Arm]] = {
    "FedAvg": [Arm(FedAvg())],
    "FedProx": [Arm(FedProx(mu)) for mu in (0.001, 0.01, 0.1)],
    "FedNTD": [Arm(FedNTD(beta)) for beta in (0.1, 0.3, 1.0)],
    "FedGKD": [Arm(FedGKD(gamma)) for gamma in (0.05, 0.2, 1.0)],
    "MOON": [Arm(Moon(mu)) for mu in (0.1, 1.0, 5.0)],
    "SCAFFOLD": [Arm(Scaffold(), local=replace(PLAIN, lr=lr)) for lr in (0.05, 0.1, 0.2)],
    "FedSSD": [Arm(FedSSD(m_max)) for m_max in STRENGTHS],
    "control": [Arm(FedAvg(), tunes=True)],
}
"""What is chosen from on validation, at Dir(0.1) and full participation; SCAFFOLD takes plain SGD,
so its learning rate is chosen."""


def setting(arm: Arm) -> str:
    """What is chosen of an arm, in words."""
    values = {name: one for name, one in vars(arm.method).items() if isinstance(one, float)}
    if isinstance(arm.method, Scaffold):
        values = {"lr": arm.local.lr}
    return next((f"{name} {value:g}" for name, value in values.items()), "as it is")


def trained(world: World, arm: Arm, seed: int, validate: bool = False) -> dict[str, list[float]]:
    """Each metric of one arm and seed: accuracy a test example, the others one value each."""
    measured, own, parts = silos(world, seed, arm.alpha, validate)
    clients = {f"c{number}": data for number, data in enumerate(parts)}
    torch.manual_seed(seed)
    model = Classifier(world.shape, measured.inputs.shape[1:], CLASSES)
    local = replace(arm.local, seed=seed)
    config = FederationConfig(
        arm.rounds,
        arm.share,
        failures=arm.rounds,  # one that diverges stays where it was, and is reported so
        tune_on_auxiliary=arm.tunes,
        local=local,
        gate=GATE,
    )
    right: list[np.ndarray] = []
    told = classification(measured, CLASSES)

    def evaluate(module: torch.nn.Module) -> Mapping[str, float]:
        logits, labels = predictions(module, measured)
        right.append((logits.argmax(1) == labels).double().numpy())
        return {name: value for name, value in told(module).items() if name != "loss"}

    engine = InProcess(model, clients, arm.method, local)
    sizes = {name: data.examples for name, data in clients.items()}
    parties = Parties(engine, sizes, evaluate, own)
    history = Federation(model, arm.method, parties, config).run().history
    found = {
        "accuracy": np.mean(right[-LAST:], 0).tolist(),
        "worst class": [float(np.mean([one["worst_class"] for one in history[-LAST:]]))],
        "drift": [float(np.mean([one["drift"] for one in history if one["accepted"]]))],
    }
    for level in LEVELS:
        reached = [one["round"] for one in history if one["accuracy"] >= level]
        found[f"rounds to {level:.0%}"] = [float(min(reached, default=arm.rounds + 1))]
    return found


def kept(
    found: Evidence, world: World, arm: Arm, seed: int, validate: bool = False
) -> dict[str, list[float]]:
    """The same, from the file of an earlier start where there is one."""
    told = {"arm": repr(arm), "seed": seed, "validate": validate}
    name = hashlib.sha256(files.json_text(told).encode()).hexdigest()[:16]
    path = found.cache / f"{name}.json"
    if not path.is_file():
        began = time.process_time()
        run = trained(world, arm, seed, validate)
        spent = [time.process_time() - began]
        files.make_folder(found.cache)
        files.write_json(path, told | {"found": run | {"cpu seconds": spent}})
    run: dict[str, list[float]] = files.read_json(path)["found"]
    return run


def choose(
    found: Evidence, world: World, settings: Mapping[str, Sequence[Arm]], seeds: Sequence[int]
) -> tuple[dict[str, Arm], Tables]:
    """The setting of each method that is best on validation, and what all were worth there.

    Args:
        found: In whose cache arms are kept.
        world: What is trained on.
        settings: What is chosen from.
        seeds: To choose with.
    """
    best, table, spent = {}, {}, 0.0
    for name, arms in settings.items():
        worth = {}
        for arm in arms:
            runs = [kept(found, world, arm, seed, True) for seed in seeds]
            worth[setting(arm)] = float(np.mean([run["accuracy"] for run in runs]))
            spent += sum(run["cpu seconds"][0] for run in runs)
        best[name] = arms[int(np.argmax(list(worth.values())))]
        table[name] = worth
    found.cpu_seconds += spent
    return best, {"accuracy on validation": table, "CPU-seconds": {"validation": {"all": spent}}}


def gather(
    found: Evidence, world: World, arms: Mapping[str, Arm], suffix: str = "", **where: float
) -> None:
    """Add arms of all seeds, under their names and where they were trained."""
    for name, arm in arms.items():
        for seed in found.seeds:
            run = kept(found, world, replace(arm, **where), seed)
            found.add(f"{name}{suffix}", {metric: np.array(run[metric]) for metric in METRICS})
            found.cpu_seconds += run["cpu seconds"][0]


def beside(best: Mapping[str, Arm]) -> dict[str, Arm]:
    """Name → arm: parts of FedSSD alone, other strengths, and it together with the control."""
    whole = best["FedSSD"]

    def other(**changed: object) -> Arm:
        return replace(whole, method=replace(whole.method, **changed))

    return {
        **{f"m_max {m_max:g}": other(m_max=m_max) for m_max in STRENGTHS},
        "class only": other(selects="class"),
        "sample only": other(selects="sample"),
        "unweighted": other(selects="none", m_max=1.0),
        "FedSSD and tuned": replace(whole, tunes=True),
    }
