"""Heads of human priors on MovieLens-small: what the categories give, and what else could give it.

SASRec with a head a category, which learns from its category alone and answers with it alone,
against: the backbone itself; heads of shuffled labels; every item in every group; as many
parameters without groups; and the backbone's lists diversified afterwards as far. The last ten
events of every user are the test, the ten before validation.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of
from priors_arms import BACKBONE, FEWER, HEADS, MERGES, Study, arms_of, once_of, tuned
from priors_compared import KEPT, MOST_LOST, measure
from priors_measures import EXPLORERS, MEASURES, WORST

from tastemaker.train.config import FitConfig

TRAINING = FitConfig(epochs=24, patience=10)
CLAIMS = (
    ("R1", "heads lose less than 2 % of the backbone", "PRIOR", f"{KEPT} × BASE", "ndcg@10"),
    ("R1", "heads gain on the backbone", "PRIOR", "BASE", "ndcg@10"),
    ("R1", "heads gain on the backbone by a sampled loss like theirs",
     "PRIOR", "BASE, sampled", "ndcg@10"),
    ("R1", "heads gain on heads of shuffled labels", "PRIOR", "RANDOM", "ndcg@10"),
    ("R2", "lists are of more categories", "PRIOR", "BASE", "entropy@10"),
    ("R2", "and better than lists diversified as far", "PRIOR", "RERANK", "ndcg@10"),
    ("R3", "heads serve better who takes up a category", "PRIOR", "BASE", EXPLORERS),
    ("R4", "every item in every group loses", "PRIOR", "ALLTAGS", "ndcg@10"),
    ("R4", "heads of shuffled labels gain too", "RANDOM", "BASE", "ndcg@10"),
    ("R5", "negatives of the group help", "PRIOR", "PRIOR, global negatives", "ndcg@10"),
    ("R4", "as many parameters without groups do less", "PRIOR", "PARAM", "ndcg@10"),
)  # fmt: skip


def main() -> None:
    """Set the arms on validation, train all, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    found = Evidence("priors", "arXiv 2511.10492", "movielens-small", size, seeds, MEASURES)
    base = replace(BACKBONE, dim=8, layers=1) if toy else BACKBONE
    heads = replace(HEADS, backbone=base, negatives=4 if toy else HEADS.negatives)
    study = Study.of(found, replace(TRAINING, epochs=1 if toy else TRAINING.epochs))
    setting = tuned(study, base, heads)
    arms = arms_of(setting, 4 if toy else FEWER)
    worst = measure(found, study, setting, arms, once_of(setting.heads))
    for key, claim, a, b, metric in CLAIMS:
        found.relate(key, claim, a, b, metric)
    for merge in MERGES:
        if merge != setting.merge:
            claim = f"{setting.merge} ranks better than {merge}"
            found.relate("R8", claim, "PRIOR", f"PRIOR, {merge}")
    claim = f"no category loses more than 10 %; most does {worst}"
    found.relate("R9", claim, "PRIOR", f"{MOST_LOST} × BASE", WORST)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
