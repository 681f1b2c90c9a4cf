"""Parts of a checkpoint: what is refused, what is kept, what is said."""

import signal
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError, NumericFault
from tastemaker.train.checkpoints import (
    Checkpoints,
    Progress,
    StopSignal,
    check_identity,
    load_weights,
    refuse_non_finite,
)


def parts() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), 0.1)
    model(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_everything_comes_back(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {"lr": 0.1})
    progress = Progress(step=7, epoch=2, batch=1, loss=3.5, targets=9, history=[0.1, 0.4, 0.3])
    state = torch.get_rng_state()
    kept.save(model, optimizer, progress, {"weight": torch.zeros(2)})
    torch.rand(5)
    fresh, other = parts()
    with torch.no_grad():
        fresh.weight.zero_()  # type: ignore[operator, union-attr]
    found = Progress()
    best = kept.load(fresh, other, found)
    assert found == progress
    assert best is not None
    assert torch.equal(best["weight"], torch.zeros(2))
    assert torch.equal(torch.get_rng_state(), state)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, fresh.state_dict()[name])
    state_of = [one.state_dict()["state"] for one in (other, optimizer)]
    for at, parts_of in state_of[1].items():
        for name, tensor in parts_of.items():
            assert torch.equal(tensor, state_of[0][at][name])


def test_only_the_newest_two_are_kept(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    for step in (9, 10, 11, 100):
        kept.save(model, optimizer, Progress(step=step), {})
    names = sorted(path.name for path in kept.folder.iterdir())
    assert names == ["latest", "step-100", "step-11"]
    assert artifacts.pointed(kept.folder / "latest") == kept.folder / "step-100"


def test_a_validation_replaces_the_checkpoint_of_its_step(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=5, epoch=0, batch=5), {})
    kept.save(model, optimizer, Progress(step=5, epoch=1, history=[0.5]), {})
    found = Progress()
    kept.load(*parts(), found)
    assert (found.epoch, found.history) == (1, [0.5])


def test_progress_knows_its_best() -> None:
    assert Progress().best == float("-inf")
    assert Progress().stale == 0
    assert Progress(history=[0.1, 0.3, 0.2, 0.3]).best == 0.3
    assert Progress(history=[0.1, 0.3, 0.2, 0.3]).stale == 2


def test_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), {})

    class Two:
        num_processes, process_index, is_main_process = 2, 0, True

    again = Checkpoints(tmp_path, Two(), {})  # type: ignore[arg-type]
    with pytest.raises(ArtefactError, match="number of processes"):
        again.load(model, optimizer, Progress())


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    files.save_tensors(tmp_path / "a.safetensors", nn.Linear(3, 5).state_dict())
    with pytest.raises(ArtefactError, match="Tensor bias does not fit") as caught:
        load_weights(nn.Linear(3, 2), tmp_path / "a.safetensors")
    assert (caught.value.expected, caught.value.got) == ("(2,)", "(5,)")
    files.save_tensors(tmp_path / "b.safetensors", {"weight": torch.ones(2, 3)})
    with pytest.raises(ArtefactError, match="no such tensor"):
        load_weights(nn.Linear(3, 2), tmp_path / "b.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_weights_are_not_written(tmp_path: Path, value: float) -> None:
    table = torch.ones(9, 4)
    table[3, 2] = value
    with pytest.raises(NumericFault, match="items are not finite") as caught:
        refuse_non_finite({"count": torch.ones(2, dtype=torch.int64), "items": table})
    assert "rows [3]" in caught.value.where
    model, optimizer = parts()
    with torch.no_grad():
        model.weight[0, 0] = value  # type: ignore[index, operator, union-attr]
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    with pytest.raises(NumericFault):
        kept.save(model, optimizer, Progress(step=1), {})
    assert not (tmp_path / "checkpoints").exists()


def test_identity_names_the_field(tmp_path: Path) -> None:
    check_identity(tmp_path, {"a": 1}, {"a": 1, "b": 2})
    with pytest.raises(ArtefactError, match="a differs") as caught:
        check_identity(tmp_path, {"a": 1}, {"a": 2})
    assert (caught.value.expected, caught.value.got) == ("2", "1")


def test_signals_are_heard_and_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopSignal.listen() as stop:
        assert not stop.asked
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
    assert signal.getsignal(signal.SIGINT) is before


def test_latest_never_names_a_checkpoint_that_is_being_replaced(tmp_path: Path) -> None:
    """After a validation the same step is written again: until that stands, the first one does."""
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    model, optimizer = parts()
    kept.save(model, optimizer, Progress(step=4), model.state_dict())
    first = artifacts.pointed(kept.folder / "latest")
    kept.save(model, optimizer, Progress(step=4, epoch=1), model.state_dict())
    second = artifacts.pointed(kept.folder / "latest")
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == ("step-4", "step-4-validated")
    artifacts.verify(first, "checkpoint")  # a kill between the two would have found it
    kept.save(model, optimizer, Progress(step=4, epoch=1), model.state_dict())
    assert artifacts.pointed(kept.folder / "latest") == second
