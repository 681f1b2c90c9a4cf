"""Checkpoints of a training: everything the next step depends on, written whole or not at all.

`checkpoints/step-N/` is an artefact: model, optimiser and best weights, the random state of every
process, and the position reached. `checkpoints/latest` names the newest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tastemaker import artifacts, files, pointers
from tastemaker.counts import counted
from tastemaker.errors import ArtefactError, NumericFault
from tastemaker.files import JsonObject
from tastemaker.train.processes import parted, whole
from tastemaker.train.progress import Progress
from tastemaker.train.randomness import CPU, DEVICE, random_state, restore

KIND = "checkpoint"
MODEL, BEST, OPTIMIZER, RANDOM = (
    f"{name}.safetensors" for name in ("model", "best", "optimizer", "random")
)
_KEPT = 2
_VALIDATED = "-validated"


class Checkpoints:
    """The `checkpoints/` folder of one run."""

    def __init__(self, run: Path, accelerator: Accelerator, identity: JsonObject) -> None:
        """Open the folder and remove what a killed process left half-written.

        Args:
            run: The run directory.
            accelerator: Gathers the random state of every process.
            identity: JSON values that must be the same when a run is resumed.
        """
        self.folder, self.accelerator, self.identity = run / "checkpoints", accelerator, identity
        if accelerator.is_main_process:
            artifacts.sweep(run)
            artifacts.sweep(self.folder)

    def save(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        best: Mapping[str, Tensor],
    ) -> None:
        """Write `step-N` and point `latest` at it; older ones go, but for the one before."""
        random = gathered_random_state(self.accelerator)
        state, moments = whole(model.state_dict()), whole(flat(optimizer))
        final = self.folder / f"step-{progress.step}"
        pointer = self.folder / "latest"
        if not self.accelerator.is_main_process:
            return
        newest = pointers.pointed(pointer)
        if newest is not None and _stands_for(newest, progress):
            return
        if final == newest:
            # The same step before and after its validation: both stand until `latest` moves on.
            final = final.with_name(f"{final.name}{_VALIDATED}")
        if final.exists():
            shutil.rmtree(final)  # left by a process that was killed before `latest` named it
        refuse_non_finite(state)
        meta = {"progress": asdict(progress), **self.identity}
        with artifacts.staged(final, KIND, meta) as partial:
            files.save_tensors(partial / MODEL, state)
            files.save_tensors(partial / BEST, best)
            files.save_tensors(partial / OPTIMIZER, moments)
            files.save_tensors(partial / RANDOM, random)
        pointers.point(pointer, final.name)
        self._prune(final)

    def progress(self) -> Progress | None:
        """How far the newest checkpoint says it had come; `load` checks the rest of it."""
        newest = pointers.pointed(self.folder / "latest")
        if newest is None:
            return None
        return Progress.read(artifacts.meta_of(newest).get("progress"), newest)

    def load(
        self, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[Progress, dict[str, Tensor]] | None:
        """Restore the newest checkpoint into a model, its optimiser and the random state.

        Returns:
            How far it had come and the best weights so far; None when there is no checkpoint yet.

        Raises:
            ArtefactError: If it is damaged or belongs to another model, data or configuration.
        """
        newest = pointers.pointed(self.folder / "latest")
        if newest is None:
            return None
        meta = artifacts.verify(newest, KIND, (MODEL, BEST, OPTIMIZER, RANDOM))
        check_identity(newest, self.identity, meta)
        progress = Progress.read(meta.get("progress"), newest)
        best = files.load_tensors(newest / BEST)
        check_tensors(newest / BEST, best, model.state_dict())
        load_weights(model, newest / MODEL)
        load_optimizer(optimizer, newest / OPTIMIZER)
        self._load_random_state(newest / RANDOM)
        return progress, best

    def _load_random_state(self, path: Path) -> None:
        """Set the random state of this process.

        One of another kind of device is passed over: there the arithmetic differs as well.
        """
        states, device = files.load_tensors(path), self.accelerator.device
        mine, count = random_state(device), self.accelerator.num_processes
        if DEVICE not in mine.keys() & states.keys():
            mine.pop(DEVICE, None)
            states.pop(DEVICE, None)
        rows = states.get(CPU, mine[CPU][:0])
        if rows.dim() == 2 and len(rows) != count:
            fix = "Resume with as many processes as before."
            what, want = "Another number of processes", counted(len(rows), "process")
            raise ArtefactError(str(path.parent), what, want, str(count), fix)
        check_tensors(path, states, {name: one.expand(count, -1) for name, one in mine.items()})
        # Rows of their own: a generator reads the storage from its beginning.
        own = {n: rows[self.accelerator.process_index].clone() for n, rows in states.items()}
        try:
            restore(own, device)
        except RuntimeError as error:
            what, want = "Random state cannot be restored", "a state of this generator"
            fix = "Restore the folder from a copy, or start anew."
            raise ArtefactError(str(path), what, want, str(error), fix) from None

    def _prune(self, newest: Path) -> None:
        """Keep `newest` and the one before."""
        others = {*self.folder.glob("step-*")} - {newest}
        for path in sorted(others, key=_order)[: 1 - _KEPT]:
            shutil.rmtree(path)


def has_checkpoint(run: Path) -> bool:
    """Whether a run directory has a checkpoint to go on from."""
    return pointers.pointed(run / "checkpoints" / "latest") is not None


def check_identity(where: Path, wanted: JsonObject, held: JsonObject) -> None:
    """Refuse to go on when something that shapes the weights differs; names the innermost field."""
    for name, value in wanted.items():
        if differing := _differing(name, held.get(name), value):
            what, had, got = differing
            fix = "Resume with the same options and data, or start anew in another folder."
            said = f"{what} differs from the run's"
            raise ArtefactError(str(where), said, f"{had!r:.200}", f"{got!r:.200}", fix)


def _differing(name: str, held: object, wanted: object) -> tuple[str, object, object] | None:
    """The first part that differs, with what is held and what is wanted; None: nothing does."""
    if held == wanted:
        return None
    parts: Iterable[tuple[str, object, object]] = ()
    if isinstance(held, dict) and isinstance(wanted, dict) and held.keys() == wanted.keys():
        parts = ((f"{name}.{key}", held[key], wanted[key]) for key in wanted)
    elif isinstance(held, list) and isinstance(wanted, list) and len(held) == len(wanted):
        pairs = enumerate(zip(held, wanted, strict=True))
        parts = ((f"{name}[{number}]", *pair) for number, pair in pairs)
    inner = (_differing(*part) for part in parts)
    return next((one for one in inner if one), (name, held, wanted))


def load_weights(model: nn.Module, path: Path) -> None:
    """Load weights that fit the model.

    Raises:
        ArtefactError: On the first tensor that `check_tensors` refuses.
    """
    tensors, expected = files.load_tensors(path), model.state_dict()
    check_tensors(path, tensors, expected)
    model.load_state_dict({name: parted(t, expected[name]) for name, t in tensors.items()})


def check_tensors(
    path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Refuse tensors of a file that are not those expected: names, shapes, types, finite values.

    Raises:
        ArtefactError: On the first that is missing, unexpected, of another shape or type, or not
            finite.
    """
    for name in sorted(expected.keys() | tensors.keys()):
        want, got = (_form(group.get(name)) for group in (expected, tensors))
        if want != got:
            fix = "Use the data and options the model was trained with."
            raise ArtefactError(str(path), f"Tensor {name} does not fit", want, got, fix)
        if tensors[name].is_floating_point() and not torch.isfinite(tensors[name]).all():
            what, fix = f"Tensor {name} is damaged", "Restore the folder from a copy."
            raise ArtefactError(str(path), what, "finite values", "NaN or infinity", fix)


