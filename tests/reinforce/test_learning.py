"""What nothing can be learned by is refused; TRL gets the same configuration by its own names."""

from pathlib import Path
from typing import Any

import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.learning import LOSSES, LearningConfig, trainer_config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1), ("n", True), ("prompts_per_step", 0), ("steps", 0), ("iterations", 0),
        ("micro", 0),
        ("save_every", 0), ("max_tokens", 0), ("lr", 0.0), ("lr", float("nan")), ("beta", -1.0),
        ("epsilon", 0.0), ("clip", -1.0), ("loss_type", "ppo"), ("level", "word"),
        ("temperature", 0.0),
        ("n", 10**9), ("prompts_per_step", 10**12), ("steps", 10**15), ("iterations", 10**9),
        ("micro", 10**12), ("lr", 5e3), ("temperature", 1e9), ("beta", 1e9),
    ],
)  # fmt: skip
def test_what_teaches_nothing_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(BadInput) as fault:
        LearningConfig(**{name: value})
    assert fault.value.where == f"--{name.replace('_', '-')}"


def test_what_is_too_much_is_told_as_that() -> None:
    with pytest.raises(BadInput) as fault:
        LearningConfig(lr=5e3)
    assert "less than 1,000" in fault.value.fix and "5000" in fault.value.what
    with pytest.raises(BadInput) as fault:  # its order alone would fill the memory
        LearningConfig(steps=10_000_000, prompts_per_step=1000)
    assert fault.value.where == "--steps"


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_of_trl_can_be_taken(tmp_path: Path, loss: str) -> None:
    pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")
    args = trainer_config(LearningConfig(loss_type=loss), tmp_path, 1, cpu=True)
    assert args.loss_type == loss and args.beta == 0 and args.report_to == []


@pytest.mark.parametrize(
    ("n", "prompts", "micro", "size"),
    [(16, 4, 16, 16), (6, 2, 5, 4), (3, 1, 9, 3), (3, 1, 10_000_000, 3)],
)
def test_a_step_is_parted_into_passes_that_fit(
    tmp_path: Path, n: int, prompts: int, micro: int, size: int
) -> None:
    pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")
    learning = LearningConfig(n=n, prompts_per_step=prompts, micro=micro, iterations=2, steps=5)
    args = trainer_config(learning, tmp_path, 1, cpu=True)
    assert args.per_device_train_batch_size == size
    assert args.generation_batch_size == n * prompts
    assert args.max_steps == 10 and args.num_iterations == 2


def test_answers_that_processes_cannot_share_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")
    with pytest.raises(BadInput):
        trainer_config(LearningConfig(n=3, prompts_per_step=1), tmp_path, 2, cpu=True)
