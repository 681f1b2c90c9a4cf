"""VRec on Amazon Office: do thoughts help, does checking them help, and is it the check?

The public split (recipes/office.py) with the public semantic ids; histories of ten, N = 2 thoughts,
25 classes a verifier, three seeds. Twenty epochs of the first stage by architecture, then three in
which verifiers alone learn and eight in which everything does; the language model of every arm has
28. Forty beams rank; what they do not find has no rank. Users buy again, so seen items stay.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from evidence import METRICS, Evidence, size_of
from office import office
from vrec_arms import ARMS, BAR, beside, measure
from vrec_task import MEASURES, Task

from tastemaker.data.ground import Ground
from tastemaker.metrics.evaluate import EvalOptions
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.train.config import FitConfig

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
    """Office, or a hundred of its users and a small model."""
    items, train, valid, test = office()
    codes = Path(os.environ["TASTEMAKER_DATA"]) / "amazon-office" / "Office_Products.index.json"
    shape = VRecConfig(history=10, codes=str(codes), beams=40, verify_epochs=3, joint_epochs=8)
    training = FitConfig(epochs=20, lr=2e-3, weight_decay=0.1, batch=64,
                         validate_every=4, patience=0, checkpoint_every=1_000)  # fmt: skip
    if toy:
        few = np.arange(50)
        train, valid, test = train.slice(0, 100), valid.take(few), test.take(few)
        shape = replace(shape, dim=16, classes=4, beams=10, verify_epochs=1, joint_epochs=1)
        training = replace(training, epochs=1)
    ground = Ground(len(items.frame), items, train=train)
    scoring = EvalOptions((10,), filter_seen=False)
    return Task(ground, train, valid, test, shape, training, scoring)


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
