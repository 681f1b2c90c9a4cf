"""What a training by TRL says while it runs: a line a step, and a bar where a person watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tastemaker import records
from tastemaker.train.bar import Bar

METRICS = "metrics.jsonl"
HELD_OUT = "held_out"
"""Accuracy on held-out prompts, in a line of a step at which it was looked at."""
NAMES = {
    "step": "step",
    "loss": "loss",
    "votes/majority": "majority",
    "votes/distinct": "distinct",
    "votes/commonest": "commonest",
    "votes/unreadable": "unreadable",
    "votes/penalised": "penalised",
    "votes/correlation": "correlation",
    "votes/falling": "falling",
    "votes/pull": "pull",
    "votes/length": "length",
    "completions/clipped_ratio": "cut",
    HELD_OUT: HELD_OUT,
    "entropy": "entropy",
    "kl": "kl",
    "grad_norm": "gradient",
    "learning_rate": "lr",
    "step_time": "seconds",
    "seconds/advantages": "advantage_seconds",
}
"""The trainer's names → those of a line."""


class Journal(Bar):
    """Progress of one training."""

    def __init__(
        self,
        folder: Path,
        steps: int,
        shown: bool,
        names: Mapping[str, str] = NAMES,
        said: Sequence[str] = ("majority", "entropy", "loss"),
    ) -> None:
        """Prepare to write and to show.

        Args:
            folder: Where `metrics.jsonl` is written.
            steps: Of the whole training.
            shown: Whether this process speaks.
            names: The trainer's names → those of a line.
            said: Names that stand beside the bar.
        """
        super().__init__("step", steps, shown)
        self.path, self._names, self._said = folder / METRICS, names, said

    def start(self, step: int) -> None:
        """Begin after so many steps: lines of later ones are taken back."""
        super().start(step)
        if self.shown:
            records.keep(self.path, step)

    def watch(self, measured: Mapping[str, float]) -> None:
        """One step was done; `measured` has the trainer's names."""
        line = {
            own: measured[name]
            for name, own in self._names.items()
            if measured.get(name) is not None
        }
        records.append(self.path, line)
        said = ", ".join(f"{name} {line[name]:.3f}" for name in self._said if name in line)
        self.at(int(line["step"]), said)
