"""Runs in processes of their own, forked from one that has loaded everything and started nothing.

Forking a test process would not do: the threads of its engines are lost on the way. `python -m
tests.run.forked FOLDER REQUEST …` is an interpreter that only loads, and forks for each run.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - where it is installed, pyarrow loads it
import torch

from tastemaker import files
from tastemaker.cli import main
from tastemaker.data.datasets import Dataset
from tastemaker.data.interactions import Interactions
from tastemaker.errors import ArtefactError
from tastemaker.metrics import beyond_accuracy, intervals
from tastemaker.recommend import blend_weights
from tastemaker.recommend.ease import Ease
from tastemaker.recommend.sasrec import SASRec
from tastemaker.report import page
from tastemaker.run.folder import FILES, finished_folder
from tastemaker.run.saved import open_run
from tastemaker.run.validation import Validation

NAME = "data-sasrec"
WORDS = ["train", "sasrec", "--model.dim", "8", "--model.layers", "1", "--model.heads", "1",
         "--model.inner", "8", "--model.history", "6", "--fit.warmup", "5",
         "--fit.checkpoint-every", "3", "--fit.batch", "8"]  # fmt: skip
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree")
STAGES: dict[str, tuple[Any, str]] = {
    "reading": (Dataset, "positives"),
    "counting": (Ease, "fit"),
    "step": (SASRec, "loss"),
    "validation": (Validation, "measure"),
    "blend": (blend_weights, "_best"),
    "evaluation": (beyond_accuracy, "novelty"),
    "writing": (Interactions, "save"),
    "report": (page, "render"),
}
"""Stage → what takes its time there."""


def forked(work: Callable[[], object]) -> int:
    """Do work in a process of its own, and return how that ended."""
    return ended(begun(work))


def begun(work: Callable[[], object]) -> int:
    child = os.fork()
    if not child:
        code: object = 99
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 0)
    return child


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def command(words: list[str]) -> int:
    """The command line, without what it prints."""
    with Path(os.devnull).open("w") as quiet:
        os.dup2(quiet.fileno(), 1)
    return main(words)


def run(data: Path, epochs: int, place: Path) -> int:
    """One run from the command line, resumed where there is something to resume."""
    words = ["--data", str(data), "--out", str(place / NAME), "--fit.epochs", str(epochs)]
    return command([*WORDS, *words, "--resume"])


def contents(place: Path) -> dict[str, str]:
    """sha256 of every file of a run, opened in a process of its own; empty where there is none."""
    listed = place / "contents.json"

    def look() -> None:
        sums = {}
        try:
            open_run(place / NAME)
            folder = finished_folder(place / NAME)
            sums = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in FILES}
        except ArtefactError:
            if (place / NAME / "manifest.json").exists():
                raise
        files.write_json(listed, sums)

    assert forked(look) == 0
    found: dict[str, str] = json.loads(listed.read_text())
    return found


def watched(top: Path, change: Callable[[str], None]) -> None:
    """Call `change` with a label before each thing this process does to the disk below `top`."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and re.search("[wax+]", str(arguments[1] or ""))
        if not (writes or event in CHANGES):
            return
        path = str(arguments[1] if event in ("os.rename", "os.link") else arguments[0])
        if path.startswith(f"{top}/"):
            label = f"{event.removeprefix('os.')} {path[len(str(top)) + 1 :]}"
            change(label.replace(f"-{os.getpid()}", ""))

    sys.addaudithook(hear)


def points(work: Callable[[], object], place: Path) -> list[str]:
    """What one undisturbed run does to the disk, in order."""
    seen: list[str] = []

    def watch() -> object:
        watched(place / NAME, seen.append)
        code = work()
        (place / "points").write_text("\n".join(seen))
        return code

    assert forked(watch) == 0
    return (place / "points").read_text().splitlines()


