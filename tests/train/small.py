"""A training small enough to be killed, resumed and compared many times."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from tastemaker.data.batches import NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted, fit

SHAPE = SASRecConfig(
    dim=8, layers=1, heads=1, inner=8, dropout=0.3, history=6, loss="sampled", negatives=5
)
QUICK = FitConfig(epochs=4, batch=4, warmup=3, checkpoint_every=3, patience=0)


def problem(seed: int = 0) -> tuple[SASRec, NextItemBatches]:
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 21 * 9, 9, dtype=np.int64)
    contexts = Contexts(np.arange(20), offsets, rng.integers(1, 31, 180).astype(np.int32))
    torch.manual_seed(seed)
    return SASRec(SHAPE, 30), NextItemBatches(contexts, 6, tokens=24, negatives=5, seed=seed)


def falling_norm(model: SASRec) -> dict[str, float]:
    """A stand-in for a validation metric that depends on the weights alone."""
    return {"ndcg@10": float(model.items.weight.detach().norm()), "hr@10": 0.0}


def train(
    out: Path | None = None, resume: bool = False, config: FitConfig = QUICK
) -> tuple[str, Fitted]:
    model, batches = problem(config.seed)
    fitted = fit(model, batches, config, lambda: falling_norm(model), out, resume)
    return digest(model), fitted


def digest(model: torch.nn.Module) -> str:
    state = model.state_dict()
    return hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
