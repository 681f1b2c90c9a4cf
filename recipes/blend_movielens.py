"""The default of `make run` on MovieLens-small: is the blend above its best part?

671 users are few, so leave-one-out stands beside the last ten events of every user. The ablation
that should lose is the blend without its neural part.
"""

import sys

from evidence import OTHERS, Evidence, size_of

from tastemaker.data.splits import split
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of, validation_queries
from tastemaker.options import RunOptions
from tastemaker.recommend.blend import Blend
from tastemaker.recommend.blend_weights import fit_weights
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig

PARTS = ("sasrec", "markov-last-5", "ease")


def main() -> None:
    """Train on both splits, compare the blend with each part."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    for cut in ("leave-one-out",) if toy else ("leave-one-out", "last-10"):
        name = f"blend_movielens-{cut}"
        found = Evidence(
            name, "performance: small data want a blend", "movielens-small", size, seeds
        )
        for seed in seeds:
            out = found.cache / f"seed-{seed}"
            options = RunOptions(out=str(out), seed=seed, split=cut)
            training = FitConfig(epochs=1) if toy else None
            found.train("sasrec", options, SASRecConfig(), training, also=OTHERS)
            saved = open_run(out)
            cuts = split(saved.interactions, cut)
            parts = {k: v for k, v in saved.models.parts().items() if k != "sasrec"}
            weights, _ = fit_weights(parts, validation_queries(cuts), saved.models.candidates)
            scoring = options_of(cuts, filter_seen=True)
            without = evaluate(Blend(parts, weights), cuts.queries("test"), scoring)
            found.add("blend-without-sasrec", without.per_user)
        for at, part in enumerate((*PARTS, "co-occurrence", "blend-without-sasrec"), start=1):
            found.relate(f"R{at}", f"the blend is above {part}", "blend", part)
        sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
