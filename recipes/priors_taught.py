"""Heads of human priors that also learn which category comes next, on MovieLens-small.

As `priors.py`, whose arms learn it from states that they leave alone; here the states learn it too,
so that what heads rank and what chooses between them are one likelihood, p(category)·p(item). The
weight of that and the merge are set on validation with the first seed.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of
from priors_arms import BACKBONE, HEADS, MERGES, Arm, Setting, Study, merging
from priors_compared import KEPT, MOST_LOST, measure
from priors_measures import EXPLORERS, MEASURES, WORST

from tastemaker.train.config import FitConfig

TRAINING = FitConfig(epochs=24, patience=10)
SHARES = (0.3, 1.0)
CLAIMS = (
    ("R1", "heads lose less than 2 % of the backbone", "PRIOR", f"{KEPT} × BASE", "ndcg@10"),
    ("R1", "heads gain on the backbone", "PRIOR", "BASE", "ndcg@10"),
    ("R1", "heads gain on heads of shuffled labels", "PRIOR", "RANDOM", "ndcg@10"),
    ("R2", "lists are of more categories", "PRIOR", "BASE", "entropy@10"),
    ("R2", "and better than lists diversified as far", "PRIOR", "RERANK", "ndcg@10"),
    ("R3", "heads serve better who takes up a category", "PRIOR", "BASE", EXPLORERS),
    ("R4", "heads of shuffled labels gain too", "RANDOM", "BASE", "ndcg@10"),
)  # fmt: skip


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
    for key, claim, a, b, metric in CLAIMS:
        found.relate(key, claim, a, b, metric)
    for other in MERGES:
        if other != merge:
            found.relate("R8", f"{merge} ranks better than {other}", "PRIOR", f"PRIOR, {other}")
    claim = f"no category loses more than 10 %; most does {worst}"
    found.relate("R9", claim, "PRIOR", f"{MOST_LOST} × BASE", WORST)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
