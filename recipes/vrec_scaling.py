"""VRec on Amazon Office with one, two and four thoughts: does checking let more of them help?

As recipes/vrec.py, whose runs of two thoughts are read where they are done; one seed, so slopes
have intervals over users and no verdict. `--size full` takes three, and has one.
"""

import sys
import time

import numpy as np
from evidence import METRICS, Evidence, runs_of, size_of
from vrec import task
from vrec_arms import ARMS, MORE, measure
from vrec_task import MEASURES

COUNTS = (1, 2, 4)
ASKED = ("RATT", "VREC2")


def slope(found: Evidence, arm: str) -> None:
    """Add the slope of NDCG@10 over thoughts, by least squares, a value a user and seed."""
    names = [arm if count == 2 else f"{arm}, N = {count}" for count in COUNTS]
    values = np.stack([np.stack(found.values[name]["ndcg@10"]) for name in names])
    centred = np.array(COUNTS) - np.mean(COUNTS)
    for one in np.tensordot(centred / (centred**2).sum(), values, 1):
        found.add(f"{arm}, slope", {"ndcg@10": one})
        if arm == ASKED[-1]:
            found.add("no slope", {"ndcg@10": np.zeros_like(one)})


def main() -> None:
    """Train, ask, compare slopes."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0, 1, 2] if size == "full" else [0]
    metrics = (*METRICS, *MEASURES)
    found = Evidence("vrec_scaling", "arXiv 2603.07725", "amazon-office", size, seeds, metrics)
    started = time.process_time()
    arms = {name: ARMS[name] for name in ASKED} | MORE
    measure(found, task(toy), arms, runs_of("vrec", "toy" if toy else "small"))
    for arm in ASKED:
        slope(found, arm)
    if size == "small":
        found.notes.append("one seed: no verdict on slopes")
    else:
        found.relate("c", "more checked thoughts help", "VREC2, slope", "no slope")
        found.relate("c", "and more than unchecked ones", "VREC2, slope", "RATT, slope")
    found.spent(time.process_time() - started)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
