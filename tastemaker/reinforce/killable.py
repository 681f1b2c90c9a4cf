"""A process that may be killed at any time: started by name, handed lines, heard line by line.

It is not forked and shares nothing with this one, so that neither threads nor a script without a
main guard disturb it. It ends when its input does.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence

_SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Killable:
    """A running module of Python.

    Args:
        module: Its name.
        arguments: What it is called with.
        said: Takes each line that it prints, and an empty one when it has ended, with the process.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        said: queue.SimpleQueue[tuple[Killable, str]],
    ) -> None:
        path = os.pathsep.join(place or os.getcwd() for place in sys.path)
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, **_SINGLE, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        )
        self.number = self._popen.pid
        """as the system knows it"""
        threading.Thread(target=self._hear, args=(said,), daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._popen.poll() is not None

    def write(self, line: str) -> None:
        """Hand it a line, no longer than a pipe holds; to one that has ended it makes no odds."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(line + "\n")
            self._popen.stdin.flush()
        except (OSError, ValueError):
            return  # whoever hears it learns of its end

    def kill(self) -> int:
        """End it at once; its exit code, negative for a signal."""
        self._popen.kill()
        code = self._popen.wait()
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.close()
        except OSError:
            return code  # what it did not read is of no use any more
        return code

    def _hear(self, said: queue.SimpleQueue[tuple[Killable, str]]) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as lines:
            for line in lines:
                said.put((self, line))
        said.put((self, ""))
