"""A training that is killed anywhere goes on to the weights of an undisturbed one."""

import contextlib
import os
import pkgutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tastemaker import artifacts, pointers
from tastemaker.train.loop import Fitted
from tests.train.small import train

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import torch; torch.set_num_threads(1)
from tests.train.small import train
print(train(Path(sys.argv[1]), resume=True)[0])
"""


def killed(out: Path, die: Callable[[], None], wait: float | None = None) -> None:
    """Train in a forked process that ends by SIGKILL: after `wait` seconds, or where `die` says."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            die()
            train(out)
        os._exit(0)
    if wait is not None:
        time.sleep(wait)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def resumed(out: Path, want: tuple[str, Fitted], lines: str) -> None:
    """Whatever the kill left behind can be read, loses nothing kept, and ends the same."""
    newest = pointers.pointed(out / "checkpoints" / "latest")
    if newest is not None:
        artifacts.verify(newest, "checkpoint")
    assert train(out, resume=True) == want
    assert (out / "metrics.jsonl").read_text() == lines
    assert not list((out / "checkpoints").glob(".partial*"))


def undisturbed(tmp_path: Path) -> tuple[tuple[str, Fitted], str]:
    whole = tmp_path / "whole"
    whole.mkdir()
    return train(whole), (whole / "metrics.jsonl").read_text()


def kill_at_random(tmp_path: Path, kills: int) -> None:
    started = time.monotonic()
    want, lines = undisturbed(tmp_path)
    length = time.monotonic() - started
    waits = np.random.default_rng(kills).uniform(0, length, kills)
    for number, wait in enumerate(waits):
        out = tmp_path / f"run-{number}"
        out.mkdir()
        killed(out, lambda: None, float(wait))
        resumed(out, want, lines)


def test_kill_9_at_twenty_random_points_then_resume_gives_the_same_weights(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 20)


@pytest.mark.slow
def test_kill_9_at_two_hundred_random_points(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 200)


POINTS = [
    ("tastemaker.files.save_tensors", "before a file is written"),
    ("tastemaker.artifacts.seal", "between the files and the manifest"),
    ("tastemaker.artifacts.write_text", "while the manifest is written"),
    ("pathlib.Path.rename", "before the rename"),
    ("tastemaker.pointers.point", "between the rename and the pointer"),
    ("pathlib.Path.replace", "while the pointer is replaced"),
    ("tastemaker.train.checkpoints.Checkpoints._prune", "before old checkpoints go"),
    ("torch.optim.AdamW.step", "within a step"),
    ("tastemaker.train.journal.Journal.validated", "while a line is written"),
]


@pytest.mark.parametrize("call", [1, 3])
@pytest.mark.parametrize(("name", "where"), POINTS, ids=[where for _, where in POINTS])
def test_kill_9_at_every_named_point(tmp_path: Path, name: str, where: str, call: int) -> None:
    want, lines = undisturbed(tmp_path)
    holder, attribute = name.rsplit(".", 1)
    owner = pkgutil.resolve_name(holder)
    plain, calls = getattr(owner, attribute), [0]

    def deadly(*parts: object, **options: object) -> object:
        calls[0] += 1
        if calls[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*parts, **options)

    out = tmp_path / "run"
    out.mkdir()
    killed(out, lambda: setattr(owner, attribute, deadly))
    resumed(out, want, lines)


def test_kill_9_of_a_fresh_process(tmp_path: Path) -> None:
    """The same with nothing shared: another interpreter is killed, a third one resumes."""
    want = train()[0]
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(SCRIPT.format(root=str(Path(__file__).parents[2]))))
    out = tmp_path / "run"
    out.mkdir()
    command = [sys.executable, str(script), str(out)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (out / "checkpoints").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    child.kill()
    child.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == want
