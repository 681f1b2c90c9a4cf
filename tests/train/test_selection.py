"""The weights kept are those of the best validation, or of the last epoch, and faults are told."""

import pytest
import torch

from tastemaker.errors import BadInput, NumericFault
from tastemaker.train.config import FitConfig
from tastemaker.train.progress import Progress
from tastemaker.train.selection import chosen, converged, copied, exhausted, selected


def after(*values: float, before: int = 0, every: int = 1) -> Progress:
    """A training whose running stage began after `before` epochs and measured these values."""
    stage = Progress(epoch=before + every * len(values), history=[0.9] * before + list(values))
    stage.first_epoch, stage.first_validation = before, before
    return stage


def test_the_metric_that_selects_is_there_and_finite() -> None:
    assert chosen({"hr@10": 0.5, "ndcg@10": 0.25}, "ndcg@10", 3) == 0.25
    with pytest.raises(BadInput) as unknown:
        chosen({"hr@10": 0.5}, "ndcg@10", 3)
    assert "hr@10" in unknown.value.fix
    with pytest.raises(NumericFault) as fault:
        chosen({"hr@10": float("inf")}, "hr@10", 3)
    assert "epoch 3" in fault.value.where


def test_a_copy_of_the_weights_stays_when_the_model_learns() -> None:
    model = torch.nn.Linear(2, 1)
    kept = copied(model)
    before = kept["weight"].clone()
    with torch.no_grad():
        model.weight.add_(1)
    assert torch.equal(kept["weight"], before)


def test_the_epoch_that_is_kept() -> None:
    config = FitConfig()
    assert selected(after(0.1, 0.3, 0.2), config, "best") == (2, 0.3)
    assert selected(after(0.1, 0.3, 0.2), config, "last") == (3, 0.2)
    assert selected(after(0.1, 0.3, 0.2, before=4), config, "best") == (6, 0.3)
    seldom = FitConfig(validate_every=3)
    assert selected(after(0.1, 0.3, 0.2, every=3), seldom, "best") == (6, 0.3)
    ended = after(0.1, 0.3)
    ended.epoch = 4  # the last validation came before its turn
    assert selected(ended, seldom, "best") == (4, 0.3)


def test_patience_and_flatness() -> None:
    patient = FitConfig(patience=2)
    assert not exhausted(after(0.3, 0.2), patient)
    assert exhausted(after(0.3, 0.2, 0.1), patient)
    assert converged(after(0.3, 0.2, 0.1), patient)
    endless = FitConfig(patience=0)
    assert not exhausted(after(0.3, 0.2, 0.1), endless)
    assert not converged(after(0.3, 0.2, 0.1), endless)
    assert converged(after(0.3, 0.301, 0.3, 0.3, 0.3, 0.302), endless)
    assert not converged(after(0.3, 0.301, 0.3, 0.3, 0.3, 0.31), endless)
