"""Heads of human priors that also learn which category comes next, on MovieLens-small.

As `priors.py`, whose arms learn it from states that they leave alone; here the states learn it too,
so that what heads rank and what chooses between them are one likelihood, p(category)·p(item). The
weight of that and the merge are set on validation with the first seed.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of
from priors_arms import BACKBONE, HEADS, MERGES, Arm, Setting, Study, merging
from priors_compared import measure, relate
from priors_measures import MEASURES

from tastemaker.train.config import FitConfig

TRAINING = FitConfig(epochs=24, patience=10)
SHARES = (0.3, 1.0)


def main() -> None:
    """Set the weight and the merge on validation, train all, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    found = Evidence("priors_taught", "arXiv 2511.10492", "movielens-small", size, seeds, MEASURES)
    base = replace(BACKBONE, loss="softmax", **({"dim": 8, "layers": 1} if toy else {}))
    heads = replace(HEADS, backbone=replace(base, loss="sampled"), negatives=4 if toy else 512)
    study = Study.of(found, replace(TRAINING, epochs=1 if toy else TRAINING.epochs))
    tried, ways = {}, {}
    for weight in SHARES:
        config = replace(heads, shares=weight)
        name = "PRIOR" if weight == SHARES[-1] else f"PRIOR of {weight}"
        model = study.trained(name, Arm(config), seeds[0])
        for merge in MERGES:
            ways[f"{weight}, {merge}"] = name, config, merge
            tried[f"{weight}, {merge}"] = study.judged(merging(model, merge))
    name, config, merge = ways[max(tried, key=lambda way: tried[way])]
    arms = {
        "BASE": Arm(base),
        "PRIOR": Arm(config),
        "RANDOM": Arm(config, "shuffled"),
    }
    worst = measure(found, study, Setting(base, config, merge, tried), arms, {})
    relate(found, (), merge, worst)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
