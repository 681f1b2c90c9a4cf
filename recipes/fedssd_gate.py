"""What a federation stands: bad clients through our gate, and through Flower's own FedAvg.

Handwritten digits, ten clients with skewed labels, three seeds. One client is bad from the second
round on; the same replies go to both.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from evidence import Evidence, size_of
from fedssd_gate_arms import ATTACKS, BOUNDS, CASES, MALFORMED, METRICS, WHO, Arm, kept
from restrain_toy import means, relate

from tastemaker.federate.baselines import FedAvg

NOTES = (
    "Flower's strategy is called in this process with the same replies; what it raises ends its "
    "run, and its accuracy is then that of the model it had",
    "one client is bad from the second round on, client 0, 1 and 2 for seeds 0, 1 and 2; where its "
    "replies are rejected, as with NaN or 10,000 times its examples, the run is bit for bit that "
    "of nine clients, whose loss is all that is seen there",
    "clients that flip labels pass every rule; that is reported and nothing is promised",
    "in rows of malformed replies, numbers are of three rounds, seed 0",
)


def gather(found: Evidence, arm: str, case: Arm) -> None:
    """Add an arm of all seeds."""
    for seed in found.seeds:
        run = kept(found.cache, case, seed)
        found.add(arm, {metric: run[metric] for metric in METRICS})
        found.cpu_seconds += float(run["cpu seconds"][0])


def table(found: Evidence, names: Iterable[str]) -> dict[str, dict[str, float]]:
    """What arms came to, over seeds."""
    return {
        name: {metric: float(means(found, name, metric).mean()) for metric in METRICS}
        for name in names
    }


def malformed(found: Evidence) -> None:
    """Every kind of reply that is none, through both."""
    for kind in MALFORMED:
        pair = [kept(found.cache, Arm(who, kind, rounds=3), 0) for who in (FedAvg(), None)]
        found.cpu_seconds += sum(float(run["cpu seconds"][0]) for run in pair)
        row = {metric: float(pair[0][metric].mean()) for metric in METRICS[:3]}
        row |= {f"{metric}, Flower": float(pair[1][metric].mean()) for metric in METRICS[:2]}
        found.tables.setdefault("malformed replies", {})[kind] = row


def main() -> None:
    """Run every case, compare."""
    size = size_of(__doc__ or "")
    seeds, rounds = ([0], 2) if size == "toy" else ([0, 1, 2], 40)
    found = Evidence("fedssd_gate", "arXiv 2504.14694", "scikit-learn digits", size, seeds, METRICS)
    for who, (method, cases) in WHO.items():
        for case in cases:
            gather(found, f"{who}, {case}", replace(CASES[case], method=method, rounds=rounds))
    found.tables = {"all arms": table(found, found.values)}
    malformed(found)
    for who, case in ((who, case) for who in ("FedAvg", "FedSSD") for case in BOUNDS):
        bound = f"{who}, clean less {BOUNDS[case]} points"
        if bound not in found.values:
            for values in found.values[f"{who}, clean"]["accuracy"]:
                found.add(bound, {"accuracy": values - BOUNDS[case] / 100})
        if case in WHO[who][1]:
            claim = f"{who} through the gate, {case}: at most {BOUNDS[case]} points below clean"
            relate(found, "G1", claim, (f"{who}, {case}", bound), "accuracy")
    for case in ATTACKS:
        claim = f"{case}: FedAvg through the gate is above Flower's"
        relate(found, "G2", claim, (f"FedAvg, {case}", f"Flower, {case}"), "accuracy")
    claim, greedy = "examples × 10,000", "Flower, examples × 10,000"
    relate(found, "G2", f"{claim}: so it is", ("FedAvg, NaN", greedy), "accuracy")
    gated = [arm for arm in found.tables["all arms"] if not arm.startswith("Flower")]
    fewest = min(np.min(means(found, arm, METRICS[1])) for arm in gated)
    found.notes += [f"through the gate, of {rounds} rounds at least {fewest:g} counted", *NOTES]
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
