"""Its walls are tried in `test_sandbox`, where bubblewrap works; here is what surrounds them.

A stand-in without walls runs only the harmless snippets below.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.sandbox import open_sandbox, run_snippet
from tastemaker.reinforce.sandbox_bubblewrap import BubblewrapSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import SandboxLimits
from tests.reinforce.bench import BOXES, GOOD, PICTURE, workbench

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def stand_in(folder: Path, line: str = 'exec "$@"') -> str:
    script = folder / "bwrap"
    script.write_text(f'#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done; shift\n{line}\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture()
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BubblewrapSandbox:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return BubblewrapSandbox(stand_in(tmp_path), proved=True)


def test_where_its_walls_do_not_hold_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(BadInput, match="walls do not hold"):
        BubblewrapSandbox(stand_in(tmp_path))


def test_where_it_is_missing_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="bwrap is not on this machine"):
        open_sandbox("bubblewrap")


def test_root_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(BadInput, match="root"):
        BubblewrapSandbox(stand_in(tmp_path))


def test_where_it_does_not_work_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(BadInput, match="no namespaces here"):
        BubblewrapSandbox(stand_in(tmp_path, "echo no namespaces here >&2; false"))


def test_calls_of_all_of_python_go_through_a_pipe(sandbox: BubblewrapSandbox) -> None:
    code = f"import math, sys\nprint('lost')\nprint('lost', file=sys.stderr)\n{GOOD}\nmath.pi"
    ran = run_snippet(sandbox, code, workbench())
    wanted = TOOLS["focus_on_columns_with_mask"](PICTURE, ["Team"], BOXES["columns"])
    assert ran.error == "" and np.array_equal(ran.image, wanted)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
        ("display(7)", "takes an image"),
        ("import time\ntime.sleep(9)", "TimeoutError"),
        ("import os\nos.close(1)\nos.close(2)\nos.close(3)\nimport time\ntime.sleep(9)", "Timeout"),
        ("while True:\n    print('x' * 99)", "TimeoutError"),
        ("_calls.write('junk\\n')\n_calls.flush()\ninput()", "no call"),
        ("_calls.write('[1, 2, 3]\\n')\n_calls.flush()\ninput()", "no call"),
        ("_calls.write('x' * 10**6)\n_calls.flush()\ninput()", "too long"),
        ("while True:\n    _calls.write('[\"display\", [], {}]\\n')", "calls"),
        ("x = bytearray(10**10)", "MemoryError"),
        ("raise SystemExit(3)", "3"),
        ("import os\nos._exit(7)", "7"),
    ],
)
def test_a_snippet_that_fails_says_why(sandbox: BubblewrapSandbox, code: str, told: str) -> None:
    seconds = 0.2 if told.startswith("Timeout") else 20
    ran = run_snippet(sandbox, code, workbench(SandboxLimits(seconds=seconds, calls=20)))
    assert ran.image is None and told in ran.error and len(ran.error) <= 200
