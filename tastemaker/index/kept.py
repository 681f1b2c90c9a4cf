"""What an index consists of, and its folder: plain arrays and a manifest, checked before use.

The vectors stand alone in their file, which is mapped into memory and not read as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemaker import artifacts
from tastemaker.config import from_json, to_json
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject, save_tensors
from tastemaker.index.calibrate import QUERIES, Calibration
from tastemaker.index.cells import Cells
from tastemaker.index.choice import ENGINES, IndexOptions
from tastemaker.index.exact import Floats, Read, lengths
from tastemaker.index.graph import Graph
from tastemaker.index.store import LONGEST, Store

KIND = "index"
VECTORS, ROWS, ENGINE = "vectors.safetensors", "rows.safetensors", "engine.safetensors"
FILES = (artifacts.MANIFEST, VECTORS, ROWS, ENGINE)
"""Files of an index; the last where it is approximate."""
_FIX = "Restore the folder from a copy, or make the index again."

Engine = Graph | Cells
_UNMEASURED = Calibration("exact", {}, 1, 1, 0, 1, 0, 0, 0, 0)


@dataclass
class Parts:
    """What an index consists of."""

    store: Store
    """the vectors"""
    options: IndexOptions
    """what it was to be"""
    queries: Floats
    """(q, D) that recall is measured with; none: they are drawn"""
    engine: Engine | None = None
    """what searches; None: all vectors are looked at"""
    calibration: Calibration = field(default=_UNMEASURED)
    """what it reached"""
    changed: int = 0
    """vectors that came and went since"""

    @property
    def nbytes(self) -> int:
        """Bytes that they hold."""
        return self.store.nbytes + (self.engine.nbytes if self.engine else 0)


def write_parts(folder: Path, parts: Parts) -> None:
    """Write an index as an artefact.

    Raises:
        ArtefactError: If the folder exists.
        OutOfResources: If the disk is full or may not be written.
    """
    meta = {
        "options": to_json(parts.options),
        "calibration": to_json(parts.calibration),
        "changed": parts.changed,
    }
    store = parts.store
    rows = {"ids": store.ids, "alive": store.alive, "queries": parts.queries}
    with artifacts.staged(folder, KIND, meta) as partial:
        _write(partial / VECTORS, {"vectors": store.vectors})
        _write(partial / ROWS, rows)
        if parts.engine:
            _write(partial / ENGINE, parts.engine.tensors())


def _write(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    import torch

    save_tensors(path, {name: torch.from_numpy(array) for name, array in arrays.items()})


def read_parts(folder: Path) -> Parts:
    """Read an index; nothing is used, and no memory taken, that was not checked.

    Raises:
        ArtefactError: If a part is missing, damaged, or does not fit the others.
        BadInput: If it is approximate, and the extra that searches it is not installed.
    """
    meta = artifacts.verify(folder, KIND, (VECTORS, ROWS), (ENGINE,))
    options, calibration, changed = _read_meta(folder, meta)
    vectors = _mapped(folder / VECTORS)
    count, dim = vectors.shape
    asked = _shapes(folder / ROWS).get("queries", (0,))[0]
    if asked > QUERIES:
        raise _damaged(folder / ROWS, f"at most {QUERIES} queries", f"{asked:,}")
    wanted = {
        "ids": ((count,), np.int64),
        "alive": ((count,), np.bool_),
        "queries": ((asked, dim), np.float32),
    }
    rows = _read(folder / ROWS, wanted)
    _check_rows(folder / ROWS, rows)
    engine = _read_engine(folder, calibration, vectors)
    store = Store(rows["ids"], vectors, rows["alive"])
    return Parts(store, options, rows["queries"], engine, calibration, changed)


def _read_meta(folder: Path, meta: JsonObject) -> tuple[IndexOptions, Calibration, int]:
    path = folder / artifacts.MANIFEST
    changed = meta.get("changed")
    if meta.keys() != {"options", "calibration", "changed"} or type(changed) is not int:
        raise _damaged(path, "options, calibration and changed", ", ".join(meta))
    try:
        options = from_json(IndexOptions, meta["options"], "options")
        calibration = from_json(Calibration, meta["calibration"], "calibration")
    except BadInput as error:
        raise _damaged(path, "what an index says of itself", error.what) from None
    approximate = calibration.kind != "exact"
    if not 0 <= calibration.reached <= 1 or approximate != (folder / ENGINE).exists():
        raise _damaged(path, "a calibration of this index", repr(meta["calibration"]))
    return options, calibration, changed


def _mapped(path: Path) -> Floats:
    """The (n, D) vectors of a file, left on the disk; what is written over them stays in memory."""
    shape = _shapes(path).get("vectors", ())
    if len(shape) != 2 or shape[1] < 1:
        raise _damaged(path, "vectors of shape (n, D)", str(shape))
    _check(path, {"vectors": (shape, np.float32)})
    if not shape[0]:
        return np.empty(shape, np.float32)
    # The values of the only tensor end with the file.
    start = path.stat().st_size - 4 * shape[0] * shape[1]
    vectors: Floats = np.asarray(np.memmap(path, np.float32, "c", start, shape))
    if not (lengths(vectors) <= LONGEST).all():
        raise _damaged(path, "finite vectors", "NaN, infinity or larger values")
    return vectors


def _check_rows(path: Path, rows: Mapping[str, Read]) -> None:
    ids = np.sort(rows["ids"][rows["alive"]])
    if len(ids) and (ids[0] < 0 or (ids[1:] == ids[:-1]).any()):
        raise _damaged(path, "ids from 0 on, each once", "others")
    if not (lengths(rows["queries"]) <= LONGEST).all():
        raise _damaged(path, "finite queries", "NaN, infinity or larger values")


def _read_engine(folder: Path, calibration: Calibration, vectors: Floats) -> Engine | None:
    if calibration.kind == "exact":
        return None
    path, kind = folder / ENGINE, ENGINES[calibration.kind]
    saved = _read(path, kind.types(_shapes(path), *vectors.shape))
    try:
        engine = kind.from_tensors(saved, vectors)
    except ValueError as error:
        raise _damaged(path, f"what an {kind.kind} index is", str(error)) from None
    effort = calibration.parameters.get("effort")
    if effort not in engine.efforts:
        raise _damaged(folder / artifacts.MANIFEST, f"one of {engine.efforts}", f"effort {effort}")
    return engine


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    from tastemaker.weights import stored_tensors

    return {name: one.shape for name, one in stored_tensors(path).items()}


def _check(path: Path, wanted: Mapping[str, tuple[tuple[int, ...], Any]]) -> None:
    """Compare names, shapes and types with a file's header."""
    from tastemaker.weights import stored_tensors

    found = {name: str(one) for name, one in stored_tensors(path).items()}
    want = {name: f"{shape} {np.dtype(kind).name}" for name, (shape, kind) in wanted.items()}
    if found != want:
        raise _damaged(path, str(want), f"{found!r:.500}")


def _read(path: Path, wanted: Mapping[str, tuple[tuple[int, ...], Any]]) -> dict[str, Read]:
    from tastemaker.files import load_tensors

    _check(path, wanted)
    found = {name: tensor.numpy() for name, tensor in load_tensors(path).items()}
    for name, array in found.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _damaged(path, f"finite {name}", "NaN or infinity")
    return found


def _damaged(path: Path, expected: str, got: str) -> ArtefactError:
    return ArtefactError(str(path), "The index is damaged", expected, got, _FIX)
