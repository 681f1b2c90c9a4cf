"""What the recipe on FedSSD and digits claims, the control beside every claim, and its tables."""

import numpy as np
from evidence import Evidence
from fedssd_arms import METRICS, STRENGTHS
from restrain_toy import means

MAIN = ("FedAvg", "FedProx", "FedNTD", "FedSSD", "control")
SWEEP = tuple(f"m_max {m_max:g}" for m_max in STRENGTHS)
BOTH = ("FedSSD and tuned", "sample only")
NOTES = (
    "FedSSD uses labels of the server that the other methods never see: the control is FedAvg "
    "whose server takes one pass of plain SGD over the same labels after each round, and stands "
    "beside every claim",
    "one tiny data set, an MLP, 450 test pictures (one is 0.22 points), five seeds",
    "settings are chosen on 300 validation pictures with two other seeds, three a method",
    "no figure here reproduces a table of the paper, which was not available",
)
HALF, EVEN = ", half take part", ", Dir(0.5)"
CLAIMS = (
    ("R1", "FedSSD is at least a point above FedAvg", "FedSSD", "FedAvg plus a point", "accuracy"),
    ("R1", "the control is at least a point above FedAvg", "control", "FedAvg plus a point",
     "accuracy"),
    ("R2", "it is at least half a point above FedProx", "FedSSD", "FedProx plus half a point",
     "accuracy"),
    ("R2", "the control is at least half a point above FedProx", "control",
     "FedProx plus half a point", "accuracy"),
    ("R3", "it is above FedAvg", "FedSSD", "FedAvg", "accuracy"),
    ("R3", "the control is above FedAvg", "control", "FedAvg", "accuracy"),
    ("R3", "distilled everywhere, it is below FedAvg", "FedAvg", "unweighted", "accuracy"),
    ("R3", "it is above weights by class alone", "FedSSD", "class only", "accuracy"),
    ("R3", "it is above weights by example alone", "FedSSD", "sample only", "accuracy"),
    ("R5", "clients drift less than with FedAvg", "FedAvg", "FedSSD", "drift"),
    ("R5", "and so they do with the control", "FedAvg", "control", "drift"),
    ("R6", "where half take part, it is at least two points above FedAvg", f"FedSSD{HALF}",
     f"FedAvg{HALF} plus two points", "accuracy"),
    ("R6", "and so is the control", f"control{HALF}", f"FedAvg{HALF} plus two points", "accuracy"),
    ("R6", "where half take part, it is above the control", f"FedSSD{HALF}", f"control{HALF}",
     "accuracy"),
    ("R7", "it is above the control", "FedSSD", "control", "accuracy"),
    ("R7", "with less skew, it is above the control", f"FedSSD{EVEN}", f"control{EVEN}",
     "accuracy"),
    ("R7", "with less skew, it is above FedAvg", f"FedSSD{EVEN}", f"FedAvg{EVEN}", "accuracy"),
    ("R7", "with less skew, the control is above FedAvg", f"control{EVEN}", f"FedAvg{EVEN}",
     "accuracy"),
    ("R7", "with both, it is above the control", "FedSSD and tuned", "control", "accuracy"),
    ("R7", "where half take part, with both it is above the control",
     f"FedSSD and tuned{HALF}", f"control{HALF}", "accuracy"),
)  # fmt: skip


def raised(found: Evidence, arm: str, points: float, words: str) -> None:
    """Add an arm some points above another."""
    for values in found.values[arm]["accuracy"]:
        found.add(f"{arm} {words}", {"accuracy": values + points / 100})


def table(found: Evidence, suffix: str) -> dict[str, dict[str, float]]:
    """What each arm of one place came to; rounds are medians over seeds, one more where never."""
    return {
        name: {
            "accuracy": float(means(found, name, "accuracy").mean()),
            "sd over seeds": float(means(found, name, "accuracy").std()),
            **{metric: float(np.median(means(found, name, metric))) for metric in METRICS[3:]},
            "worst class": float(means(found, name, "worst class").mean()),
            "drift": float(means(found, name, "drift").mean()),
        }
        for name in found.values
        if name.endswith(suffix) and (suffix or ", " not in name)
    }