def _form(tensor: Tensor | None) -> str:
    if tensor is None:
        return "no such tensor"
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def refuse_non_finite(tensors: Mapping[str, Tensor]) -> None:
    """Stop before weights with NaN or infinity are written, naming tensor and rows."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            rows = (~torch.isfinite(tensor.reshape(len(tensor), -1)).all(1)).nonzero().flatten()
            what = f"Weights {name} are not finite."
            fix = "Nothing was written; the last checkpoint is sound."
            raise NumericFault(what, f"rows {rows[:8].tolist()} of {name}", fix)


def flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments of an optimiser, each under the number of its parameter and its own name."""
    state: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": t for number, moments in state.items() for name, t in moments.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    """Restore the moments of every parameter that has had a gradient."""
    parameters = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    tensors = files.load_tensors(path)
    expected: dict[str, Tensor] = {}
    for number, parameter in enumerate(parameters):
        moments = {"step": torch.zeros(()), "exp_avg": parameter, "exp_avg_sq": parameter}
        if any(f"{number}.{name}" in tensors for name in moments):
            expected |= {f"{number}.{name}": like for name, like in moments.items()}
    check_tensors(path, tensors, expected)
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        owner, name = key.split(".", 1)
        state.setdefault(int(owner), {})[name] = parted(tensor, parameters[int(owner)])
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def gathered_random_state(accelerator: Accelerator) -> dict[str, Tensor]:
    """The states of all processes, a row each."""
    mine = random_state(accelerator.device)
    rows = {name: one[None].to(accelerator.device) for name, one in mine.items()}
    return {name: accelerator.gather(row).cpu() for name, row in rows.items()}


def _order(path: Path) -> tuple[int, bool]:
    """Step of a checkpoint, and whether it was written after that step's validation."""
    name = path.name.removeprefix("step-")
    return int(name.removesuffix(_VALIDATED)), name.endswith(_VALIDATED)


def _stands_for(folder: Path, progress: Progress) -> bool:
    """Whether a checkpoint holds this step and epoch already."""
    held = Progress.read(artifacts.meta_of(folder).get("progress"), folder)
    return (held.step, held.epoch) == (progress.step, progress.epoch)
