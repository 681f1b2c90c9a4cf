"""Checkpoints of a training by TRL: everything its next step depends on, and never a pickle.

`checkpoints/step-N/` is an artefact, whole or not there: the weights that learn, the optimiser's
moments, the random state of every process, and the position reached as transformers keeps it.
`checkpoints/latest` names the newest, and the one before it stays.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tastemaker import artifacts, pointers
from tastemaker.counts import counted
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject, load_tensors, save_tensors
from tastemaker.train.checkpoints import (
    check_identity,
    check_tensors,
    flat,
    gathered_random_state,
    load_optimizer,
    load_weights,
    refuse_non_finite,
)
from tastemaker.train.randomness import CPU, DEVICE, random_state, restore

KIND = "reinforcement-checkpoint"
STATE = "trainer_state.json"
"""As transformers calls it."""
MODEL, OPTIMIZER, RANDOM = (f"{n}.safetensors" for n in ("model", "optimizer", "random"))
_KEPT = 2


class TrainerCheckpoints:
    """The `checkpoints/` folder of one run."""

    def __init__(self, run: Path, identity: JsonObject) -> None:
        """Name the folder.

        Args:
            run: The run directory.
            identity: JSON values that must be the same when a run is resumed.
        """
        self.folder, self.identity = run / "checkpoints", identity

    def save(self, trainer: Any) -> None:
        """Write what a `Trainer` depends on, and point `latest` at it; all processes call this.

        Raises:
            NumericFault: If a weight is not finite; nothing is written then.
            OutOfResources: If the disk is full or may not be written.
        """
        random = gathered_random_state(trainer.accelerator)
        if not trainer.accelerator.is_main_process:
            return
        step = int(trainer.state.global_step)
        final = self.folder / f"step-{step}"
        newest = pointers.pointed(self.folder / "latest")
        if final == newest:
            return
        artifacts.sweep(self.folder)
        if final.exists():
            shutil.rmtree(final)  # left by a process that was killed before `latest` named it
        weights = trainer.model.state_dict()
        refuse_non_finite(weights)
        with artifacts.staged(final, KIND, {"step": step, **self.identity}) as partial:
            save_tensors(partial / MODEL, weights)
            save_tensors(partial / OPTIMIZER, flat(trainer.optimizer))
            save_tensors(partial / RANDOM, random)
            trainer.state.save_to_json(str(partial / STATE))
        pointers.point(self.folder / "latest", final.name)
        older = sorted(self.folder.glob("step-*"), key=lambda path: int(path.name[5:]))
        for path in [path for path in older if path != final][: 1 - _KEPT]:
            shutil.rmtree(path)

    def newest(self) -> tuple[Path, int] | None:
        """The newest checkpoint, checked, and its step; None: there is none.

        Raises:
            ArtefactError: If it is damaged or belongs to another model, data or options.
        """
        folder = pointers.pointed(self.folder / "latest")
        if folder is None:
            return None
        meta = artifacts.verify(folder, KIND, (MODEL, OPTIMIZER, RANDOM, STATE))
        check_identity(folder, self.identity, meta)
        return folder, int(meta["step"])


def load_policy(trainer: Any, folder: Path) -> None:
    """The weights that learn, as they were."""
    load_weights(trainer.model, folder / MODEL)


def load_moments(trainer: Any, folder: Path) -> None:
    """The optimiser as it was, and the rate as the steps so far have left it."""
    load_optimizer(trainer.optimizer, folder / OPTIMIZER)
    schedule, step = trainer.lr_scheduler, int(trainer.state.global_step)
    pairs = zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
    rates = [rate * part(step) for rate, part in pairs]
    schedule.load_state_dict(
        schedule.state_dict() | {"last_epoch": step, "_step_count": step + 1, "_last_lr": rates}
    )
    for group, rate in zip(trainer.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate


def load_random_state(trainer: Any, folder: Path) -> None:
    """Go on drawing from where this process was.

    Raises:
        ArtefactError: If there were other processes then.
    """
    device, states = trainer.accelerator.device, load_tensors(folder / RANDOM)
    mine, count = random_state(device), trainer.accelerator.num_processes
    if DEVICE not in mine.keys() & states.keys():  # another kind of device computes otherwise too
        mine.pop(DEVICE, None)
        states.pop(DEVICE, None)
    rows = states.get(CPU, mine[CPU][:0])
    if rows.dim() == 2 and len(rows) != count:
        fix, want = "Resume with as many processes as before.", counted(len(rows), "process")
        what = "Another number of processes"
        raise ArtefactError(str(folder), what, want, str(count), fix)
    check_tensors(folder / RANDOM, states, {n: one.expand(count, -1) for n, one in mine.items()})
    process = trainer.accelerator.process_index
    restore({name: rows[process].clone() for name, rows in states.items()}, device)
