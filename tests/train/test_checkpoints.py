"""Parts of a checkpoint: what is refused, what is kept, what is said."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from tastemaker import artifacts, files, pointers
from tastemaker.errors import ArtefactError, NumericFault
from tastemaker.train.checkpoints import (
    Checkpoints,
    check_identity,
    load_weights,
    refuse_non_finite,
)
from tastemaker.train.progress import Progress


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
    best = {"weight": torch.zeros(2, 3), "bias": torch.ones(2)}
    kept.save(model, optimizer, progress, best)
    torch.rand(5)
    fresh, other = parts()
    with torch.no_grad():
        fresh.weight.zero_()  # type: ignore[operator, union-attr]
    found = kept.load(fresh, other)
    assert found is not None
    assert found[0] == progress
    assert found[1].keys() == best.keys()
    assert all(torch.equal(found[1][name], best[name]) for name in best)
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
    assert pointers.pointed(kept.folder / "latest") == kept.folder / "step-100"


def test_a_validation_replaces_the_checkpoint_of_its_step(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=5, epoch=0, batch=5), model.state_dict())
    kept.save(model, optimizer, Progress(step=5, epoch=1, history=[0.5]), model.state_dict())
    held = kept.load(*parts())
    assert held is not None
    assert (held[0].epoch, held[0].history) == (1, [0.5])


def test_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), model.state_dict())

    class Two:
        num_processes, process_index, is_main_process = 2, 0, True
        device = torch.device("cpu")

    again = Checkpoints(tmp_path, Two(), {})  # type: ignore[arg-type]
    with pytest.raises(ArtefactError, match="number of processes"):
        again.load(model, optimizer)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    files.save_tensors(tmp_path / "a.safetensors", nn.Linear(3, 5).state_dict())
    with pytest.raises(ArtefactError, match="Tensor bias does not fit") as caught:
        load_weights(nn.Linear(3, 2), tmp_path / "a.safetensors")
    assert (caught.value.expected, caught.value.got) == ("(2,) float32", "(5,) float32")
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
    shape = {"layers": 1, "verifiers": ["text", "random"], "inner": {"dim": 8, "x": 0}}
    other = {"layers": 1, "verifiers": ["text", "category"], "inner": {"dim": 16, "x": 0}}
    with pytest.raises(ArtefactError, match=r"shape\.verifiers\[1\] differs") as caught:
        check_identity(tmp_path, {"shape": shape}, {"shape": other})
    assert (caught.value.expected, caught.value.got) == ("'category'", "'random'")
    fewer = other | {"verifiers": ["text"]}
    with pytest.raises(ArtefactError, match=r"shape\.verifiers differs"):
        check_identity(tmp_path, {"shape": shape}, {"shape": fewer})


def test_latest_never_names_a_checkpoint_that_is_being_replaced(tmp_path: Path) -> None:
    """After a validation the same step is written again: until that stands, the first one does."""
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    model, optimizer = parts()
    kept.save(model, optimizer, Progress(step=4), model.state_dict())
    first = pointers.pointed(kept.folder / "latest")
    kept.save(model, optimizer, Progress(step=4, epoch=1), model.state_dict())
    second = pointers.pointed(kept.folder / "latest")
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == ("step-4", "step-4-validated")
    artifacts.verify(first, "checkpoint")  # a kill between the two would have found it
    kept.save(model, optimizer, Progress(step=4, epoch=1), model.state_dict())
    assert pointers.pointed(kept.folder / "latest") == second


def forged(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    """A change of a file's tensors, whatever they are."""

    def apply(path: Path) -> None:
        tensors = files.load_tensors(path)
        change(tensors)
        files.save_tensors(path, tensors)

    return apply


def first(tensors: dict[str, torch.Tensor]) -> str:
    return next(name for name in sorted(tensors) if tensors[name].dim())


WRONG = {
    "a NaN": lambda t: t[first(t)].view(-1)[:1].fill_(float("nan")),
    "infinity": lambda t: t[first(t)].view(-1)[:1].fill_(float("inf")),
    "another type": lambda t: t.update({first(t): t[first(t)].to(torch.int8)}),
    "another shape": lambda t: t.update({first(t): t[first(t)][..., :1].clone()}),
    "one too few": lambda t: t.pop(first(t)),
    "one too many": lambda t: t.update({"9.exp_avg": torch.ones(1)}),
}


FORGED = [
    (name, wrong)
    for name in ("model", "best", "optimizer", "random")
    for wrong in WRONG
    if name != "random" or wrong not in ("a NaN", "infinity")  # bytes are finite
]


@pytest.mark.parametrize(("name", "wrong"), FORGED)
def test_tensors_that_no_training_wrote_are_refused(tmp_path: Path, name: str, wrong: str) -> None:
    """Though the manifest vouches for them: a folder may be sealed by anybody."""
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), model.state_dict())
    folder = kept.folder / "step-1"
    forged(WRONG[wrong])(folder / f"{name}.safetensors")  # type: ignore[arg-type]
    seal_again(folder, artifacts.meta_of(folder))
    with pytest.raises(ArtefactError) as caught:
        kept.load(model, optimizer)
    assert f"{name}.safetensors" in caught.value.file


def seal_again(folder: Path, meta: dict[str, object]) -> None:
    names = [path.name for path in folder.glob("*.safetensors")]
    artifacts.seal(folder, "checkpoint", meta, names)
    pointers.point(folder.parent / "latest", folder.name)


@pytest.mark.parametrize("content", [b"", b"\xff" * 5056])
def test_a_random_state_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), model.state_dict())
    folder = kept.folder / "step-1"
    state = torch.frombuffer(bytearray(content or b"x"), dtype=torch.uint8)[None]
    files.save_tensors(folder / "random.safetensors", {"state": state})
    seal_again(folder, artifacts.meta_of(folder))
    with pytest.raises(ArtefactError):
        kept.load(model, optimizer)


def test_another_checkpoint_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), model.state_dict())
    folder = kept.folder / "step-1"
    names = [path.name for path in folder.glob("*.safetensors")]
    meta = artifacts.meta_of(folder)
    meta["progress"]["step"] = 9
    artifacts.seal(folder, "checkpoint", meta, names)  # a sound manifest, but another one
    with pytest.raises(ArtefactError, match="replaced"):
        kept.load(model, optimizer)


def test_a_checkpoint_that_lacks_a_file_by_its_own_account_is_refused(tmp_path: Path) -> None:
    model, optimizer = parts()
    kept = Checkpoints(tmp_path, Accelerator(cpu=True), {})
    kept.save(model, optimizer, Progress(step=1), model.state_dict())
    folder = kept.folder / "step-1"
    meta = artifacts.meta_of(folder)
    (folder / "best.safetensors").unlink()
    seal_again(folder, meta)
    with pytest.raises(ArtefactError, match="other files"):
        kept.load(model, optimizer)
