"""HLLM on MovieLens-small: what do titles and genres give to items that few chose?

The last twenty events of every user who has them to spare, ranked one by one among all items, each
after everything before it: targets with one to five training events, and targets never trained at
all. Leave-one-out has 92 and 35 of them, ten events 729 and 202, twenty 1,187 and 346, of more
users than thirty have. Against: SASRec, which knows items by id alone, content kNN by the same
frozen encoder, the same kNN by the whitened vectors that HLLM starts from, and chance. The ablation
that should lose is HLLM with its item model frozen. Negatives are drawn as often as items were
chosen, since uniform ones teach how probable an item is, and rare ones are not. Three seeds.
"""

import sys
from dataclasses import replace

from cold_items import Chance, ContentNeighbours, measure, one_by_one, relate
from evidence import METRICS, Evidence, size_of

from tastemaker.data.splits import split
from tastemaker.metrics.evaluate import EvalOptions
from tastemaker.options import RunOptions
from tastemaker.recommend.hllm import HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.seams import Recommender
from tastemaker.train.config import FitConfig

CUT = "last-20"
TEXT = HLLMConfig(
    item_model="minilm",
    dim=128,
    trained_layers=1,
    missing_text="unknown item",
    drawn="popular",
    negatives=512,
    fresh=128,
    thaw=200,  # two passes
    dropout=0.1,
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
    training = FitConfig(epochs=1 if toy else 6, batch=16, patience=0)
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
        neighbours, whitened = ContentNeighbours.like(models["hllm"])
        models |= {"content-knn": neighbours, "whitened-knn": whitened}
        models["chance"] = Chance(log.num_items, seed)
        cuts = split(log, CUT)
        test, trained = one_by_one(cuts), cuts.train().items
        measure(found, models, test, trained, log.num_items, EvalOptions((10, 50)))
    relate(found)
    relate(found, "ndcg@50", first=7)
    for key, metric in (("R13", "ndcg@10"), ("R14", "ndcg@50")):
        claim = "on rare items HLLM is above whitened kNN"
        found.relate(key, claim, "hllm, rare", "whitened-knn, rare", metric)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
