"""CAFe's negatives: more pairs in a step, encoded a few at a time, at equal steps.

Begins with the models that `cafe.py` has warmed up; only vectors are learnt.
"""

import sys
from dataclasses import replace

from cafe import TOY
from cafe_arms import POOL, Budget, Kept
from cafe_scores import scores
from evidence import Evidence, runs_of, size_of

STEPS = 120
METRICS = ("recall@1", "i2t_recall@1", "t2i_recall@1")


def main() -> None:
    """Learn vectors among few and among many, and compare what is found."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds, budget = [0, 1, 2], TOY if toy else replace(Budget(), steps=STEPS)
    data = "shapes" if toy else "scenes of Fashion-MNIST garments, one a user"
    found = Evidence("cafe_pool", "arXiv 2503.19900", data, size, seeds, METRICS)
    world = budget.sizes.measured()
    few, many = POOL
    for seed in seeds:
        warm = Kept(runs_of("cafe", size) / f"seed-{seed}", seed, TOY if toy else Budget())
        kept = Kept(found.cache / f"seed-{seed}", seed, budget, warm.model("base"))
        for arm in POOL:
            found.add(arm, scores(kept.said(arm), world))
            found.cpu_seconds += kept.cost(arm)
    found.relate("R5", "more pairs in a step find more, at equal steps", many, few)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
