"""What a training draws by chance is gone on with, on whatever device."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from tastemaker.train.checkpoints import Checkpoints
from tastemaker.train.progress import Progress
from tastemaker.train.randomness import random_state, restore

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def second_generator(monkeypatch: pytest.MonkeyPatch) -> torch.Generator:
    """Stands for that of a GPU."""
    generator = torch.Generator().manual_seed(7)
    module = SimpleNamespace(
        get_rng_state=lambda device: generator.get_state(),
        set_rng_state=lambda state, device: generator.set_state(state),
    )
    monkeypatch.setattr(torch, "get_device_module", lambda device: module)
    return generator


def test_the_same_is_drawn_again() -> None:
    before = random_state(CPU)
    drawn = torch.rand(5)
    restore(before, CPU)
    assert torch.equal(torch.rand(5), drawn)


def test_a_device_draws_the_same_again(second_generator: torch.Generator) -> None:
    before = random_state(GPU)
    drawn = torch.rand(5), torch.rand(5, generator=second_generator)
    restore(before, GPU)
    assert torch.equal(torch.rand(5), drawn[0])
    assert torch.equal(torch.rand(5, generator=second_generator), drawn[1])


def test_a_device_of_which_nothing_is_kept_draws_on(second_generator: torch.Generator) -> None:
    before = random_state(CPU)
    (first, _) = (torch.rand(5, generator=second_generator) for _ in range(2))
    restore(before, GPU)
    assert not torch.equal(torch.rand(5, generator=second_generator), first)


def test_a_checkpoint_of_a_gpu_is_gone_on_with_on_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    state = random_state(CPU)
    both = state | {"device": torch.zeros(16, dtype=torch.uint8)}
    with monkeypatch.context() as patch:
        patch.setattr("tastemaker.train.checkpoints.random_state", lambda device: both)
        kept.save(model, optimizer, Progress(step=1), model.state_dict())
    torch.rand(5)
    assert kept.load(model, optimizer) is not None
    assert torch.equal(random_state(CPU)["state"], state["state"])
