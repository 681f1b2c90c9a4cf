"""VRec on Amazon Office: do thoughts help, does checking them help, and is it the check?

The public split (recipes/office.py) with the public semantic ids; histories of ten, N = 2 thoughts,
25 classes a verifier, three seeds. Twenty epochs of the first stage by architecture, then three in
which verifiers alone learn and eight in which everything does; the language model of every arm has
28. Forty beams rank; what they do not find has no rank. Users buy again, so seen items stay.
"""

import os
import sys
import time
from pathlib import Path

from evidence import METRICS, Evidence, size_of
from office import office
from vrec_arms import ARMS, BAR, beside, measure
from vrec_task import MEASURES, Task, task_of

from tastemaker.recommend.sasrec import SASRecConfig

CLAIMS = (
    ("F", "the language model reaches the floor", "NONE", BAR, "ndcg@10"),
    ("F", "and with checked thoughts", "VREC2", BAR, "ndcg@10"),
    ("a", "checked thoughts beat unchecked ones", "VREC2", "RATT", "ndcg@10"),
    ("a", "unchecked thoughts beat none", "RATT", "NONE", "ndcg@10"),
    ("a", "feedback matters, not the labels alone", "VREC2", "MULTITASK", "ndcg@10"),
    ("a", "meaning matters, not any labels", "VREC2", "VREC-rand", "ndcg@10"),
    ("a", "thoughts beat learnt vectors", "RATT", "PAUSE", "ndcg@10"),
    ("b", "two verifiers beat that of texts", "VREC2", "VREC1-sem", "ndcg@10"),
    ("b", "two verifiers beat that of choices", "VREC2", "VREC1-cf", "ndcg@10"),
    ("c", "unchecked thoughts are more alike", "RATT, thought 2", "VREC2, thought 2", "cosine"),
    ("d", "entropy falls", "VREC2, thought 1", "VREC2, thought 2", "entropy"),
    ("d", "and more than with γ = 0", "VREC2, fall", "VREC-nomono, fall", "entropy"),
    ("d", "accuracy rises", "VREC2, thought 2", "VREC2, thought 1", "accuracy"),
)  # fmt: skip


def task(toy: bool) -> Task:
    """Office, or some of its users and a small model."""
    codes = Path(os.environ["TASTEMAKER_DATA"]) / "amazon-office" / "Office_Products.index.json"
    return task_of(office(), str(codes), toy)


def main() -> None:
    """Train, ask, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    metrics = (*METRICS, *MEASURES)
    found = Evidence(
        "vrec", "arXiv 2603.07725", "amazon-office", size, [0] if toy else [0, 1, 2], metrics
    )
    started, asked = time.process_time(), task(toy)
    measure(found, asked, ARMS, found.cache)
    for seed in found.seeds:
        beside(found, asked, seed, SASRecConfig(history=10, dropout=0.5), 1 if toy else 40)
    for claim in CLAIMS:
        found.relate(*claim)
    found.spent(time.process_time() - started)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
