"""The weight files of a model's folder: safetensors, one or several, all of them there."""

from __future__ import annotations

from pathlib import Path

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import read_json
from tastemaker.weights import stored_tensors

WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"


def weight_sizes(folder: Path) -> dict[str, int]:
    """Number of values of every tensor of a folder, whose weights are whole and safetensors.

    Raises:
        BadInput: If weights are in formats that can run code, or need another model.
        ArtefactError: If files are missing or damaged.
    """
    fix = "Convert its weights to safetensors; formats that can run code are not read."
    again = "Download or convert the model again."
    if (folder / "adapter_config.json").exists():
        what = "The folder holds an adapter, which needs another model."
        raise BadInput(what, str(folder), "Merge it into its model, and give that.")
    names = [WEIGHTS]
    if not (folder / WEIGHTS).is_file() and (folder / _INDEX).is_file():
        names = _shards(folder, fix)
    elif not (folder / WEIGHTS).is_file():
        others = [p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".ckpt")]
        if others:
            raise BadInput(f"Weights are in {min(others)} alone.", str(folder), fix)
        raise ArtefactError(str(folder), "Weights are missing", WEIGHTS, "nothing", again)
    return {name: one.size for file in names for name, one in stored_tensors(folder / file).items()}


def _shards(folder: Path, fix: str) -> list[str]:
    """Names of the files that an index lists, each of them in this folder."""
    listed = read_json(folder / _INDEX).get("weight_map")
    names = [*listed.values()] if isinstance(listed, dict) else []
    for name in names or [""]:
        plain = isinstance(name, str) and Path(name).name == name
        if not plain or not name.endswith(".safetensors"):
            raise BadInput(f"The index names {name!r:.80} as weights.", str(folder / _INDEX), fix)
    return sorted(set(names))
