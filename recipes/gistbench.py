"""Planted users and simulated models: do the scores of GISTBench say what they are to say?

60 users with four interests and two near misses each, five seeds, each a world of its own; judged
by the truth, and for R6 by a judge that is wrong about a fifth of the items.
"""

import sys
import time

import numpy as np
from evidence import Evidence, size_of
from gistbench_arms import HALF, agreement, miscounted, ranked, simulated

from tastemaker.worlds.planted_interests import PlantedOptions

ERRORS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
EVENTS = (4, 8, 12)


def main() -> None:
    """Ask, score, compare."""
    size, began = size_of(__doc__ or ""), time.process_time()
    options = PlantedOptions(users=8 if size == "toy" else 60)
    seeds = [0] if size == "toy" else [0, 1, 2, 3, 4]
    metrics = ("hm", "ig_p", "ig_r", "is", "named", "error")
    found = Evidence("gistbench", "arXiv 2603.29112", "planted users", size, seeds, metrics)
    pairs = []
    for seed in seeds:
        pairs.append(simulated(found, options, seed, ERRORS))
        miscounted(found, options.users, seed, EVENTS)
    limited = "length limited, precision", "length limited, recall"
    found.relate("R1", "who may name two interests finds less than it proves", *limited, "ig_p")
    for kinds, few, many in ((2, *EVENTS[::2]), (4, *EVENTS[::2])):
        more, less = (f"wrong counts, {kinds} polarities, {n} items" for n in (many, few))
        found.relate("R2", f"{many} items are counted worse than {few}: {kinds} polarities",
                     more, less, "error")  # fmt: skip
    four, two = (f"wrong counts, {n} polarities, 8 items" for n in (4, 2))
    found.relate("R2", "four polarities are counted worse than two", four, two, "error")
    prior = "popularity prior"
    found.relate("R4", "naming what is common names more than half", prior, HALF, "named")
    for metric in ("ig_p", "hm"):
        found.relate("R4", "the oracle is far above naming what is common", "oracle", prior, metric)
    ranked(found, [f"careless {one:g}" for one in ERRORS], [1 - one for one in ERRORS], 0.9)
    free, judged = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    found.notes.append(agreement(np.concatenate(free, 1), np.concatenate(judged, 1)))
    found.cpu_seconds = time.process_time() - began
    sys.stdout.write(f"{found.notes[-1]}\n{found.write()}\n")


if __name__ == "__main__":
    main()
