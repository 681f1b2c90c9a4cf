"""A fitted law as one JSON file: by task, with its data's hash, form, scaling, seed and cost.

The file is written whole or not at all and ends with a digest of what stands in it, so that one
that was cut or changed is refused. Nothing in it can run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tastemaker import files
from tastemaker.config import from_json, to_json
from tastemaker.embed.video_budget import VideoFitConfig, VideoLaw
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import EXAMPLES, FACTORS, Floats
from tastemaker.embed.video_frontier import grid_of
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject

KIND, SCHEMA = "video law", 1
_FIX = "Fit it again with `tastemaker video fit`."


@dataclass(frozen=True, eq=False)
class VideoFit:
    """Laws by task, and what they are used with."""

    laws: Mapping[str, VideoLaw]
    """the mean over tasks first"""
    cost: VideoCost
    axes: tuple[tuple[float, ...], ...]
    """sizes, frames and tokens that were measured: the grid that is searched"""
    checks: JsonObject
    """how predictions agree with measured errors: `fitted`, `cross-validated`, `dearest fifth`"""
    notes: tuple[str, ...] = ()
    """what a reader must know first"""

    @property
    def law(self) -> VideoLaw:
        """That of the mean over tasks."""
        return next(iter(self.laws.values()))

    @property
    def grid(self) -> Floats:
        """(G, 3) every combination of what was measured."""
        return grid_of(*self.axes)


def axes_of(points: VideoPoints) -> tuple[tuple[float, ...], ...]:
    """Every size, number of frames and of tokens that was measured."""
    return tuple(tuple(np.unique(points.x[:, k]).tolist()) for k in range(EXAMPLES))


def save_fit(path: Path, fit: VideoFit) -> None:
    """Write a fit.

    Raises:
        OutOfResources: If the disk is full or may not be written.
    """
    content = {
        "kind": KIND,
        "schema": SCHEMA,
        "laws": {name: _written(law) for name, law in fit.laws.items()},
        "cost": to_json(fit.cost),
        "axes": [list(axis) for axis in fit.axes],
        "checks": fit.checks,
        "notes": list(fit.notes),
    }
    files.make_folder(path.parent)
    files.write_json(path, content | {"digest": _digest(content)})


def open_fit(path: Path) -> VideoFit:
    """Read a fit.

    Raises:
        ArtefactError: If it is missing, something else, cut, changed or of another schema.
        BadInput: If an option in it is none, or the path is a device or may not be read.
    """
    files.refuse_unreadable(path)
    if path.is_dir():
        raise ArtefactError(str(path), "This is a folder", "the file of a fit", "a folder", _FIX)
    if not path.exists():
        fix = "Make one with `tastemaker video fit --points RUNS`, or name yours with --fit."
        raise ArtefactError(str(path), "There is no fit", "the file of a fit", "nothing", fix)
    try:
        content = files.read_json(path)
    except ArtefactError as refused:
        got = refused.got
        raise ArtefactError(str(path), "File is no fit", refused.expected, got, _FIX) from None
    told = content.pop("digest", None)
    if (content.get("kind"), content.get("schema")) != (KIND, SCHEMA):
        got = f"{content.get('kind')!r}, schema {content.get('schema')!r}"
        raise ArtefactError(str(path), "File is no fit", f"{KIND!r}, schema {SCHEMA}", got, _FIX)
    if told != _digest(content):
        raise ArtefactError(str(path), "File was changed", "its digest", str(told), _FIX)
    return VideoFit(
        {name: _read(law, str(path)) for name, law in content["laws"].items()},
        from_json(VideoCost, content["cost"], str(path)),
        tuple(tuple(axis) for axis in content["axes"]),
        content["checks"],
        tuple(content["notes"]),
    )


def _digest(content: JsonObject) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _written(law: VideoLaw) -> JsonObject:
    return {
        "config": to_json(law.config),
        "data_sha256": law.data_sha256,
        "points": law.points,
        "factors": [name for name, varies in zip(FACTORS, law.active, strict=True) if varies],
        "scaling": {"factors": np.exp(law.centre).tolist(), "error": float(np.exp(law.scale))},
        "ends": law.ends.tolist(),
        "parameters": list(law.layout.names),
        "values": [[float(f"{value:.12g}") for value in row] for row in law.values],
    }


def _read(law: JsonObject, where: str) -> VideoLaw:
    scaling = law["scaling"]
    return VideoLaw(
        from_json(VideoFitConfig, law["config"], where),
        tuple(name in law["factors"] for name in FACTORS),
        np.log(np.array(scaling["factors"])),
        float(np.log(scaling["error"])),
        np.array(law["values"]),
        np.array(law["ends"]),
        law["points"],
        law["data_sha256"],
    )
