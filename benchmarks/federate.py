"""What federated rounds cost beside the training in them: CPU-seconds, and memory of many clients.

The bare loop takes the same steps from the same weights, client by client, and does nothing else.
Both go in turn, on one thread. Memory is the peak of a fresh process with 1,000 clients in it, all
of whom take part.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.federate.baselines import FedAvg, Moon
from tastemaker.federate.classifiers import Classifier, Cnn, Mlp
from tastemaker.federate.client import LocalConfig, seed_of, shared, train
from tastemaker.federate.evaluation import classification
from tastemaker.federate.examples import Examples
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federation, FederationConfig, Parties

ROOT = Path(__file__).parents[1]
REPEATS, ROUNDS, CLIENTS, EACH = 15, 4, 10, 125
MANY, FEW, IMAGE = 1000, 60, (28, 28)
METHODS: Mapping[str, Method] = {"FedAvg": FedAvg(), "FedSSD": FedSSD(), "MOON": Moon()}
MOST_MB = 2000


def drawn(count: int, sizes: tuple[int, ...]) -> Examples:
    """Pictures of noise, of ten classes."""
    generator = torch.Generator().manual_seed(0)
    return Examples(torch.rand(count, *sizes, generator=generator), torch.arange(count) % 10)


def dealt(data: Examples, clients: int) -> dict[str, Examples]:
    """Each client a view of as many examples."""
    each = data.examples // clients
    rows = (slice(number * each, (number + 1) * each) for number in range(clients))
    return {f"c{n:04}": Examples(data.inputs[own], data.labels[own]) for n, own in enumerate(rows)}


def federated(
    clients: Mapping[str, Examples],
    method: Method,
    local: LocalConfig,
    rounds: int,
    out: Path | None = None,
) -> Federation:
    """A federation that was run to its end."""  # fmt: skip
    data = next(iter(clients.values()))
    torch.manual_seed(0)
    shape = Cnn() if data.inputs.dim() == 3 else Mlp()
    model = Classifier(shape, data.inputs.shape[1:], 10)
    engine = InProcess(model, clients, method, local)
    sizes = {name: own.examples for name, own in clients.items()}
    parties = Parties(engine, sizes, classification(data, 10), data)
    federation = Federation(model, method, parties, FederationConfig(rounds, local=local))
    federation.run(out)
    return federation


def bare(clients: Mapping[str, Examples], local: LocalConfig, rounds: int) -> None:
    """The same steps without a federation."""
    data = next(iter(clients.values()))
    torch.manual_seed(0)
    model = Classifier(Mlp(), data.inputs.shape[1:], 10)
    weights = shared(model)
    for number in range(1, rounds + 1):
        for name, own in clients.items():
            model.load_state_dict(weights)
            train(model, own, local, seed_of(local.seed, number, name))


def kept(clients: Mapping[str, Examples], local: LocalConfig) -> None:
    """Rounds with a line and a checkpoint each."""
    with tempfile.TemporaryDirectory() as folder:
        federated(clients, FedAvg(), local, ROUNDS, Path(folder) / "kept")


def seconds(work: Callable[[], object]) -> float:
    """CPU-seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def overheads() -> dict[str, list[float]]:
    """CPU-seconds of each way, all in turn."""
    clients, local = dealt(drawn(CLIENTS * EACH, (64,)), CLIENTS), LocalConfig()
    found: dict[str, list[float]] = {"bare": [], "rounds": [], "kept": []}
    for turn in range(REPEATS + 1):
        took = {
            "bare": seconds(lambda: bare(clients, local, ROUNDS)),
            "rounds": seconds(lambda: federated(clients, FedAvg(), local, ROUNDS)),
            "kept": seconds(lambda: kept(clients, local)),
        }
        for name, value in took.items() if turn else ():  # the first warms up
            found[name].append(value)
    return found


def peak(name: str) -> dict[str, float]:
    """Peak of this process with many clients, and how many bytes the model has."""
    clients = dealt(drawn(MANY * FEW, IMAGE), MANY)
    federation = federated(clients, METHODS[name], replace(LocalConfig(), epochs=1), 2)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(tensor.nbytes for tensor in federation.position.weights.values())
    return {"peak_mb": rss, "model_bytes": size, "accepted": federation.history[-1]["accepted"]}


def main() -> None:
    """Measure, write results/bench-federate.json."""
    torch.set_num_threads(1)
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(peak(sys.argv[1])))
        return
    found, rows = overheads(), []
    base = np.array(found["bare"])
    for way, words in (("rounds", ""), ("kept", ", with a record and a checkpoint of each round")):
        ratio = float(np.median(np.array(found[way]) / base))
        what = f"CPU-seconds of rounds of {CLIENTS} clients / of the bare loop{words}"
        rows.append(row(what, ratio, "≤ 1.10", ratio <= 1.1))
    peaks = {}
    for name in METHODS:
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[name] = json.loads(done.stdout)
        most = peaks[name]["peak_mb"]
        what = f"peak MB of {MANY:,} clients in one process, a CNN, {name}"
        rows.append(row(what, most, f"≤ {MOST_MB:,}", most <= MOST_MB))
    result = {"name": "federate", "rows": rows, "cpu_seconds": found, "peaks": peaks}
    files.write_json(ROOT / "results" / "bench-federate.json", result | environment())


def row(what: str, ours: float, target: str, met: bool) -> dict[str, object]:
    """A row without a peer."""
    shown = round(ours, 3)
    return {"what": what, "ours": shown, "peer": None, "ratio": None, "target": target, "met": met}


if __name__ == "__main__":
    main()
