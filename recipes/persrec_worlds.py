"""Generated worlds whose answers stand in the old part of a history alone: do tokens carry them?

24 old events on four backbones, in which each key stands three times; and a world of 2,000 events,
300 users and 200 items on HSTU. HR@1; three seeds, each a world of its own. Answers alone are
learnt, in all arms.
"""

import sys

from evidence import Evidence, size_of
from old_answers import World, asked

from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.train.config import FitConfig

SHORT = World(users=3000, old=24, topics=2, values=8, fillers=20, repeats=3)
LONG = World(users=300, old=1984, topics=4, values=4, fillers=164, repeats=64)
TOY = World(users=60, old=20, topics=2, values=4, fillers=10)
HSTU = HSTUConfig(dropout=0.0, loss="softmax", time="none", divisor=1)
BACKBONES = {
    "SASRec": (SASRecConfig(layers=4, heads=4, dropout=0.0, loss="softmax"), 5),
    "eSASRec": (ESASRecConfig(dropout=0.0, loss="softmax"), 5),
    "HSTU": (HSTU, 3),
    "HLLM": (HLLMConfig(dropout=0.0, max_tokens=4, trained_layers=0, loss="softmax"), 4),
}
"""Name → shape and epochs: SASRec is as deep as the paper's."""


def training(toy: bool, epochs: int, batch: int) -> FitConfig:
    """Until the answers are found."""
    return FitConfig(
        epochs=1 if toy else epochs, lr=3e-3, batch=batch, metric="hr@1", patience=0, warmup=20,
        schedule="cosine", anneal=epochs, 
    )  # fmt: skip


def main() -> None:
    """Both worlds, then what may be claimed."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds = [0] if toy else [0, 1, 2]
    found = Evidence("persrec_worlds", "arXiv 2601.03479", "generated", size, seeds, ("hr@1",))
    for name, (backbone, epochs) in list(BACKBONES.items())[: 3 if toy else None]:
        asked(found, name, TOY if toy else SHORT, backbone, training(toy, epochs, 16))
    if not toy:
        asked(found, "2,000 events on HSTU", LONG, HSTU, training(toy, 4, 2))
    for name in dict.fromkeys(arm.rpartition(",")[0] for arm in found.values):
        compressed, recent = f"{name}, COMPRESS", f"{name}, RECENT+k"
        found.relate("L1", f"{name}: COMPRESS is above RECENT+k", compressed, recent)
        found.relate(
            "L2", f"{name}: COMPRESS finds more than 19 in 20", compressed, f"{name}, the bar"
        )
        found.relate(
            "L3", f"{name}: RECENT+k is below twice chance", f"{name}, twice chance", recent
        )
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
