"""HLLM on MovieLens-small: what do texts give to items that few chose?

Targets with one to five training events, and targets never trained at all. Against: SASRec, which
knows items by id alone, and the mean cosine of the same frozen encoder's vectors (content kNN). The
ablation that should lose is HLLM with its item model frozen. Three seeds.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch.nn.functional as F
from evidence import METRICS, Evidence, size_of
from torch import Tensor

from tastemaker.data.batches import Contexts, last
from tastemaker.data.splits import split
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.options import RunOptions
from tastemaker.recommend.answer import open_run
from tastemaker.recommend.hllm import HLLM, HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run import run_recommender
from tastemaker.train import FitConfig

NEWEST = 5


@dataclass(frozen=True)
class ContentNeighbours:
    """Mean cosine with the newest items read, by vectors that no event has shaped."""

    vectors: Tensor
    """(I+1, H) unit vectors."""

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) mean cosines."""
        batch = last(contexts, NEWEST)
        mean = self.vectors[batch.items].sum(1) / batch.valid.sum(1, keepdim=True).clamp(min=1)
        return mean @ self.vectors[1:].T


def content(config: HLLMConfig, model: HLLM) -> ContentNeighbours:
    """Neighbours by the item model before training."""
    fresh = HLLM(config, model.num_items, model.catalog).eval()
    fresh.refresh()
    return ContentNeighbours(F.normalize(fresh.features, dim=-1))


def main() -> None:
    """Train, then rank the rare and the unseen."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    text = HLLMConfig(item_model="minilm", dim=128, trained_layers=1, missing_text="unknown item")
    if toy:
        text = replace(text, item_model="random", dim=16, max_tokens=8, fresh=32)
    arms = {"hllm": text, "hllm-frozen": replace(text, trained_layers=0), "sasrec": SASRecConfig()}
    training = FitConfig(epochs=1 if toy else 15, batch=16)
    found = Evidence("hllm_text", "arXiv 2409.12740", "movielens-small", size, seeds)
    for seed in seeds:
        scored = {}
        for arm, model in arms.items():
            out = found.cache / f"{arm}-seed-{seed}"
            options = RunOptions(seed=seed, out=str(out), resume=True)
            own = FitConfig() if arm == "sasrec" and not toy else training
            results = run_recommender(options, model, own)
            found.cpu_seconds += results["training"]["cpu_seconds"]
            if not (toy or results["training"]["converged"]):
                found.notes.append(f"not converged: {arm}, seed {seed}")
            saved = open_run(out)
            scored[arm] = saved.models.neural.eval()
        scored["content-knn"] = content(text, scored["hllm"])
        cuts = split(saved.interactions, "leave-one-out")
        queries = cuts.queries("test")
        counts = np.bincount(cuts.train().items, minlength=saved.interactions.num_items + 1)
        events = counts[queries.target_items]
        for arm, model in scored.items():
            for label, wanted in (("rare", (events > 0) & (events <= 5)), ("unseen", events == 0)):
                some = queries.take(np.flatnonzero(wanted))
                ranked = evaluate(model, some, EvalOptions((10, 50)))
                found.add(f"{arm}, {label}", {m: ranked.per_user[m] for m in METRICS})
    found.relate("R1", "on rare items HLLM is above SASRec", "hllm, rare", "sasrec, rare")
    found.relate("R2", "on rare items HLLM is above kNN", "hllm, rare", "content-knn, rare")
    found.relate("R3", "fine-tuning helps on rare items", "hllm, rare", "hllm-frozen, rare")
    found.relate("R4", "on unseen items HLLM is above SASRec", "hllm, unseen", "sasrec, unseen")
    print(found.write())


if __name__ == "__main__":
    main()
