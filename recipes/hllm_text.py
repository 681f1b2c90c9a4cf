"""HLLM on MovieLens-small: what do titles and genres give to items that few chose?

The last ten events of every user, each ranked by itself among all items: targets with one to five
training events, and targets never trained at all. Against: SASRec, which knows items by id alone,
content kNN by the same frozen encoder, and chance. The ablation that should lose is HLLM with its
item model frozen. Negatives are drawn as often as items were chosen, since uniform ones teach how
probable an item is, and rare ones are not. Few such targets are among the first ten, so that the
claims are also read at 50. Three seeds.
"""

import sys
from dataclasses import replace

from cold_items import Chance, ContentNeighbours, apart, measure, relate
from evidence import METRICS, Evidence, size_of

from tastemaker.data.splits import split
from tastemaker.metrics.evaluate import EvalOptions
from tastemaker.metrics.ranking import Recommender
from tastemaker.options import RunOptions
from tastemaker.recommend.answer import open_run
from tastemaker.recommend.hllm import HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run import run_recommender
from tastemaker.train import FitConfig

CUT = "last-10"
TEXT = HLLMConfig(
    item_model="minilm",
    dim=128,
    trained_layers=1,
    missing_text="unknown item",
    drawn="popular",
    negatives=512,
    fresh=128,
    thaw=763,  # almost seven passes
)


def main() -> None:
    """Train, then rank the rare and the unseen."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    text = TEXT
    if toy:
        text = replace(text, item_model="random", dim=16, max_tokens=8, fresh=32, thaw=0)
    arms = {"hllm": text, "hllm-frozen": replace(text, trained_layers=0), "sasrec": SASRecConfig()}
    training = FitConfig(epochs=1 if toy else 9, batch=16, patience=0)
    metrics = (*METRICS, "ndcg@50")
    found = Evidence(
        "hllm_text", "arXiv 2409.12740", "movielens-small", size, seeds, metrics=metrics
    )
    for seed in seeds:
        models: dict[str, Recommender] = {}
        for arm, model in arms.items():
            out = found.cache / f"{arm}-seed-{seed}"
            options = RunOptions(seed=seed, split=CUT, out=str(out), resume=True)
            own = FitConfig() if arm == "sasrec" and not toy else training
            results = run_recommender(options, model, own)
            found.cpu_seconds += results["training"]["cpu_seconds"]
            if not (toy or results["training"]["converged"]):
                found.notes.append(f"not converged: {arm}, seed {seed}")
            saved = open_run(out)
            models[arm] = saved.models.neural.eval()
        log = saved.interactions
        models["content-knn"] = ContentNeighbours.like(models["hllm"])
        models["chance"] = Chance(log.num_items, seed)
        cuts = split(log, CUT)
        test, trained = apart(cuts.queries("test")), cuts.train().items
        measure(found, models, test, trained, log.num_items, EvalOptions((10, 50)))
    relate(found)
    relate(found, "ndcg@50", first=7)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
