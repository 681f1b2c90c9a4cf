"""VRec on Amazon CDs, with semantic ids of its own from titles: the way of the paper's data, once.

As recipes/vrec.py, with one seed and three arms; nothing is claimed of it.
"""

import sys
import time

from evidence import METRICS, Evidence, size_of
from office import cds
from vrec_arms import ARMS, beside, measure
from vrec_task import MEASURES, task_of

from tastemaker.recommend.sasrec import SASRecConfig


def main() -> None:
    """Train and ask."""
    size = size_of(__doc__ or "")
    metrics = (*METRICS, *MEASURES)
    found = Evidence("vrec_cds", "arXiv 2603.07725", "amazon-cds", size, [0], metrics)
    started, asked = time.process_time(), task_of(cds(), "words", size == "toy")
    arms = {name: ARMS[name] for name in ("NONE", "RATT", "VREC2")}
    measure(found, asked, arms, found.cache)
    beside(found, asked, 0, SASRecConfig(history=10, dropout=0.5), 1 if size == "toy" else 40)
    found.spent(time.process_time() - started)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
