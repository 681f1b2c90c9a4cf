"""Heads of human priors on MovieLens-small: what the categories give, and what else could give it.

SASRec with a head a category, which learns from its category alone and answers with it alone,
against: the backbone itself; heads of shuffled labels; every item in every group; as many
parameters without groups; and the backbone's lists diversified afterwards as far. The last ten
events of every user are the test, the ten before validation.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of
from priors_arms import BACKBONE, FEWER, HEADS, Study, arms_of, once_of, tuned
from priors_compared import measure, relate
from priors_measures import MEASURES

from tastemaker.train.config import FitConfig

TRAINING = FitConfig(epochs=24, patience=10)
CLAIMS = (
    ("R1", "heads gain on the backbone by a sampled loss like theirs",
     "PRIOR", "BASE, sampled", "ndcg@10"),
    ("R4", "every item in every group loses", "PRIOR", "ALLTAGS", "ndcg@10"),
    ("R4", "as many parameters without groups do less", "PRIOR", "PARAM", "ndcg@10"),
    ("R5", "negatives of the group help", "PRIOR", "PRIOR, global negatives", "ndcg@10"),
)  # fmt: skip
"""Beside those of all heads."""


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
    relate(found, CLAIMS, setting.merge, worst)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
