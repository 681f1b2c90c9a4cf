"""CAFe on scenes of garments: what telling costs finding, and finding telling.

A tiny model is warmed up once a seed; from it the arms learn from the same scenes in as many steps:
telling alone, vectors alone, both, one after the other. Needs TASTEMAKER_DATA; a toy takes shapes.
"""

import os
import sys

import numpy as np
from cafe_arms import ARMS, SWEEP, Budget, Kept
from cafe_scores import FLOORS, MAIN, METRICS, relate, scores, shifted
from cafe_tables import tables
from cafe_world import Sizes
from evidence import Evidence, size_of

TOY = Budget(Sizes(64, 24, 12, shapes=True), tower_epochs=1, warm_steps=2, steps=2, batch=8)


def main() -> None:
    """Warm up, train, ask, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    if not toy and not os.environ.get("TASTEMAKER_DATA"):
        sys.stdout.write("skipped: garments are read from TASTEMAKER_DATA, which is not set\n")
        return
    seeds, budget = [0, 1, 2], TOY if toy else Budget()
    data = "scenes of shapes" if toy else "scenes of garments"
    found = Evidence("cafe", "arXiv 2503.19900", data, size, seeds, METRICS)
    kept = [Kept(found.cache / f"seed-{seed}", seed, budget) for seed in seeds]
    world = budget.sizes.measured()
    said = {arm: [seed.said(arm) for seed in kept] for arm in MAIN}
    for arm, many in said.items():
        for one in many:
            found.add(arm, scores(one, world))
    shifted(found)
    relate(found, said, world)
    swept = said | {arm: [kept[0].said(arm)] for arm in SWEEP}
    found.tables = tables(swept, world, kept)
    first = {arm: scores(many[0], world) for arm, many in swept.items()}

    def point(arm: str) -> list[float]:
        return [float(first[arm][name].mean()) for name in ("recall@1", "object_recall")]

    dial = sorted([*SWEEP, "CAFe"], key=lambda arm: (SWEEP | ARMS)[arm].alpha_con)
    found.axes = ("R@1", "things named")
    found.fronts = {"CAFe": [point(arm) for arm in dial]}
    found.fronts |= {arm: [point(arm)] for arm in MAIN if arm != "CAFe"}
    for metric, least in FLOORS.items():
        reached = float(np.mean(found.values["LM-only"][metric]))
        if reached < least:
            found.notes.append(f"too weak: LM-only reaches {reached:.2f} in {metric}")
    costs = found.tables["CPU-seconds a seed"]
    found.cpu_seconds = sum(len(swept[arm]) * sum(cost.values()) for arm, cost in costs.items())
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
