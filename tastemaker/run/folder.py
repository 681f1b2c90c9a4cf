"""A run's folder: where it lies, what stands in it, who may write it, and how it becomes a run.

A folder is a run from the moment that its manifest stands in it. When a finished run shall train
on, its files are first kept under other names in `finished/`, which readers take until the new
manifest stands: at every instant the old run or the new one can be opened.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject
from tastemaker.index import kept as index
from tastemaker.options import RunOptions
from tastemaker.recommend.persrec_shape import TOKENS
from tastemaker.recommend.priors_shape import GROUPINGS, HEADS
from tastemaker.recommend.vrec_shape import IDS, LANGUAGE, TITLES, VERIFIERS
from tastemaker.run.unfinished import no_run

KIND = "run"
"""Kind of artefact that a run directory is."""

CONFIG = "config.json"
METRICS = "metrics.jsonl"
RESULTS = "results.json"
USERS = "users.parquet"
ITEMS = "items.parquet"
DECLARATION = "declaration.json"
DATA = ("events.arrow", "histories.arrow", "vocab.parquet", ITEMS, DECLARATION)
"""The whole log, the catalogue and what is declared about them."""
FILES = (
    CONFIG,
    METRICS,
    RESULTS,
    USERS,
    *DATA,
    "blend.json",
    "counting.safetensors",
    "model.safetensors",
    "report.html",
)
"""What every run consists of; whatever else lies in its folder is no part of it."""
NEIGHBOURS = "neighbours.arrow"
INDEX = "index"
OPTIONAL = (
    "user_model.json",
    NEIGHBOURS,
    TOKENS,
    HEADS,
    IDS,
    LANGUAGE,
    TITLES,
    *VERIFIERS,
    *GROUPINGS.values(),
    *(f"{INDEX}/{name}" for name in index.FILES),
)
"""What a run has beside where its model needs it."""
STATES = "user_states.sqlite"
"""What is kept of users to answer them sooner; made as they are asked for, no part of the run."""
SETTLED = (
    "data",
    "model",
    "model_config",
    "fit",
    "split",
    "seed",
    "repeats",
    "data_sha256",
    "vocabulary_sha256",
    "split_sha256",
)
"""What the `config.json` of every run names."""

_WORKING = (CONFIG, METRICS)
"""Files that stand from the start of a training; the others are written at its end."""

FINISHED = "finished"
"""Where a finished run is kept while its folder trains on."""
_LETTERS = 12
"""Of a digest, what a version shows."""


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

    What a killed writer left half-written there is removed.

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
        artifacts.sweep(folder)
        yield
    finally:
        os.close(handle)


def finished_folder(run: Path) -> Path:
    """Where the files of a finished run stand: its folder, or inside it while it trains on."""
    inside = run / FINISHED
    trains_on = not (run / artifacts.MANIFEST).exists() and (inside / artifacts.MANIFEST).exists()
    return inside if trains_on else run


def version_of(run: Path) -> str:
    """What a finished run is called: two runs of one version are the same bytes.

    Raises:
        ArtefactError: If no finished run stands there.
    """
    return artifacts.digest_of(finished_folder(run))[:_LETTERS]


def train_on(run: Path) -> None:
    """Make room in a folder for what a training writes; a finished run there can still be read."""
    manifest = run / artifacts.MANIFEST
    if not manifest.exists():
        return
    shutil.rmtree(run / FINISHED, ignore_errors=True)  # of a training that has ended since
    artifacts.keep(run, run / FINISHED)
    manifest.unlink()
    files.sync(run)


def clear_results(run: Path, but: Collection[str] = ()) -> None:
    """Unlink the results that stand in a folder: those kept elsewhere must not be written into.

    Args:
        run: A run directory.
        but: Names that stay, since they are read from where they stand.
    """
    for name in (*FILES, *OPTIONAL):
        if name not in (*_WORKING, *but):
            (run / name).unlink(missing_ok=True)
    for path in run.glob(f"{STATES}*"):  # of the weights before; SQLite has files beside it
        path.unlink()


def seal_run(run: Path, meta: JsonObject) -> None:
    """Write the manifest, which makes a folder a run, and let go of the one before."""
    beside = [name for name in OPTIONAL if (run / name).exists()]
    artifacts.seal(run, KIND, meta, [*FILES, *beside])
    shutil.rmtree(run / FINISHED, ignore_errors=True)


def verify_run(run: Path) -> None:
    """Check that a folder holds a finished run, whole and unchanged.

    Raises:
        ArtefactError: If it does not: if it is no run, or one that is unfinished or damaged.
    """
    if not os.path.lexists(run / artifacts.MANIFEST):
        raise no_run(run, CONFIG)
    artifacts.verify(run, KIND, FILES, OPTIONAL)


def read_config(run: Path) -> JsonObject:
    """Everything that a run was decided by.

    Raises:
        ArtefactError: If the file is missing, is no JSON object, or does not name it all.
    """
    path = run / CONFIG
    config = files.read_json(path)
    if lacking := [name for name in SETTLED if name not in config]:
        what, want = "The file does not name what a run is made of", ", ".join(lacking)
        fix = "Restore the run from a copy, or make it again."
        raise ArtefactError(str(path), what, want, "nothing under these names", fix)
    return config
