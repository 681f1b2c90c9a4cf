"""PerSRec on users of ML-1M with 200 events and more: does compressing keep what reading all finds?

Newest 221 events of each user, of which the last ten are asked and the ten before validate
(HORIZON(10)); HSTU with sampled softmax, P = 150 old events, R = 50 recent ones, k = 4 tokens,
three seeds. First the gate: where FULL is not above RECENT+k, or loses nothing by the old events
of somebody else, the old part carries no signal, and P1 and P2 have no verdict. The toy is a
generated world.
"""

import sys

from evidence import Evidence, size_of
from persrec_arms import Task, long_histories, measure

from tastemaker.data.datasets import load
from tastemaker.data.splits import last_events
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.worlds.logs import planted_groups

HSTU = HSTUConfig(loss="sampled", time="none", divisor=204)
SHAPE = PerSRecConfig(HSTU, old=150, recent=50, tokens=4)
TRAINING = FitConfig(
    epochs=50, lr=2e-3, batch=16, schedule="cosine", anneal=36, patience=5, checkpoint_every=50
)
"""At most seven CPU-minutes a run: an epoch of FULL or COMPRESS took eight CPU-seconds."""
TOY = PerSRecConfig(HSTU, old=15, recent=8, tokens=2)


def ml1m() -> Task:
    """P + R inputs with a target each, and twice ten events behind them."""
    log = long_histories(load("ml-1m").positives(), 200, SHAPE.history + 1 + 2 * 10)
    return Task(last_events(log, 10), TRAINING)


def toy() -> Task:
    """A world of tastes, in which what is old tells as much as what is new."""
    log = planted_groups(users=60, length=30, items=100).interactions()
    return Task(last_events(log, 3), FitConfig(epochs=1, batch=8))


def main() -> None:
    """Train, ask, look at the gate, compare."""
    size = size_of(__doc__ or "")
    data, seeds = ("generated", [0]) if size == "toy" else ("ml-1m, long histories", [0, 1, 2])
    found = Evidence("persrec", "arXiv 2601.03479", data, size, seeds)
    found.axes = ("CPU-ms a request, without scoring", "NDCG@10")
    measure(found, *((toy(), TOY) if size == "toy" else (ml1m(), SHAPE)))
    sys.stdout.write("".join(f"{note}\n" for note in found.notes))
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
