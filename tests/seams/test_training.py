"""What is trained stands at its seams."""

import numpy as np
import torch

from tastemaker import seams
from tastemaker.data.batches import NextItemBatches
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tests.contracts import ITEMS, some_contexts


def losses_of(model: seams.Trainable, steps: seams.Steps) -> float:
    return sum(
        float(model.loss(part).detach())
        for step in steps.epoch(0)
        for part in step.parts(small=True)
    )


def test_models_stand_at_their_seams() -> None:
    torch.manual_seed(0)
    model = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS).eval()
    assert np.isfinite(losses_of(model, NextItemBatches(some_contexts(), history=6)))
    assert not isinstance(model, seams.Staged)
