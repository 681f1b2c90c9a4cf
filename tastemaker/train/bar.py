"""How far some work has come: a bar where a person watches, else a line now and then."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tastemaker.closing import Closing
from tastemaker.train.journal import LOG, SILENCE


class Bar(Closing):
    """Progress of work in steps; use it as a context."""

    def __init__(self, what: str, total: int, shown: bool = True) -> None:
        """Prepare to show.

        Args:
            what: A step, such as `round`.
            total: Of them.
            shown: Whether this process speaks.
        """
        self.what, self.total, self.shown = what, total, shown
        console = Console(stderr=True)
        self.bar = Progress(
            TextColumn(what + " {task.completed:,.0f} of {task.total:,.0f}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[said]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
            transient=True,
        )
        self._task = self.bar.add_task("", total=total, said="")
        self._spoke = time.monotonic()

    def start(self, step: int) -> None:
        """Begin after so many steps."""
        self.bar.update(self._task, completed=step)

    def __enter__(self) -> Self:
        """Show the bar."""
        self.bar.start()
        return self

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()

    def at(self, step: int, said: str) -> None:
        """A step was done; without a bar the first, the last and one a minute are said."""
        self.bar.update(self._task, completed=step, said=said)
        quiet = time.monotonic() - self._spoke < SILENCE and step not in (1, self.total)
        if self.bar.disable and self.shown and not quiet:
            self._spoke = time.monotonic()
            LOG.info("%s %d of %d: %s", self.what, step, self.total, said)
