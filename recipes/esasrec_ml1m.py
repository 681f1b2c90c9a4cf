"""SASRec, eSASRec and HSTU on ML-1M (order only, 3,416 items): which backbone, and at which level?

Leave-one-out, full ranking, seen items filtered, full softmax for all three. Small: newest 50
events, three seeds. Full: newest 200 events, one seed, against the published figures .178, .177
and .172.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of

from tastemaker.options import RunOptions
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.train.config import FitConfig

ARMS = {
    "sasrec": SASRecConfig(loss="softmax"),
    "esasrec": ESASRecConfig(loss="softmax"),
    "hstu": HSTUConfig(loss="softmax", time="none"),
}
PUBLISHED = {"sasrec": 0.178, "esasrec": 0.177, "hstu": 0.172}
TRAINING = {
    "toy": FitConfig(epochs=1),
    "small": FitConfig(epochs=24, schedule="cosine", anneal=14, batch=32, patience=4),
    "full": FitConfig(epochs=40, schedule="cosine", anneal=30, batch=16, patience=6),
}


def main() -> None:
    """Train, evaluate, compare."""
    size = size_of(__doc__ or "")
    toy, full = size == "toy", size == "full"
    data = "movielens-small" if toy else "ml-1m"
    seeds = [0, 1, 2] if size == "small" else [0]
    found = Evidence("esasrec_ml1m", "arXiv 2508.06450, 2402.17152", data, size, seeds)
    training = TRAINING[size]
    for seed in seeds:
        for arm, shape in ARMS.items():
            model = replace(shape, history=200) if full else shape
            also = ("markov-last-5",) if arm == "sasrec" else ()
            found.train(arm, RunOptions(data=data, seed=seed), model, training, also=also)
            if full:
                found.against_published(arm, PUBLISHED[arm])
    found.relate("R1", "eSASRec is above SASRec", "esasrec", "sasrec")
    found.relate("R2", "HSTU is above SASRec", "hstu", "sasrec")
    found.relate("R3", "HSTU is above eSASRec", "hstu", "esasrec")
    found.relate("R4", "eSASRec is above markov-last-5", "esasrec", "markov-last-5")
    found.relate("R5", "HSTU is above markov-last-5", "hstu", "markov-last-5")
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
