"""Names for models that change with their weights."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from tastemaker.artifacts import MANIFEST
from tastemaker.errors import ArtefactError, BadInput, OutOfResources
from tastemaker.files import JsonObject, make_folder, read_json, sha256_file, write_json
from tastemaker.models.packaged import cache_folder

_PARTS = {".safetensors", ".json", ".txt", ".model", ".jinja"}


def model_identity(folder: Path) -> str:
    """Hex sha256 over the weight, tokenizer and config files of a model, wherever it lies.

    The sums are kept in the cache under size and time of each file, so that asking again is cheap.

    Raises:
        BadInput: If the folder holds no safetensors.
    """
    files = [p for p in sorted(folder.iterdir()) if p.suffix in _PARTS and p.name != MANIFEST]
    if not any(path.suffix == ".safetensors" for path in files):
        fix = "Convert its weights to safetensors; formats that can run code are not read."
        raise BadInput("The model has no safetensors weights.", str(folder), fix)
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    memo, known = cache_folder() / "identities" / f"{place}.json", {}
    with suppress(ArtefactError, OSError):
        known = read_json(memo)
    sums: JsonObject = {}
    for path in files:
        stat, entry = path.stat(), known.get(path.name)
        stamp = [stat.st_size, stat.st_mtime_ns]
        fresh = isinstance(entry, list) and len(entry) == 3 and entry[:2] == stamp
        sums[path.name] = entry if fresh else [*stamp, sha256_file(path)]
    if sums != known:
        with suppress(OutOfResources, OSError):  # it costs time, not correctness
            make_folder(memo.parent)
            write_json(memo, sums)
    return identity_of("", {name: entry[2] for name, entry in sums.items()})


def identity_of(model: str, options: JsonObject) -> str:
    """Hex sha256 of a model's identity and the options that change what it computes."""
    return hashlib.sha256(json.dumps([model, options], sort_keys=True).encode()).hexdigest()
