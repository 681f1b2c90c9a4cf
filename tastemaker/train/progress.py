"""How far a training has come: what a checkpoint says beside its tensors."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from tastemaker.errors import ArtefactError

_LARGEST = 2**63 - 1
_WORDS = {"loss": "a number", "cpu_seconds": "a duration", "history": "numbers"}


@dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    """optimiser steps done."""
    epoch: int = 0
    """whole epochs done, validated where that was due."""
    batch: int = 0
    """batches done in the running epoch."""
    loss: float = 0.0
    """training loss summed over targets since the last validation."""
    targets: int = 0
    """targets since the last validation."""
    history: list[float] = field(default_factory=list)
    """the selecting metric at every validation so far."""
    stage: int = 0
    """stages done."""
    first_step: int = 0
    """steps that were done when the running stage began."""
    first_epoch: int = 0
    """epochs, likewise."""
    first_validation: int = 0
    """validations, likewise."""
    cpu_seconds: float = 0.0
    """of this process, over all starts."""

    @property
    def recent(self) -> list[float]:
        """The selecting metric at every validation of the running stage."""
        return self.history[self.first_validation :]

    @property
    def epochs(self) -> int:
        """Whole epochs of the running stage."""
        return self.epoch - self.first_epoch

    @property
    def best(self) -> float:
        """Highest validation value of the running stage; −inf before the first."""
        return max(self.recent, default=float("-inf"))

    @property
    def stale(self) -> int:
        """Validations since the best one."""
        recent = self.recent
        return len(recent) - 1 - recent.index(self.best) if recent else 0

    def begin(self) -> None:
        """Count the next stage from here."""
        self.stage += 1
        self.first_step, self.first_epoch = self.step, self.epoch
        self.first_validation = len(self.history)

    @classmethod
    def read(cls, stored: object, where: Path) -> Progress:
        """What a checkpoint says of itself.

        Raises:
            ArtefactError: If a part is missing, unknown, or not a value that a training reaches.
        """
        names = [part.name for part in fields(cls)]
        if isinstance(stored, dict):  # what was written before there were stages has had none
            later = [n for n in names if n in ("stage", "cpu_seconds") or n.startswith("first_")]
            stored = dict.fromkeys(later, 0) | stored
        if not isinstance(stored, dict) or sorted(stored) != sorted(names):
            fix = "Restore the folder from a copy, or start anew."
            raise ArtefactError(
                str(where), "Progress is damaged", ", ".join(names), repr(stored)[:200], fix
            )
        for name, value in stored.items():
            if not _possible(name, value):
                fix = "Restore the folder from a copy, or start anew."
                want = _WORDS.get(name, "a count")
                what = f"Progress has an impossible {name}"
                raise ArtefactError(str(where), what, want, repr(value)[:200], fix)
        return cls(**stored)


def _possible(name: str, value: object) -> bool:
    if name == "history":
        return isinstance(value, list) and all(map(_finite, value))
    if name == "cpu_seconds":
        return _finite(value) and value >= 0  # type: ignore[operator]
    if name == "loss":
        return _finite(value)
    return type(value) is int and 0 <= value <= _LARGEST


def _finite(value: object) -> bool:
    """Whether this is a number of a float's range; a comparison takes integers of any size."""
    return type(value) in (int, float) and -1.7e308 < value < 1.7e308  # type: ignore[operator]
