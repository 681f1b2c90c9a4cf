"""A new run takes the place of one that is in use, and can be taken back.

At every instant the folder opens as the old run or as the new one, also where the process is killed
in between: the old run's files are first kept under other names, where readers find them until the
new manifest stands. The run that was there before is kept beside, as `RUN.before`.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tastemaker import artifacts, files
from tastemaker.artifacts import MANIFEST
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run.folder import (
    CONFIG,
    FINISHED,
    clear_results,
    finished_folder,
    only_writer,
    train_on,
    verify_run,
    version_of,
)
from tastemaker.run.unfinished import CHECKPOINTS

_LEAVING = ".leaving"
"""Ending of the folder of a run that is being replaced."""


def run_before(run: Path) -> Path:
    """Where the run stands that was there before."""
    return run.with_name(f"{run.name}.before")


def next_run(run: Path) -> Path:
    """Where the run is made that shall take the place."""
    return run.with_name(f"{run.name}.next")


def discard_next(run: Path) -> None:
    """Remove what an update made at `next_run(run)`, finished or not.

    Raises:
        BadInput: If something else lies there.
    """
    folder = next_run(run)
    if not folder.exists():
        return
    held = [path.name for path in folder.iterdir() if not path.name.startswith(files.TEMPORARY)]
    if held and not _of_update(folder):
        what = "Updates make the new run here, and something else lies here already."
        raise BadInput(what, str(folder), "Move it away, or remove it.")
    # Out of the way at once: a folder that is removed in part would not be known again.
    aside = run.with_name(f"{files.TEMPORARY}{folder.name}-")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    shutil.rmtree(aside)


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Hold a finished run against other writers, what a killed one left brought to its end.

    Raises:
        ArtefactError: If no sound run stands there.
        BadInput: If another process writes it, or it trains on and was stopped.
    """
    verify_run(finished_folder(run))
    with only_writer(run):
        _settle(run)
        if finished_folder(run) != run:
            what = "This run trains on, and has not come to its end."
            fix = "Go on with the command that began it and --resume, and then try again."
            raise BadInput(what, str(run), fix)
        yield


def take_place(run: Path, new: Path) -> None:
    """Have a finished run take the place of another, which is `held`.

    Args:
        run: Folder of the run that is replaced; it is then at `run_before(run)`.
        new: A run beside it, whose files are there as well afterwards.

    Raises:
        ArtefactError: If one of them is damaged; then nothing has changed.
        BadInput: If no run lies where the old one is to be kept; likewise.
        OutOfResources: If the disk is full or may not be written; the old run can still be read.
    """
    verify_run(new)
    verify_run(finished_folder(run))
    before = run_before(run)
    if before.exists() and not (before / MANIFEST).exists():
        what = "The run that is replaced is kept here, and something else lies here already."
        raise BadInput(what, str(before), "Move it away, or remove it.")
    artifacts.keep(finished_folder(run), _leaving(run))
    train_on(run)
    _lay(new, run)
    _settle(run)


def roll_back(run: Path) -> None:
    """Have the run that was there before one that is `held` take its place; the two change places.

    Raises:
        BadInput: If there is none.
        ArtefactError: If it is damaged.
    """
    before = run_before(run)
    if not (before / MANIFEST).exists() or version_of(before) == version_of(run):
        fix = "Only a run that an update has replaced can come back, and only the newest of them."
        raise BadInput("There is no run to go back to.", str(before), fix)
    take_place(run, before)


def _settle(run: Path) -> None:
    """Bring to its end what a killed process left of a replacement, or take it back."""
    leaving = _leaving(run)
    for name in (leaving.name, next_run(run).name):
        for stray in run.parent.glob(f"{files.TEMPORARY}{glob.escape(name)}-*"):
            shutil.rmtree(stray, ignore_errors=True)
    if not leaving.exists():
        return
    if _version(leaving) not in ("", version_of(run)):  # the new run stands
        shutil.rmtree(run_before(run), ignore_errors=True)
        leaving.rename(run_before(run))
        files.sync(run.parent)
        shutil.rmtree(run / FINISHED, ignore_errors=True)
        return
    if finished_folder(run) != run:  # the new run stands in part
        _lay(run / FINISHED, run)
    shutil.rmtree(leaving)


def _lay(new: Path, run: Path) -> None:
    """Lay the files of a run over what stands in a folder whose own run is kept elsewhere."""
    clear_results(run)
    shutil.rmtree(run / CHECKPOINTS, ignore_errors=True)  # of another training
    artifacts.put(new, run)
    shutil.rmtree(run / FINISHED, ignore_errors=True)


def _leaving(run: Path) -> Path:
    return run.with_name(f"{run.name}{_LEAVING}")


def _of_update(folder: Path) -> bool:
    """Whether an update began the run there."""
    try:
        return "updated" in files.read_json(folder / CONFIG)
    except ArtefactError:
        return False


def _version(folder: Path) -> str:
    try:
        return version_of(folder)
    except ArtefactError:  # half removed
        return ""