def killed_at(work: Callable[[], object], place: Path, point: int) -> int:
    """The same run, ended by SIGKILL at one of these points."""
    left = [point]

    def die(label: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch() -> object:
        watched(place / NAME, die)
        return work()

    return forked(watch)


def kills(folder: Path, before: int, part: str) -> None:
    """Kill a run of 3 epochs at every point that a pattern finds; open it, resume it and compare.

    Args:
        folder: Holds the data.
        before: Epochs of a finished run that is trained on; 0: a run from the beginning.
        part: Regular expression of the points, such as `rename results.json`.
    """
    data, base = folder / "data", folder / f"base-{before}"
    want = undisturbed(folder)
    base.mkdir()
    if before:
        forked(partial(run, data, before, base))
    old = contents(base)
    places = {-1: Path(shutil.copytree(base, folder / f"points-{before}"))}
    labels = points(partial(run, data, 3, places[-1]), places[-1])
    for number, label in enumerate(labels):
        if not re.search(part, label):
            continue
        place = Path(shutil.copytree(base, folder / f"kill-{before}-{number}"))
        code = killed_at(partial(run, data, 3, place), place, number)
        after = contents(place)
        again = forked(partial(run, data, 3, place))
        done = contents(place)
        stray = [path.name for path in place.rglob(".partial*")]
        answer = {
            "point": label,
            "killed": code == -signal.SIGKILL,
            "readable": after in (old, want),
            "resumed": again,
            "differs": [name for name in want if done.get(name) != want[name]],
            "stray": stray + [p.name for p in (place / NAME).iterdir() if p.name == "finished"],
        }
        print(json.dumps(answer), flush=True)


def undisturbed(folder: Path) -> dict[str, str]:
    """What a run of 3 epochs is."""
    whole = folder / "whole"
    if not whole.exists():
        whole.mkdir()
        assert forked(partial(run, folder / "data", 3, whole)) == 0
    return contents(whole)


def stops(folder: Path, stage: str, number: int, call: int) -> None:
    """Signal a run, which chose its folder itself, in a stage; go on as it says, and compare."""
    place = folder / f"stop-{stage}-{number}-{call}"
    place.mkdir()

    def work() -> int:
        holder, name = STAGES[stage]
        plain, calls = getattr(holder, name), [0]

        def slow(*given: Any, **named: Any) -> Any:
            calls[0] += 1
            if calls[0] == call:
                (place / "reached").touch()
                time.sleep(1 if stage == "step" else 60)
            return plain(*given, **named)

        setattr(holder, name, slow)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with (place / "errors").open("w") as errors:
            os.dup2(errors.fileno(), 2)
        os.chdir(place)
        return command([*WORDS, "--data", str(folder / "data"), "--fit.epochs", "3"])

    child, waited = begun(work), time.monotonic()
    while not (place / "reached").exists() and time.monotonic() - waited < 300:
        time.sleep(0.02)
    os.kill(child, number)
    since = time.monotonic()
    code, took = ended(child), time.monotonic() - since
    line = (place / "errors").read_text().splitlines()[-1]
    words = shlex.split(line.rpartition("Go on with: ")[2])

    def go_on() -> int:
        os.chdir(place)
        return command(words[1:])

    again = forked(go_on)
    (place / "runs" / NAME).rename(place / NAME)
    answer = {"code": code, "took": took, "line": line, "resumed": again}
    print(json.dumps({**answer, "same": contents(place) == undisturbed(folder)}), flush=True)


def ready() -> None:
    """Load what a run loads; leave out what takes long, and have all clocks say the same."""
    torch.set_num_threads(1)
    torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))])
    page.render = lambda *parts: "<p>a page</p>"
    with contextlib.redirect_stdout(io.StringIO()):
        main(["train", "sasrec", "--help"])
    time.process_time = lambda: 0.0
    means = intervals.resampled_means
    intervals.resampled_means = lambda table, seed=0, resamples=0: means(table, seed, 20)


if __name__ == "__main__":
    ready()
    for request in sys.argv[2:]:
        what, *rest = request.split(":")
        if what == "kills":
            kills(Path(sys.argv[1]), int(rest[0]), rest[1])
        else:
            stops(Path(sys.argv[1]), rest[0], int(rest[1]), int(rest[2]))
