"""Checkpoints of a federation: all that the next round depends on, written whole or not at all.

`checkpoints/round-N/` is an artefact: the global weights, SCAFFOLD's control, and what clients in
this process remember. `checkpoints/latest` names the newest, and the one before it stays.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tastemaker import artifacts, pointers
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject, load_tensors, save_tensors
from tastemaker.train.checkpoints import check_identity, check_tensors, refuse_non_finite

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

KIND = "federation-checkpoint"
WEIGHTS, CONTROL, CLIENTS = (f"{name}.safetensors" for name in ("weights", "control", "clients"))
_KEPT = 2


@dataclass(frozen=True, eq=False)
class Position:
    """Where a federation stands after a round."""

    round: int
    """0: before the first"""
    weights: Tensors
    """of the global model"""
    control: Tensors = field(default_factory=dict)
    """SCAFFOLD's c; empty with other methods"""
    clients: Tensors = field(default_factory=dict)
    """what clients remember"""
    cpu_seconds: float = 0.0
    """over all starts"""


class RoundCheckpoints:
    """The `checkpoints/` folder of one federation."""

    def __init__(self, out: Path, identity: JsonObject) -> None:
        """Open the folder and remove what a killed process left half-written.

        Args:
            out: Folder of the federation.
            identity: JSON values that must be the same when it is resumed.
        """
        self.folder, self.identity = out / "checkpoints", identity
        artifacts.sweep(out)
        artifacts.sweep(self.folder)

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return pointers.pointed(self.folder / "latest") is not None

    def save(self, position: Position) -> None:
        """Write `round-N` and point `latest` at it; older ones go, but for the one before.

        Raises:
            NumericFault: If a weight is not finite; nothing is written then.
            OutOfResources: If the disk is full or may not be written.
        """
        refuse_non_finite(position.weights)
        final = self.folder / f"round-{position.round}"
        if final.exists():
            shutil.rmtree(final)  # left by a process that was killed before `latest` named it
        told = {"round": position.round, "cpu_seconds": position.cpu_seconds}
        with artifacts.staged(final, KIND, {**told, **self.identity}) as partial:
            save_tensors(partial / WEIGHTS, position.weights)
            for name, tensors in ((CONTROL, position.control), (CLIENTS, position.clients)):
                if tensors:
                    save_tensors(partial / name, tensors)
        pointers.point(self.folder / "latest", final.name)
        older = {*self.folder.glob("round-*")} - {final}
        for path in sorted(older, key=lambda path: int(path.name[6:]))[: 1 - _KEPT]:
            shutil.rmtree(path)

    def load(self, like: Position) -> Position | None:
        """The newest position, checked; None: there is none.

        Args:
            like: Tensors of the shapes and types that it must have.

        Raises:
            ArtefactError: If it is damaged or belongs to another model, data or options.
        """
        newest = pointers.pointed(self.folder / "latest")
        if newest is None:
            return None
        meta = artifacts.verify(newest, KIND, (WEIGHTS,), (CONTROL, CLIENTS))
        check_identity(newest, self.identity, meta)
        weights, control, clients = (
            load_tensors(newest / name) if (newest / name).is_file() else {}
            for name in (WEIGHTS, CONTROL, CLIENTS)
        )
        check_tensors(newest / WEIGHTS, weights, like.weights)
        check_tensors(newest / CONTROL, control, like.control)
        number, seconds = meta.get("round"), meta.get("cpu_seconds")
        if type(number) is not int or type(seconds) is not float:
            what, fix = "Checkpoint does not say its round", "Restore the folder from a copy."
            raise ArtefactError(str(newest), what, "a whole number", repr(number), fix)
        return Position(number, weights, control, clients, seconds)
