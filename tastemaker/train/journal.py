"""What a training says while it runs.

`metrics.jsonl` is for programs. A person at a terminal sees a bar; without one there is a line an
epoch, and one a minute within long epochs, to the logger of the package.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tastemaker import records
from tastemaker.closing import Closing
from tastemaker.train.config import FitConfig

LOG = logging.getLogger("tastemaker")
"""What is said while something runs, a line each: shown by the commands, silent in a library."""

SILENCE = 60.0
"""Seconds within an epoch after which something is said."""


class Journal(Closing):
    """Progress of one call of `fit`."""

    def __init__(self, folder: Path | None, config: FitConfig, steps: int, shown: bool) -> None:
        """Prepare to write and to show.

        Args:
            folder: Where `metrics.jsonl` is written; None: nowhere.
            config: How the training goes.
            steps: Steps of an epoch.
            shown: Whether this process speaks.
        """
        self.path = folder / "metrics.jsonl" if folder else None
        self.config, self.steps, self.shown = config, steps, shown
        self.history: list[float] = []
        """the selecting metric at every validation of the stage so far"""
        self.stage, self.first = "", 0
        """name of the stage, and epochs before it"""
        self.bar = _bar(shown, at_most=config.patience > 0)
        total = config.epochs * steps
        self._task = self.bar.add_task("", total=total, epoch=0, loss=0.0, rate=0.0, said="")
        self._targets, self._since, self._spoke = 0, time.monotonic(), time.monotonic()

    def start(self, step: int, history: Sequence[float]) -> None:
        """Begin at `step`, with a line for each validation so far; others are taken back.

        A step alone does not tell: a crash may come between a validation's line and its checkpoint,
        where the step had one before.
        """
        self.history = list(history)
        self.bar.update(self._task, completed=step, said=self._standing())
        if self.path:
            records.keep(self.path, len(history))

    def enter(self, stage: str, config: FitConfig, epochs: int, history: Sequence[float]) -> None:
        """Go over to a stage that began after so many `epochs`; `history` is its own."""
        self.stage, self.config, self.first = stage, config, epochs
        self.history = list(history)
        total = (epochs + config.epochs) * self.steps
        self.bar.update(self._task, total=total, said=self._standing())

    def __enter__(self) -> Self:
        """Show the bar."""
        self.bar.start()
        return self

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()

    def step(self, epoch: int, step: int, loss: float, targets: int) -> None:
        """One optimiser step was done."""
        self._targets += targets
        rate = self._targets / max(1e-9, time.monotonic() - self._since)
        self.bar.update(self._task, completed=step, epoch=epoch + 1, loss=loss, rate=rate)
        # An epoch's end is said with its validation, where it has one.
        silent = step % self.steps == 0 and (epoch + 1 - self.first) % self.config.validate_every
        if silent or time.monotonic() - self._spoke > SILENCE:
            within = f"step {step - epoch * self.steps:,} of {self.steps:,}"
            self._say(f"{self._epoch(epoch + 1)}, {within}: loss {loss:.4f}, {rate:,.0f} targets/s")

    def validated(self, line: dict[str, float]) -> None:
        """Write one line: epoch, step, mean training loss since the last line, and the metrics.

        Where the training has stages, the line ends with the name of its own.
        """
        self.history.append(line[self.config.metric])
        self.bar.update(self._task, said=self._standing())
        if self.path:
            records.append(self.path, line | ({"stage": self.stage} if self.stage else {}))
        shown = [name for name in line if "/" not in name][3:6]
        values = ", ".join(f"{name.upper()} {line[name]:.4f}" for name in shown)
        epoch = self._epoch(int(line["epoch"]))
        self._say(f"{epoch}: loss {line['loss']:.4f}, {values}; {self._standing()}")

    def _epoch(self, number: int) -> str:
        most = "at most " if self.config.patience else ""
        stage = f"{self.stage}, " if self.stage else ""
        return f"{stage}epoch {number - self.first} of {most}{self.config.epochs}"

    def _standing(self) -> str:
        """The best value so far, and how long training goes on without a better one."""
        if not self.history:
            return ""
        best = max(self.history)
        stale = len(self.history) - 1 - self.history.index(best)
        epoch = (len(self.history) - stale) * self.config.validate_every
        text = f"best {best:.4f} in epoch {epoch}"
        left = self.config.patience - stale
        if not self.config.patience:
            return text
        return f"{text}, stops after {left} more without a gain" if left > 0 else f"{text}, stops"

    def _say(self, text: str) -> None:
        """A line, where no bar shows the same."""
        self._spoke = time.monotonic()
        if self.shown and self.bar.disable:
            LOG.info(text)


def _bar(shown: bool, at_most: bool) -> Progress:
    """A bar on standard error, if a person watches; the time left knows nothing of patience."""
    console = Console(stderr=True)
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(bar_width=20),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[rate]:,.0f} targets/s"),
        TextColumn("{task.fields[said]}"),
        TextColumn("at most" if at_most else "left"),
        TimeRemainingColumn(),
    )
    silent = not (shown and console.is_terminal)
    return Progress(*columns, console=console, disable=silent, transient=True)
