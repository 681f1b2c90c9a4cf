"""The folder of a training of pictures and texts: what stands in it, and whether it is whole."""

from __future__ import annotations

from pathlib import Path

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject
from tastemaker.run.folder import CONFIG, METRICS, RESULTS

KIND = "embedding"
"""Kind of artefact."""
MODEL = "model"
"""Folder of the model; it opens as any other vision-language model."""
BEFORE = "before.json"
"""What was measured before training, for a run that is resumed."""
EXAMPLES = "examples"
"""Folder of the small pictures that the page shows."""
WRITTEN = (CONFIG, METRICS, BEFORE, RESULTS, "report.html")
"""What every finished folder consists of, beside its model and examples."""
_TOLD = "caption_prompt"
"""What the `config.json` of such a run names, and that of no model."""


def seal(run: Path, results: JsonObject) -> None:
    """Write the manifest, which makes a folder a run."""
    meta = {"model": results["model"]["name"]}
    artifacts.seal(run, KIND, meta, [*WRITTEN, *_beside(run)])


def finished(run: Path) -> JsonObject:
    """What a finished training tells, and the path of its folder.

    Raises:
        ArtefactError: If the folder is no such thing, or not as it was written.
    """
    if is_run(run) and not (run / artifacts.MANIFEST).exists():
        fix = "Wait until it ends; if it was stopped, go on: `tastemaker embed train … --resume`."
        raise ArtefactError(str(run), "The training has not ended", artifacts.MANIFEST, "none", fix)
    artifacts.verify(run, KIND, [*WRITTEN, *_beside(run)])
    return files.read_json(run / RESULTS) | {"run": str(run)}


def is_run(folder: Path) -> bool:
    """Whether a folder is one of a training, finished or not; else it may be a model."""
    path = folder / CONFIG
    return path.is_file() and _TOLD in files.read_json(path)


def _beside(run: Path) -> list[str]:
    """Names of the files of the model and of the examples."""
    folders = [folder for folder in (run / MODEL, run / EXAMPLES) if folder.is_dir()]
    return [f"{one.name}/{path.name}" for one in folders for path in sorted(one.iterdir())]
