"""Its walls are tried in `test_sandbox`, where bubblewrap works; here is what surrounds them.

A stand-in without walls runs only the harmless snippets below.
"""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.sandbox import open_sandbox, run_snippet
from tastemaker.reinforce.sandbox_bubblewrap import BubblewrapSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import SandboxLimits
from tests.reinforce.bench import BOXES, GOOD, PICTURE, workbench

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize(("seconds", "told"), [(20.0, ""), (1e-9, "TimeoutError")])
def test_seconds_are_those_of_the_snippet_and_not_of_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, told: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("tastemaker.reinforce.sandbox_bubblewrap._START", 100.0)
    sandbox = BubblewrapSandbox(stand_in(tmp_path), proved=True)
    code = "import time\ntime.sleep(0.1)\n" + GOOD
    assert run_snippet(sandbox, code, workbench(SandboxLimits(seconds))).error[:12] == told


def as_nobody(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python as the user who may do least, with what this one has installed."""
    told = f"import sys, numpy, PIL; assert sys.version_info[:2] == {sys.version_info[:2]}"
    for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        # root's own may lie behind its doors
        if _started(folder, python, "-c", told).returncode == 0:
            return _started(folder, python, *words)
    pytest.skip("nobody may run no Python that has what this one has")


def _started(folder: str, python: str, *words: str) -> subprocess.CompletedProcess[str]:
    nobody, paths = pwd.getpwnam("nobody"), f"{ROOT}:{sysconfig.get_path('purelib')}"
    try:
        return subprocess.run(
            [python, "-B", *words], cwd=ROOT, capture_output=True, text=True, timeout=300,
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": "/", "PYTHONPATH": paths,
                 "HYPOTHESIS_STORAGE_DIRECTORY": folder},
        )  # fmt: skip
    except OSError:
        return subprocess.CompletedProcess(words, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="others try its walls in test_sandbox themselves")
@pytest.mark.parametrize(
    "chosen",
    [
        "(gets_out or good) and not (debugger or input)",
        pytest.param("debugger or input or ever or written", marks=pytest.mark.slow),
    ],
)
def test_as_root_its_walls_are_tried_by_another_user(chosen: str) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("bwrap is not on this machine")
    with tempfile.TemporaryDirectory() as folder:  # that of the tests lies behind root's doors
        os.chmod(folder, 0o777)
        done = as_nobody(
            folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", "-k",
            f"bubblewrap and ({chosen})", "--basetemp", f"{folder}/tests",
            "tests/reinforce/test_sandbox.py",
        )  # fmt: skip
    if "Bubblewrap does not work here" in done.stdout:
        pytest.skip("this machine gives no namespaces to others")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout and "skipped" not in done.stdout
