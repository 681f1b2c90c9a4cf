"""What every trainer by TRL here does beside TRL; how it goes on is tested where each one is."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="needs tastemaker[rl]")

from tastemaker.errors import NumericFault
from tastemaker.reinforce.resumable import ResumableTrainer


def bare() -> Any:
    """A trainer that was never built: what is tested reads its state alone."""
    trainer = ResumableTrainer.__new__(ResumableTrainer)
    trainer.state = SimpleNamespace(global_step=3)
    trainer.args = SimpleNamespace(steps_per_generation=2, gradient_accumulation_steps=1)
    trainer.num_iterations = 2
    return trainer


def test_a_loss_that_is_not_finite_names_the_step_and_the_prompts() -> None:
    trainer = bare()
    loss = torch.tensor(1.0)
    assert trainer._checked(loss, {}) is loss
    with pytest.raises(NumericFault) as fault:
        trainer._checked(loss * float("nan"), {"number": torch.tensor([5, 5, 2])})
    assert fault.value.where == "step 4, prompts [2, 5]"
    with pytest.raises(NumericFault) as fault:
        trainer._checked(loss / 0, {})
    assert fault.value.where == "step 4"


@pytest.mark.parametrize(("step", "done"), [(0, True), (1, False), (3, False), (4, True)])
def test_checkpoints_are_written_where_a_batch_is_used_up(step: int, done: bool) -> None:
    trainer = bare()
    trainer.state.global_step = step
    saved: list[Any] = []
    trainer.kept = SimpleNamespace(save=saved.append)
    trainer._save_checkpoint(None, None)
    assert trainer._batch_is_done() == done and bool(saved) == done


def test_it_tells_nobody_but_its_watcher() -> None:
    assert bare()._send_telemetry() is None
