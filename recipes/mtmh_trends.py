"""Trends that pass: does a head of meaning help the more, the more people followed trends?

A generated world of topics in which, for a few days, some items are taken with everything. Cut by
the clock; trends of five strengths among the same items, a world a seed. Similarity is judged three
ways: by the words that the model learnt from (circular), by a sentence encoder it never saw, and by
the true topic, which no encoder judges.
"""

import sys
import time

from evidence import Evidence, size_of
from trend_worlds import METRICS, worlds

CLAIMS = (
    ("R4", "the gain in recall grows with trends", "two heads, slope", "co-engagement, slope", 0),
    ("R4", "without trends two heads recall more", "two heads, 0", "co-engagement, 0", 0),
    ("R4", "with the strongest trends they do", "two heads, 0.4", "co-engagement, 0.4", 0),
    ("R4", "there two heads recall more than the blend", "two heads, 0.4", "blend, 0.4", 0),
    ("R7", "two heads are more relevant to the judge", "two heads, 0.2", "co-engagement, 0.2", 1),
    ("R7", "by the true topics", "two heads, 0.2", "co-engagement, 0.2", 2),
    ("R7", "by the words they learnt from (circular)", "two heads, 0.2", "co-engagement, 0.2", 3),
    ("T", "trends cost co-engagement true topics", "co-engagement, 0", "co-engagement, 0.4", 2),
)


def main() -> None:
    """Worlds of three seeds."""
    size = size_of(__doc__ or "")
    seeds = [0] if size == "toy" else [0, 1, 2]
    found = Evidence("mtmh_trends", "arXiv 2506.06239", "generated", size, seeds, METRICS)
    started, settings = time.process_time(), {}
    for seed in seeds:
        worlds(found, seed, settings)
    found.spent(time.process_time() - started)
    for key, claim, a, b, metric in CLAIMS:
        found.relate(key, claim, a, b, METRICS[metric])
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
