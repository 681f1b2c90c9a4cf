"""Where do five local steps of federated logistic regression end, and how does lr decide that?

With one full-batch step a round is a step of gradient descent on all data, so all methods end at
its minimum. With five, clients of other labels drift apart in between: here is what is left of the
gradient of all data after many rounds, against the learning rate. The server measures credibility
on all data, which no federation has: it is the bound that is looked at, not accuracy.
"""

import sys
import time

import numpy as np
from evidence import Evidence, size_of
from fedssd_linear import left
from restrain_toy import means, relate

from tastemaker.federate.baselines import FedAvg, FedProx
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.objectives import Method

METHODS: dict[str, Method] = {"FedAvg": FedAvg(), "FedProx": FedProx(0.1), "FedSSD": FedSSD()}
RATES = (0.8, 0.4, 0.2, 0.1, 0.05)
ONE, GRADIENT = "one step", "gradient norm"


def measure(found: Evidence, name: str) -> dict[str, float]:
    """Learning rate of five steps, or one step of the largest → gradient; adds every arm."""
    row = {}
    for lr, steps in [*((lr, 5) for lr in RATES), (RATES[0], 1)]:
        column = f"lr {lr:g}" if steps > 1 else ONE
        for seed in found.seeds:
            value = left(METHODS[name], lr, steps, seed)
            found.add(f"{name}, {column}", {GRADIENT: np.array([value])})
        row[column] = float(means(found, f"{name}, {column}", GRADIENT).mean())
    found.fronts[name] = [[lr, row[f"lr {lr:g}"]] for lr in RATES]
    slope = np.polyfit(*np.log(found.fronts[name]).T, 1)[0]
    found.notes.append(f"{name}: the {GRADIENT} grows as lr ^ {slope:.2f}")
    return row


def main() -> None:
    """Run all, compare, print."""
    size, began = size_of(__doc__ or ""), time.process_time()
    seeds = [0] if size == "toy" else list(range(5))
    found = Evidence("fedssd_bound", "arXiv 2504.14694", "generated", size, seeds, [GRADIENT])
    found.axes = ["learning rate", GRADIENT]
    table = {name: measure(found, name) for name in METHODS}
    found.tables["gradient norm after five local steps a round"] = table
    for name, row in table.items():
        sys.stdout.write(f"{name}: {row}\n{found.notes[list(table).index(name)]}\n")
        for key, claim, more, less in (
            ("B1", "half the learning rate leaves less", "lr 0.1", "lr 0.05"),
            ("B2", "one local step leaves less", "lr 0.05", ONE),
        ):
            pair = (f"{name}, {more}", f"{name}, {less}")
            relate(found, key, f"{name}: {claim}", pair, GRADIENT)
    for other in ("FedAvg", "FedProx"):
        pair = (f"{other}, lr 0.1", "FedSSD, lr 0.1")
        relate(found, "B3", f"FedSSD leaves less than {other}", pair, GRADIENT)
    found.cpu_seconds = time.process_time() - began
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
