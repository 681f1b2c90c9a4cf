"""Priors that compose: categories, kinds of event and horizons, on a log of short videos.

What people view, like and share follows different wishes, and no model is told of what kind the
next event is. Heads of kinds, of categories, and of both and horizons in three compositions, beside
the backbone alone, horizons alone, and groups that mean nothing. Then the backbone and the best of
the heads with longer histories and more layers. What heads do when told the kind is another task.
"""

import sys
from dataclasses import replace

from evidence import size_of
from priors_study import Study
from priors_trained import Arm
from priors_world import HEADLINE, RARE

from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.train.config import FitConfig

ONE = PriorsConfig(negatives=256, merge="calibrated", switch=1, shares=0)
ALL = replace(ONE, priors=("category", "event"), offsets=2, segments=2)
FREE = {"negatives": 512, "switch": 0.0}
"""Without groups of items: more negatives, as they are of all items, and no switch, as chance alone
says of what kind an event is."""
UNTAUGHT = "TAXONOMY, no switch"
ARMS = {
    "BASE": Arm(),
    "MTP": Arm(heads=replace(ALL, priors=(), **FREE)),
    "EVENT": Arm(heads=replace(ONE, priors=("event",), **FREE)),
    "TAXONOMY": Arm(heads=replace(ONE, priors=("category",))),
    UNTAUGHT: Arm(heads=replace(ONE, priors=("category",), switch=0)),
    "COMBINED": Arm(heads=ALL),
    "MULTIPLICATIVE": Arm(heads=replace(ALL, composition="multiplicative")),
    "ADDITIVE": Arm(heads=replace(ALL, composition="additive")),
    "RANDOM": Arm(heads=ALL, shuffled=True),
}
PRIORS = ("EVENT", "TAXONOMY", "COMBINED")
GRID = [(history, layers) for history in (50, 200) for layers in (1, 3)]
TRAINING = FitConfig(epochs=16, lr=2e-3, patience=5)
CLAIMS = (
    *(("R1", f"{arm} ranks better than {other}", arm, other, HEADLINE)
      for other in ("BASE", "MTP", "RANDOM") for arm in PRIORS),
    *(("C", f"heads that compose rank better than {arm}", "COMBINED", arm, HEADLINE)
      for arm in ("EVENT", "TAXONOMY")),
    ("R4", "heads of shuffled groups gain too", "RANDOM", "BASE", HEADLINE),
    ("R9", "rare categories gain", "TAXONOMY", "BASE", RARE),
    ("R9", "rare categories gain from heads that compose", "COMBINED", "BASE", RARE),
    ("R2", "lists are of more categories", "COMBINED", "BASE", "entropy@10"),
    ("R2", "lists are less popular", "COMBINED", "BASE", "novelty@10"),
    ("R2", "lists are more personal", "COMBINED", "BASE", "personalisation@10"),
    ("E", "heads of kinds rank likes better", "EVENT", "BASE", f"{HEADLINE} of likes"),
    ("E", "heads of kinds rank shares better", "EVENT", "BASE", f"{HEADLINE} of shares"),
    ("R8", "states must learn which category comes", "TAXONOMY", UNTAUGHT, HEADLINE),
    ("R7", "hierarchical serves rare categories better", "COMBINED", "MULTIPLICATIVE", RARE),
    ("R7", "better than additive", "COMBINED", "ADDITIVE", RARE),
    ("R7", "and additive better than multiplicative", "ADDITIVE", "MULTIPLICATIVE", RARE),
)  # fmt: skip


def main() -> None:
    """One seed of everything first, then the other seeds; results are written as they grow."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    study = Study.of(size, replace(TRAINING, epochs=1 if toy else TRAINING.epochs))
    seeds = [0] if toy else [0, 1, 2]
    for seed in seeds:
        study.compare(ARMS, seed)
        study.write(CLAIMS)
        if seed == seeds[0]:
            study.sweep(ARMS, PRIORS, GRID, seed)
    for seed in seeds[1:]:
        study.sweep(ARMS, PRIORS, GRID, seed)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
