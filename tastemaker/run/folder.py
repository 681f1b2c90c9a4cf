"""A run's folder: where it lies, what stands in it, and who may write it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tastemaker import files
from tastemaker.errors import BadInput
from tastemaker.options import RunOptions

KIND = "run"
"""Kind of artefact that a run directory is."""

UNFINISHED = ("checkpoints",)
"""Parts of a run directory that are artefacts of their own."""


def run_folder(options: RunOptions) -> Path:
    """Where this run is written.

    Raises:
        BadInput: If the folder holds something already and the run is not resumed.
    """
    if options.out:
        folder = Path(options.out)
        if options.resume or not folder.exists() or not any(folder.iterdir()):
            return folder
        raise BadInput(
            f"The run directory {options.out!r} holds something already.",
            "--out",
            "Choose another, remove it, or go on with --resume.",
        )
    stem = f"{Path(options.data_name).name}-{options.model}"
    names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 10_000))
    taken = (Path("runs") / name for name in names)
    if options.resume:
        raise BadInput("There is nothing to resume.", "--resume", "Name the run with --out.")
    return next(path for path in taken if not path.exists())


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, against a second writer, until the block or process ends.

    Raises:
        BadInput: If another process holds it.
    """
    files.make_folder(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what, fix = "Another process is writing this folder.", "Wait for it, or name another."
            raise BadInput(what, str(folder), fix) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(handle)
