"""What a training says while it runs: a progress bar for people, `metrics.jsonl` for programs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tastemaker import files


class Journal:
    """Progress of one call of `fit`."""

    def __init__(self, folder: Path | None, total_steps: int, shown: bool) -> None:
        """Prepare to write into `folder` (None: no file) and to show a bar if a person watches."""
        self.path = folder / "metrics.jsonl" if folder else None
        console = Console(stderr=True)
        columns = (
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.3f}  {task.fields[rate]:,.0f} targets/s"),
            TextColumn("{task.fields[best]}"),
            TimeRemainingColumn(),
        )
        self.bar = Progress(
            *columns, console=console, disable=not (shown and console.is_terminal), transient=True
        )
        self._task = self.bar.add_task("", total=total_steps, epoch=0, loss=0.0, rate=0.0, best="")
        self._targets, self._since = 0, time.monotonic()
        self._file: TextIO | None = None

    def start(self, step: int, validations: int) -> None:
        """Begin at `step`, with a line for each validation so far; others are taken back.

        A step alone does not tell: a crash may come between a validation's line and its checkpoint,
        where the step had one before.
        """
        self.bar.update(self._task, completed=step)
        if self.path is None:
            return
        lines = self.path.read_text().splitlines() if self.path.is_file() else []
        files.write_text(self.path, "".join(line + "\n" for line in lines[:validations]))
        self._file = self.path.open("a")

    def __enter__(self) -> Journal:
        """Show the bar."""
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bar and close the file."""
        self.bar.stop()
        if self._file:
            self._file.close()

    def step(self, epoch: int, step: int, loss: float, targets: int) -> None:
        """One optimiser step was done."""
        self._targets += targets
        rate = self._targets / max(1e-9, time.monotonic() - self._since)
        self.bar.update(self._task, completed=step, epoch=epoch + 1, loss=loss, rate=rate)

    def validated(self, line: dict[str, float]) -> None:
        """Write one line: epoch, step, mean training loss since the last line, and the metrics."""
        headline = "  ".join(f"{name} {value:.4f}" for name, value in list(line.items())[3:5])
        self.bar.update(self._task, best=headline)
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
