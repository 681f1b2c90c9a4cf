"""The folder of a training of visual tool use: what stands in it, and whether it is whole."""

from __future__ import annotations

from pathlib import Path

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject
from tastemaker.run.folder import CONFIG, METRICS, RESULTS
from tastemaker.run.vtool_results import EXAMPLES

KIND = "visual-reinforcement"
"""Kind of artefact."""
TINY = "tiny"
"""What stands for a fresh model."""
MODEL, BOXES, BEFORE = "model", "boxes.json", "before.json"
WRITTEN = (CONFIG, METRICS, RESULTS, "report.html")
"""What every finished folder consists of, beside its model and examples."""
_TOLD = "vtool"
"""What the `config.json` of such a run names, and that of no model."""


def finished(run: Path) -> JsonObject:
    """What a finished training tells, and the path of its folder.

    Raises:
        ArtefactError: If the folder is no such thing, or not as it was written.
    """
    artifacts.verify(run, KIND, WRITTEN, beside(run))
    return files.read_json(run / RESULTS) | {"run": str(run)}


def learned_model(run: Path) -> Path:
    """The folder of what a run has learned.

    Raises:
        ArtefactError: If the training has not ended, or its model was not kept.
    """
    if not (run / artifacts.MANIFEST).exists():
        fix = "Wait until it ends; if it was stopped, go on: `… reinforce vtool … --resume`."
        raise ArtefactError(str(run), "The training has not ended", artifacts.MANIFEST, "none", fix)
    if not (run / MODEL).is_dir():
        fix = "Ask the model that it began with, or train on other questions."
        what = "What was learned was not kept: it answered worse than before"
        raise ArtefactError(str(run), what, MODEL, "none", fix)
    return run / MODEL


def is_run(folder: Path) -> bool:
    """Whether a folder is one of such a training, finished or not; else it may be a model."""
    path = folder / CONFIG
    return path.is_file() and _TOLD in files.read_json(path)


def beside(run: Path) -> list[str]:
    """Names of the files of the model and of the examples."""
    folders = [folder for folder in (run / MODEL, run / EXAMPLES) if folder.is_dir()]
    return [f"{one.name}/{path.name}" for one in folders for path in sorted(one.iterdir())]
