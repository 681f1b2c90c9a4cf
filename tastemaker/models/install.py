"""Packaged models, installed by pip and converted once.

This is the only place that opens a connection: it runs pip. What a package ships in a form that can
run code or that few libraries read is converted once, into safetensors in the user's cache.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from tastemaker.artifacts import MANIFEST, staged, verify
from tastemaker.errors import ArtefactError, BadInput, OutOfResources
from tastemaker.files import JsonObject, make_folder, sha256_file
from tastemaker.models import convert
from tastemaker.models.packaged import (
    KIND,
    PACKAGED,
    Packaged,
    converted_folder,
    locate,
    weights_of,
)

CONVERT: dict[str, Callable[[Path, Path], None]] = {
    "smollm2": convert.smollm2,
    "efficientnet-lite0": convert.efficientnet_lite0,
}
"""Packaged model → weight file, empty folder → a folder of config.json and safetensors."""

_FULL = re.compile(r"no space left|permission denied|read-only file|quota|cannot allocate", re.I)


def install(name: str) -> JsonObject:
    """Install a packaged model with pip and convert it; does nothing where that was done.

    Args:
        name: A key of `PACKAGED`.

    Returns:
        name, path, bytes of that folder, licence, and already: whether nothing had to be done.

    Raises:
        BadInput: If the name is unknown, or pip cannot find or install the package.
        OutOfResources: If the disk is full or may not be written.
        ArtefactError: If the weights are not those that are known under this version.
    """
    model = _known(name)
    missing = [f"{d}=={v}" for d, v in model.packages.items() if _version(d) != v]
    if missing:
        _pip(name, missing)
    changed = bool(missing)
    if model.converted:
        changed |= _converted(name, model)
    elif missing:
        _check_weights(name, model)
    path = locate(name)
    size = sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
    installed = {"name": name, "path": str(path), "bytes": size, "licence": model.licence}
    return installed | {"already": not changed}


def _known(name: str) -> Packaged:
    if name not in PACKAGED:
        fix = f"Known: {', '.join(PACKAGED)}."
        raise BadInput(f"No packaged model is called {name!r}.", "", fix)
    return PACKAGED[name]


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _converted(name: str, model: Packaged) -> bool:
    """Convert if there is no sound conversion yet; returns whether that was needed."""
    folder = converted_folder(name)
    if folder.exists():
        try:
            verify(folder, KIND)
        except ArtefactError:
            shutil.rmtree(folder)
        else:
            return False
    weights = _check_weights(name, model)
    make_folder(folder.parent)
    try:
        with staged(folder, KIND, {"name": name, "packages": model.packages}) as partial:
            CONVERT[name](weights, partial)
    except (ArtefactError, OSError):
        if not (folder / MANIFEST).is_file():  # else another process was faster
            raise
    return True


def _check_weights(name: str, model: Packaged) -> Path:
    weights, fix = weights_of(model), "Install the package again, from a registry that you trust."
    if weights is None:
        raise ArtefactError(model.module, "Weights are missing", model.weights, "nothing", fix)
    got = sha256_file(weights)
    if got != model.sha256:
        raise ArtefactError(str(weights), f"Weights of {name} differ", model.sha256, got, fix)
    return weights


def _pip(name: str, requirements: list[str]) -> None:
    """Run pip as it is installed: `-I`, or a `pip.py` in the current folder would run instead."""
    command = [sys.executable, "-I", "-m", "pip", "install", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", *requirements]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    importlib.invalidate_caches()
    if done.returncode == 0:
        return
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    what = f"pip could not install {name}: " + " | ".join(lines[-4:])
    where = f"pip install {' '.join(requirements)}"
    if _FULL.search(what):
        raise OutOfResources(what, where, "Free space, or use an environment you may write to.")
    raise BadInput(what, where, "Check the connection to the package registry, then try again.")
