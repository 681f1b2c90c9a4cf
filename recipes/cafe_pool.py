"""CAFe's negatives: more pairs in a step, encoded a few at a time, at equal steps.

Begins with the models that `cafe.py` has warmed up; only vectors are learnt. Beside it, what
contrastive loss alone comes to where it may take the CPU-seconds of CAFe, with one seed.
"""

import sys
from dataclasses import replace

from cafe import TOY
from cafe_arms import POOL, Budget, Kept
from cafe_scores import scores
from evidence import Evidence, runs_of, size_of

STEPS, LONG = 120, 1_670
"""Steps of both arms, and those that cost contrastive-only what 500 steps cost CAFe."""
METRICS = ("recall@1", "i2t_recall@1", "t2i_recall@1")


def main() -> None:
    """Learn vectors among few and among many, and compare what is found."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    sizes = replace(Budget().sizes, told=50)
    seeds, budget = [0, 1, 2], TOY if toy else replace(Budget(sizes), steps=STEPS)
    data = "scenes of shapes" if toy else "scenes of garments"
    found = Evidence("cafe_pool", "arXiv 2503.19900", data, size, seeds, METRICS)
    world = budget.sizes.measured()
    few, many = POOL
    for seed in seeds:
        warm = Kept(runs_of("cafe", size) / f"seed-{seed}", seed, TOY if toy else Budget())
        kept = Kept(found.cache / f"seed-{seed}", seed, budget, warm.model("base"))
        for arm in POOL:
            found.add(arm, scores(kept.said(arm), world))
            found.cpu_seconds += kept.cost(arm)
    warm = Kept(runs_of("cafe", size) / "seed-0", 0, budget)
    longer = budget if toy else replace(budget, steps=LONG)
    kept = Kept(found.cache / "long", 0, longer, warm.model("base"))
    reached = scores(kept.said(few), world)
    arm, means = f"{few}, {longer.steps:,} steps", {n: float(reached[n].mean()) for n in METRICS}
    found.tables = {"At the CPU-seconds of CAFe, seed 0": {arm: means}}
    found.cpu_seconds += kept.cost(few)
    found.relate("R5", "more pairs in a step find more, at equal steps", many, few)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
