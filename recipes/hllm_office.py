"""HLLM on Amazon Office: 3,459 items with title and brand, histories of at most ten events.

How training, validation and test are made of the public rows: recipes/office.py. Users buy again,
so seen items stay in the ranking. Against SASRec, content kNN by the same frozen encoder, and
chance; the ablation that should lose is HLLM with its item model frozen. Three seeds.
"""

import sys
import time
from dataclasses import replace

from cold_items import Chance, ContentNeighbours, measure, relate
from evidence import Evidence, size_of
from office import office

from tastemaker.config import seed_everything
from tastemaker.data.ground import Ground
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.nn.next_item import NextItemModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.recommend.backbones import build
from tastemaker.recommend.hllm import HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.seams import Recommender
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

SCORING = EvalOptions((10,), filter_seen=False)


def main() -> None:
    """Train, then rank the rare and the unseen."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    items, train, valid, test = office()
    text = HLLMConfig(item_model="minilm", dim=128, trained_layers=1, history=10)
    if toy:
        text = replace(text, item_model="random", dim=16, max_tokens=8, fresh=32)
    arms: dict[str, NextItemConfig] = {
        "hllm": text,
        "hllm-frozen": replace(text, trained_layers=0),
        "sasrec": SASRecConfig(history=10, dropout=0.5),
    }
    training = FitConfig(epochs=1 if toy else 40, batch=32)
    found = Evidence("hllm_office", "arXiv 2409.12740", "amazon-office", size, seeds)
    started = time.process_time()
    for seed in seeds:
        models: dict[str, Recommender] = {}
        for arm, shape in arms.items():
            seed_everything(seed)
            model = build(shape, Ground(len(items.frame), items))
            batches = model.batches(train, training.batch, seed)

            def validate(model: NextItemModel = model) -> dict[str, float]:
                return {"ndcg@10": evaluate(model, valid, SCORING).mean("ndcg@10")}

            out = found.cache / f"{arm}-seed-{seed}"
            out.mkdir(parents=True, exist_ok=True)
            fitted = fit(model, batches, replace(training, seed=seed), validate, out, resume=True)
            if not (toy or fitted.converged):
                found.notes.append(f"not converged: {arm}, seed {seed}")
            models[arm] = model.eval()
        models["content-knn"], _ = ContentNeighbours.like(models["hllm"])
        models["chance"] = Chance(len(items.frame), seed)
        measure(found, models, test, train.items, len(items.frame), SCORING)
    found.cpu_seconds = time.process_time() - started
    relate(found)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
