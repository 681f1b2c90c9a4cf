"""Presets: a model's shape and its training as a paper or one of our recipes has them.

Published ones are those of backbones §4; a batch is as many rows of full length as the paper has
users in one. Where a paper leaves an option out, ours stands. Recipes hold the measured ones to
their figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.seams import Shape
from tastemaker.train.config import FitConfig


@dataclass(frozen=True)
class Preset:
    """Shape and training."""

    model: Shape
    fit: FitConfig
    source: str
    """paper or recipe"""


_ML_1M = FitConfig(epochs=40, schedule="cosine", anneal=30, batch=16, patience=6)
_PAPER = FitConfig(epochs=100, batch=128, patience=10)
_PATIENT = FitConfig(epochs=200, batch=128, patience=50)
_HSTU_TRAINING = FitConfig(epochs=101, batch=128, patience=0)
_HSTU_PAPER = HSTUConfig(
    dim=50, head_dim=50, history=200, negatives=128, time="request", loss="sampled"
)

SASREC = {
    "default": Preset(SASRecConfig(), FitConfig(), "recipes/blend_movielens.py"),
    "ml-1m": Preset(
        SASRecConfig(history=200, loss="softmax"), _ML_1M, "recipes/esasrec_ml1m.py --size full"
    ),
    "sparse": Preset(
        SASRecConfig(dim=128, loss="sampled", negatives=2048, dropout=0.5),
        FitConfig(epochs=40),
        "recipes/sasrec_beauty.py",
    ),
    "paper": Preset(
        SASRecConfig(heads=1, dropout=0.1, history=200, loss="softmax"),
        _PAPER,
        "arXiv 2309.07602, ML-1M",
    ),
    "paper-gbce": Preset(
        SASRecConfig(dim=128, heads=1, dropout=0.5, history=200, loss="gbce", negatives=256),
        _PATIENT,
        "arXiv 2308.07192, ML-1M; one table of items here, two there",
    ),
}
ESASREC = {
    "default": Preset(ESASRecConfig(), FitConfig(), "arXiv 2508.06450, at length 50"),
    "ml-1m": Preset(
        ESASRecConfig(history=200, loss="softmax"),
        _ML_1M,
        "recipes/esasrec_ml1m.py --size full",
    ),
    "paper": Preset(
        ESASRecConfig(heads=1, dropout=0.1, history=200), _PATIENT, "arXiv 2508.06450, ML-1M"
    ),
    "paper-large": Preset(
        ESASRecConfig(dim=256, layers=4, heads=8, history=200),
        _PATIENT,
        "arXiv 2508.06450, ML-20M",
    ),
}
HSTU = {
    "default": Preset(HSTUConfig(), FitConfig(), "arXiv 2402.17152, at length 50"),
    "ml-1m": Preset(
        HSTUConfig(history=200, loss="softmax"), _ML_1M, "recipes/esasrec_ml1m.py --size full"
    ),
    "paper": Preset(_HSTU_PAPER, _HSTU_TRAINING, "arXiv 2402.17152, ML-1M"),
    "paper-large": Preset(
        replace(_HSTU_PAPER, layers=8, heads=2, head_dim=25),
        _HSTU_TRAINING,
        "arXiv 2402.17152, HSTU-large on ML-1M",
    ),
    "paper-ml-20m": Preset(
        replace(_HSTU_PAPER, dim=256, layers=16, heads=8, head_dim=32),
        _HSTU_TRAINING,
        "arXiv 2402.17152, HSTU-large on ML-20M",
    ),
    "paper-books": Preset(
        HSTUConfig(
            dim=64, layers=16, heads=8, head_dim=8, dropout=0.5, time="request", loss="sampled"
        ),
        replace(_HSTU_TRAINING, epochs=201),
        "arXiv 2402.17152, HSTU-large on Books",
    ),
}
HLLM = {
    "default": Preset(HLLMConfig(), FitConfig(), "two fresh layers each, for a first try"),
    "minilm": Preset(
        HLLMConfig(item_model="minilm", dim=128, trained_layers=1),
        FitConfig(epochs=15, batch=16),
        "recipes/hllm_text.py",
    ),
    "paper": Preset(
        HLLMConfig(
            item_model="TinyLlama/TinyLlama_v1.1",
            user_model="TinyLlama/TinyLlama_v1.1",
            pooling="item",
            max_tokens=256,
            loss="sampled",
            checkpointing=True,
            item_lr=1.0,
        ),
        FitConfig(
            epochs=5, lr=1e-4, weight_decay=0.01, schedule="cosine", anneal=5, precision="bf16"
        ),  # fmt: skip
        "arXiv 2409.12740, Books; needs both models on the machine and a large GPU",
    ),
}
MTMH = {
    "default": Preset(MTMHConfig(), FitConfig(), "both heads, for a first try"),
    "baseline": Preset(
        MTMHConfig(relevance_weight=0.0, trade=0.0, relevance=0.0),
        FitConfig(),
        "co-engagement alone (λ = μ = 0), the baseline of arXiv 2506.06239's question",
    ),
}
PRIORS = {
    "default": Preset(PriorsConfig(), FitConfig(), "recipes/priors_taught.py on MovieLens-small"),
    "horizons": Preset(
        PriorsConfig(offsets=4, segments=2),
        FitConfig(),
        "arXiv 2511.10492, P = 4 and S = 2: the next two items, and the two after",
    ),
    "paper": Preset(
        PriorsConfig(
            HSTUConfig(dim=128, layers=4, heads=4, head_dim=32, loss="sampled"),
            offsets=8,
            segments=4,
            negatives=8192,
            merge="combine",
            shares=0.0,
        ),
        FitConfig(lr=1e-4, schedule="cosine", batch=128, patience=10),
        "arXiv 2511.10492, HSTU on Pixel8M; no lengths of states there, but a scale",
    ),
}
PERSREC = {
    "default": Preset(PerSRecConfig(), FitConfig(), "200 events for the price of 50, a first try"),
    "long": Preset(
        PerSRecConfig(
            HSTUConfig(heads=2, head_dim=32, divisor=1, loss="sampled"),
            old=1000,
            recent=100,
            tokens=4,
        ),
        FitConfig(batch=16),
        "arXiv 2601.03479 on MerRec, at a CPU's size",
    ),
    "paper": Preset(
        PerSRecConfig(
            HSTUConfig(
                layers=16, heads=8, head_dim=8, dropout=0.5, loss="sampled", drawn="popular"
            ),
            old=400,
            recent=100,
            tokens=4,
        ),
        FitConfig(epochs=201, batch=8, patience=10),
        "arXiv 2601.03479, HSTU on EB-NeRD; negatives are shared by a batch here",
    ),
}
_VREC_TRAINING = FitConfig(epochs=20, lr=2e-3, weight_decay=0.1, batch=16, validate_every=4)
VREC = {
    "default": Preset(VRecConfig(), FitConfig(), "two thoughts, two verifiers, for a first try"),
    "sparse": Preset(
        VRecConfig(history=10, targets=0, verify_epochs=3, joint_epochs=8),
        _VREC_TRAINING,
        "recipes/vrec.py",
    ),
    "titles": Preset(
        VRecConfig(
            language="smollm2",
            lora=8,
            language_lr=0.3,
            history=10,
            thoughts=1,
            beams=40,
            verify_epochs=3,
            joint_epochs=3,
        ),
        FitConfig(epochs=5, patience=1),
        "arXiv 2603.07725 with the packaged model and adapters; for a GPU",
    ),  # fmt: skip
    "unverified": Preset(
        VRecConfig(verifiers=()), FitConfig(), "LatentR3, arXiv 2505.19092, at a CPU's size"
    ),
}
