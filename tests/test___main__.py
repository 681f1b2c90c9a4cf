"""`python -m tastemaker` is the command."""

import subprocess
import sys

from tastemaker import __version__


def test_the_interpreter_runs_the_command() -> None:
    for words, code in ((["--version"], 0), (["recomend"], 2)):
        done = subprocess.run(
            [sys.executable, "-m", "tastemaker", *words], capture_output=True, text=True
        )
        assert done.returncode == code
        assert __version__ in done.stdout or "Did you mean" in done.stderr
