"""SASRec and the blend on ML-1M (order only, 3,416 items), newest 50 events, against counting.

Leave-one-out, full ranking, seen items filtered; three seeds. The ablations that should lose:
SASRec reading the same history in random order, and the blend without SASRec.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np
from esasrec_ml1m import ARMS, TRAINING
from evidence import OTHERS, Evidence, runs_of, size_of
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.splits import split
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of, validation_queries
from tastemaker.options import RunOptions
from tastemaker.recommend.blend import Blend
from tastemaker.recommend.blend_weights import fit_weights
from tastemaker.run.saved import open_run
from tastemaker.seams import Recommender


@dataclass(frozen=True)
class Shuffled:
    """A model that is shown each history in random order."""

    model: Recommender

    def score(self, contexts: Contexts) -> Tensor:
        """Scores of the shuffled rows."""
        rng = np.random.default_rng(0)
        rows = np.repeat(np.arange(len(contexts)), contexts.lengths)
        order = np.lexsort((rng.random(len(rows)), rows))
        return self.model.score(replace(contexts, items=contexts.items[order]))


def main() -> None:
    """Train, evaluate, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    level = "toy" if toy else "small"
    data = "movielens-small" if toy else "ml-1m"
    seeds = [0] if toy else [0, 1, 2]
    found = Evidence("sasrec_ml1m", "arXiv 1808.09781, 2309.07602", data, size, seeds)
    for seed in seeds:
        # The same runs as those of recipes/esasrec_ml1m.py.
        out = runs_of("esasrec_ml1m", level) / f"sasrec-seed-{seed}"
        options = RunOptions(data=data, out=str(out), seed=seed)
        found.train("sasrec", options, ARMS["sasrec"], TRAINING[level], also=OTHERS)
        saved = open_run(out)
        cuts = split(saved.interactions, "leave-one-out")
        scoring, parts = options_of(cuts, filter_seen=True), saved.models.parts()
        shuffled = evaluate(Shuffled(saved.model("sasrec")), cuts.queries("test"), scoring)
        found.add("sasrec-shuffled", shuffled.per_user)
        counted = {name: parts[name] for name in parts if name != "sasrec"}
        weights, _ = fit_weights(counted, validation_queries(cuts), saved.models.candidates)
        without = evaluate(Blend(counted, weights), cuts.queries("test"), scoring)
        found.add("blend-without-sasrec", without.per_user)
    found.relate("R1", "SASRec is above markov-last-5", "sasrec", "markov-last-5")
    found.relate("R2", "SASRec is above markov-last-5 in HR@10", "sasrec", "markov-last-5", "hr@10")
    found.relate("R3", "the blend is above markov-last-5", "blend", "markov-last-5")
    found.relate("R4", "the blend is above SASRec", "blend", "sasrec")
    found.relate("R5", "SASRec is above co-occurrence", "sasrec", "co-occurrence")
    found.relate(
        "R6", "order matters: SASRec is above itself shuffled", "sasrec", "sasrec-shuffled"
    )
    found.relate("R7", "the blend needs SASRec", "blend", "blend-without-sasrec")
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
