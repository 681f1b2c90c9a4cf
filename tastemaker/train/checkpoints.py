"""Checkpoints of a training: everything the next step depends on, written whole or not at all.

`checkpoints/step-N/` is an artefact: model, optimiser and best weights, the random state of every
process, and the position reached. `checkpoints/latest` names the newest.
"""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError, NumericFault, TastemakerError
from tastemaker.train.processes import parted, whole

KIND = "checkpoint"
_KEPT = 2
_VALIDATED = "-validated"


@dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    """optimiser steps done."""
    epoch: int = 0
    """whole epochs done."""
    batch: int = 0
    """batches done in the running epoch."""
    loss: float = 0.0
    """training loss summed over targets since the last validation."""
    targets: int = 0
    """targets since the last validation."""
    history: list[float] = field(default_factory=list)
    """the selecting metric at every validation so far."""

    @property
    def best(self) -> float:
        """Highest validation value so far; −inf before the first."""
        return max(self.history, default=float("-inf"))

    @property
    def stale(self) -> int:
        """Validations since the best one."""
        return len(self.history) - 1 - self.history.index(self.best) if self.history else 0


class StopSignal(TastemakerError):
    """SIGTERM or Ctrl-C: the loop saves a checkpoint and leaves with this."""

    exit_code = 143

    def __init__(self) -> None:
        super().__init__("Training was stopped from outside.", "", "Go on with --resume.")
        self.asked = False

    @classmethod
    @contextmanager
    def listen(cls) -> Iterator[StopSignal]:
        """While inside, SIGTERM and SIGINT set `asked` instead of ending the process."""
        stop = cls()
        if threading.current_thread() is not threading.main_thread():
            yield stop
            return

        def ask(number: int, frame: object) -> None:
            stop.asked = True

        old = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield stop
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


class Checkpoints:
    """The `checkpoints/` folder of one run."""

    def __init__(self, run: Path, accelerator: Accelerator, identity: Mapping[str, Any]) -> None:
        """Open the folder and remove what a killed process left half-written.

        Args:
            run: The run directory.
            accelerator: Gathers the random state of every process.
            identity: JSON values that must be the same when a run is resumed.
        """
        self.folder, self.accelerator, self.identity = run / "checkpoints", accelerator, identity
        if accelerator.is_main_process:
            artifacts.sweep(self.folder)

    def save(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        best: Mapping[str, Tensor],
    ) -> None:
        """Write `step-N` and point `latest` at it; older ones go, but for the one before."""
        random = _gathered_random_state(self.accelerator)
        state, moments = whole(model.state_dict()), whole(_flat(optimizer))
        final = self.folder / f"step-{progress.step}"
        pointer = self.folder / "latest"
        if not self.accelerator.is_main_process:
            return
        newest = artifacts.pointed(pointer)
        if newest is not None and _stands_for(newest, progress):
            return
        if final == newest:
            # The same step before and after its validation: both stand until `latest` moves on.
            final = final.with_name(f"{final.name}{_VALIDATED}")
        if final.exists():
            shutil.rmtree(final)  # left by a process that was killed before `latest` named it
        refuse_non_finite(state)
        with artifacts.staged(final, KIND, {"progress": asdict(progress), **self.identity}) as at:
            files.save_tensors(at / "model.safetensors", state)
            files.save_tensors(at / "best.safetensors", best)
            files.save_tensors(at / "optimizer.safetensors", moments)
            files.save_tensors(at / "random.safetensors", {"state": random})
        artifacts.point(pointer, final.name)
        self._prune(final)

    def load(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
    ) -> dict[str, Tensor] | None:
        """Restore the newest checkpoint into the arguments and return the best weights.

        Returns:
            None when there is no checkpoint yet.

        Raises:
            ArtefactError: If it is damaged or belongs to another model, data or configuration.
        """
        newest = artifacts.pointed(self.folder / "latest")
        if newest is None:
            return None
        meta = artifacts.verify(newest, KIND)
        check_identity(newest, self.identity, meta)
        load_weights(model, newest / "model.safetensors")
        _load_optimizer(optimizer, files.load_tensors(newest / "optimizer.safetensors"))
        random = files.load_tensors(newest / "random.safetensors")["state"]
        if len(random) != self.accelerator.num_processes:
            want, got = f"{len(random)} processes", str(self.accelerator.num_processes)
            fix = "Resume with as many processes as before."
            raise ArtefactError(str(newest), "Another number of processes", want, got, fix)
        # A row of its own: the generator reads the storage from its beginning.
        torch.set_rng_state(random[self.accelerator.process_index].clone())
        for name, value in meta["progress"].items():
            setattr(progress, name, value)
        return files.load_tensors(newest / "best.safetensors")

    def _prune(self, newest: Path) -> None:
        """Keep `newest` and the one before."""
        others = {*self.folder.glob("step-*")} - {newest}
        for path in sorted(others, key=_order)[: 1 - _KEPT]:
            shutil.rmtree(path)


def has_checkpoint(run: Path) -> bool:
    """Whether a run directory has a checkpoint to go on from."""
    return artifacts.pointed(run / "checkpoints" / "latest") is not None


def check_identity(where: Path, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Refuse to go on when something that shapes the weights differs; names the field."""
    for name, value in wanted.items():
        if found.get(name) != value:
            fix = "Resume with the same options and data, or start anew in another folder."
            raise ArtefactError(
                str(where),
                f"{name} differs from the run's",
                repr(found.get(name)),
                repr(value),
                fix,
            )


def load_weights(model: nn.Module, path: Path) -> None:
    """Load weights whose names and shapes equal the model's.

    Raises:
        ArtefactError: On the first tensor that is missing, unexpected or of another shape.
    """
    tensors, expected = files.load_tensors(path), model.state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        want = tuple(expected[name].shape) if name in expected else "no such tensor"
        got = tuple(tensors[name].shape) if name in tensors else "no such tensor"
        if want != got:
            fix = "Use the data and options the model was trained with."
            raise ArtefactError(str(path), f"Tensor {name} does not fit", str(want), str(got), fix)
    model.load_state_dict({name: parted(t, expected[name]) for name, t in tensors.items()})


def refuse_non_finite(tensors: Mapping[str, Tensor]) -> None:
    """Stop before weights with NaN or infinity are written, naming tensor and rows."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            rows = (~torch.isfinite(tensor.reshape(len(tensor), -1)).all(1)).nonzero().flatten()
            what = f"Weights {name} are not finite."
            fix = "Nothing was written; the last checkpoint is sound."
            raise NumericFault(what, f"rows {rows[:8].tolist()} of {name}", fix)


def _flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    return {f"{at}.{name}": t for at, one in state.items() for name, t in one.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        at, name = key.split(".", 1)
        state.setdefault(int(at), {})[name] = parted(tensor, parameters[int(at)])
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def _gathered_random_state(accelerator: Accelerator) -> Tensor:
    mine = torch.get_rng_state()[None].to(accelerator.device)
    gathered: Tensor = accelerator.gather(mine)
    return gathered.cpu()


def _order(path: Path) -> tuple[int, bool]:
    """Step of a checkpoint, and whether it was written after that step's validation."""
    name = path.name.removeprefix("step-")
    return int(name.removesuffix(_VALIDATED)), name.endswith(_VALIDATED)


def _stands_for(folder: Path, progress: Progress) -> bool:
    """Whether a checkpoint holds this step and epoch already."""
    held = files.read_json(folder / artifacts.MANIFEST)["meta"]["progress"]
    return (held["step"], held["epoch"]) == (progress.step, progress.epoch)
