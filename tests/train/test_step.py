"""One step alone does what the loop does, bit for bit, and costs no launcher."""

import time

import pytest
import torch
from accelerate import Accelerator

from tastemaker.data.batches import Batch
from tastemaker.errors import NumericFault
from tastemaker.train.config import learning_rate
from tastemaker.train.loop import fit
from tastemaker.train.step import Trainer, adamw
from tests.train.small import QUICK, digest, problem


@pytest.mark.parametrize("launched", [False, True])
def test_steps_alone_end_in_the_weights_of_the_loop(launched: bool) -> None:
    model, batches = problem()
    fit(model, batches, QUICK, lambda: {"ndcg@10": 0.0})  # the first epoch is best
    want = digest(model)
    model, batches = problem()
    torch.manual_seed(QUICK.seed)
    accelerator = Accelerator(cpu=True) if launched else None
    trainer = Trainer(model, adamw(model, QUICK), QUICK.clip, accelerator)
    model.train()
    losses = [
        trainer.step(batch, learning_rate(QUICK, number, len(batches)))
        for number, batch in enumerate(batches.epoch(0))
    ]
    assert digest(model) == want
    assert len(losses) == len(batches)


@pytest.mark.parametrize("launched", [False, True])
def test_one_process_on_a_cpu_takes_a_step_in_pieces(
    launched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemaker.data.batches.POSITIONS", 6)
    model, batches = problem()
    batch, plain, sizes = next(iter(batches.epoch(0))), model.loss, []

    def loss(part: Batch) -> torch.Tensor:
        sizes.append(part.items.numel())
        return plain(part)

    model.loss = loss  # type: ignore[method-assign]
    accelerator = Accelerator(cpu=True) if launched else None
    Trainer(model, adamw(model, QUICK), QUICK.clip, accelerator).step(batch, 0.1)
    assert len(sizes) > 1 and max(sizes) <= 6
    assert sum(sizes) == batch.items.numel()


def test_the_gradient_is_clipped_to_its_norm() -> None:
    model, batches = problem()
    sizes = []
    for clip in (1e-9, 1e9):
        optimizer = torch.optim.SGD(model.parameters(), 1.0)
        before = [p.detach().clone() for p in model.parameters()]
        Trainer(model, optimizer, clip).step(next(iter(batches.epoch(0))), 1.0)
        changes = [(p - old).norm() ** 2 for p, old in zip(model.parameters(), before, strict=True)]
        sizes.append(float(torch.stack(changes).sum().detach() ** 0.5))
    assert sizes[0] <= 1.1e-9 < 1e-3 < sizes[1]


def test_parts_of_a_model_may_learn_more_slowly() -> None:
    model, batches = problem()
    groups = [{"params": [p], "share": 0.0} for p in model.parameters()]
    before = digest(model)
    Trainer(model, torch.optim.AdamW(groups, 0.1), 5.0).step(next(iter(batches.epoch(0))), 0.1)
    assert digest(model) == before


def test_a_step_that_is_not_finite_changes_nothing() -> None:
    model, batches = problem()
    plain = model.loss
    model.loss = lambda batch: plain(batch) * float("nan")  # type: ignore[method-assign]
    before = digest(model)
    with pytest.raises(NumericFault, match="not finite") as caught:
        Trainer(model, adamw(model, QUICK), 5.0).step(next(iter(batches.epoch(0))), 0.1)
    assert digest(model) == before
    assert "training rows [" in caught.value.where


def test_making_a_trainer_costs_nothing() -> None:
    model, _ = problem()
    started = time.process_time()
    for _ in range(1000):
        Trainer(model, adamw(model, QUICK), QUICK.clip)
    assert (time.process_time() - started) / 1000 < 0.002
