"""HLLM on MovieLens-small: what do texts give to items that few chose?

Targets with one to five training events, and targets never trained at all, among all items.
Against: SASRec, which knows items by id alone, content kNN by the same frozen encoder, and chance.
The ablation that should lose is HLLM with its item model frozen. Three seeds.
"""

import sys
from dataclasses import replace

from cold_items import Chance, ContentNeighbours, measure, relate
from evidence import Evidence, size_of

from tastemaker.data.splits import split
from tastemaker.metrics.ranking import Recommender
from tastemaker.options import RunOptions
from tastemaker.recommend.answer import open_run
from tastemaker.recommend.hllm import HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run import run_recommender
from tastemaker.train import FitConfig


def main() -> None:
    """Train, then rank the rare and the unseen."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    text = HLLMConfig(item_model="minilm", dim=128, trained_layers=1, missing_text="unknown item")
    if toy:
        text = replace(text, item_model="random", dim=16, max_tokens=8, fresh=32)
    arms = {"hllm": text, "hllm-frozen": replace(text, trained_layers=0), "sasrec": SASRecConfig()}
    training = FitConfig(epochs=1 if toy else 10, batch=16, patience=3)
    found = Evidence("hllm_text", "arXiv 2409.12740", "movielens-small", size, seeds)
    for seed in seeds:
        models: dict[str, Recommender] = {}
        for arm, model in arms.items():
            out = found.cache / f"{arm}-seed-{seed}"
            options = RunOptions(seed=seed, out=str(out), resume=True)
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
        cuts = split(log, "leave-one-out")
        measure(found, models, cuts.queries("test"), cuts.train().items, log.num_items)
    relate(found)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
