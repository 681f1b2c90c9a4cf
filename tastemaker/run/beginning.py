"""The folder of a training: taken fresh, or gone on with as the same training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tastemaker import files
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.run.folder import CONFIG
from tastemaker.train.checkpoints import check_identity
from tastemaker.train.processes import processes


def taken(folder: Path, settled: JsonObject, resume: bool) -> bool:
    """Whether a folder is to be begun in; else it holds the same training, to go on with.

    Args:
        folder: Of the training.
        settled: JSON values that must be the same when it is resumed.
        resume: Go on with what stands there.

    Raises:
        BadInput: If there is nothing to resume, or something that is not to be resumed.
        ArtefactError: If another training stands there; names what differs.
    """
    path = folder / CONFIG
    if resume:
        if not path.is_file():
            fix = "Name the folder of a run with --out."
            raise BadInput("There is nothing to resume.", str(folder), fix)
        check_identity(path, settled, files.read_json(path))
        return False
    if folder.exists() and any(folder.iterdir()):
        fix = "Choose another with --out, remove it, or go on with --resume."
        raise BadInput("The folder holds something already.", str(folder), fix)
    return True


def begin(folder: Path, settled: JsonObject, resume: bool, told: Callable[[], JsonObject]) -> None:
    """Take a folder for a training of one process or several, or go on with it.

    Args:
        folder: Of the training.
        settled: JSON values that must be the same when it is resumed.
        resume: Go on with what stands there.
        told: What else its `config.json` says, such as versions.

    Raises:
        BadInput: If there is nothing to resume, or something that is not to be resumed.
        ArtefactError: If another training stands there; names what differs.
    """
    if not taken(folder, settled, resume):
        return
    state = processes()
    state.wait_for_everyone()
    if state.is_main_process:
        files.make_folder(folder)
        files.write_json(folder / CONFIG, settled | told())
