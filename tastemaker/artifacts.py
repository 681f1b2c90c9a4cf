"""Folders that can be trusted: written whole or not at all, and checked before they are read.

An artefact is a folder of safetensors, Parquet, Arrow and JSON files with a `manifest.json` that
holds the size and sha256 of each (reliability §3). It is written into a temporary sibling, synced,
and renamed; a folder without a valid manifest does not exist. Nothing here can run code: no pickle.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemaker.errors import ArtefactError

if TYPE_CHECKING:
    pass
from tastemaker.files import (
    TEMPORARY,
    make_folder,
    read_json,
    resources,
    sha256_file,
    sync,
    write_json,
    write_text,
)

SCHEMA = 1
"""Version of the folder layout; a reader takes exactly this one."""

MANIFEST = "manifest.json"
_NAME = re.compile(r"\w[\w.\-]*")


@contextmanager
def staged(folder: Path, kind: str, meta: Mapping[str, Any]) -> Iterator[Path]:
    """Write a new artefact: fill the folder that is yielded; it appears at `folder` when done.

    Args:
        folder: Final place; must not exist.
        kind: What it is, such as `checkpoint`.
        meta: JSON values kept in the manifest.

    Raises:
        ArtefactError: If `folder` exists: published folders are never overwritten.
        OutOfResources: If the disk is full or may not be written.
    """
    if folder.exists():
        fix = "Write to another folder, or remove this one first."
        raise ArtefactError(str(folder), "Folder already exists", "a new name", "a folder", fix)
    partial = folder.with_name(f"{TEMPORARY}{folder.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    try:
        yield partial
        seal(partial, kind, meta)
        with resources(folder, 0):
            partial.rename(folder)
            sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def seal(folder: Path, kind: str, meta: Mapping[str, Any], skip: tuple[str, ...] = ()) -> None:
    """Sync every file of `folder` and write its manifest last.

    Args:
        folder: Folder whose files are all written.
        kind: What it is.
        meta: JSON values kept in the manifest.
        skip: Names of direct children that are artefacts of their own.
    """
    files = {}
    for path in _files(folder, skip):
        sync(path)
        files[path.relative_to(folder).as_posix()] = {
            "bytes": path.stat().st_size,
            "sha256": sha256_file(path),
        }
    manifest = {"schema": SCHEMA, "kind": kind, "files": files, "meta": dict(meta)}
    write_json(folder / MANIFEST, manifest)


def verify(folder: Path, kind: str) -> dict[str, Any]:
    """Check every file against the manifest and return its `meta`.

    Raises:
        ArtefactError: On the first file that is missing, cut, changed or of another schema.
    """
    fix = "Restore the folder from a copy, or make it again."
    manifest = _read_manifest(folder, kind, fix)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise ArtefactError(str(path), "File is missing", "a file", "nothing", fix)
        size = path.stat().st_size
        if size != expected["bytes"]:
            want = f"{expected['bytes']} bytes"
            raise ArtefactError(str(path), "File has the wrong size", want, f"{size} bytes", fix)
        got = sha256_file(path)
        if got != expected["sha256"]:
            raise ArtefactError(str(path), "File was changed", expected["sha256"], got, fix)
    meta: dict[str, Any] = manifest["meta"]
    return meta


def _read_manifest(folder: Path, kind: str, fix: str) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        what = "There is no finished artefact here"
        raise ArtefactError(str(folder), what, MANIFEST, "none", fix)
    manifest = read_json(path)
    files = manifest.get("files")
    shaped = isinstance(files, dict) and all(
        isinstance(f, dict) and {"bytes", "sha256"} <= f.keys() and _inside(name)
        for name, f in files.items()
    )
    if not shaped or not isinstance(manifest.get("meta"), dict):
        want = "files and meta, each file with bytes and sha256"
        raise ArtefactError(str(path), "Manifest is damaged", want, "something else", fix)
    if manifest.get("schema") != SCHEMA:
        what, got = "Folder has another schema", str(manifest.get("schema"))
        raise ArtefactError(str(path), what, str(SCHEMA), got, "Use the version that wrote it.")
    if manifest.get("kind") != kind:
        what, got = "Folder is something else", str(manifest.get("kind"))
        raise ArtefactError(str(path), what, kind, got, f"Give the path of a {kind}.")
    return manifest


def point(pointer: Path, name: str) -> None:
    """Make the small file `pointer` name a sibling folder, atomically."""
    write_text(pointer, name + "\n")


def pointed(pointer: Path) -> Path | None:
    """The sibling folder that `pointer` names, or None when there is no pointer."""
    if not pointer.is_file():
        return None
    name = pointer.read_bytes().decode(errors="replace").strip()
    if not _NAME.fullmatch(name):
        fix = "Delete the pointer to start over."
        raise ArtefactError(str(pointer), "Pointer is damaged", "a folder name", repr(name), fix)
    return pointer.parent / name


def sweep(parent: Path) -> list[Path]:
    """Remove what a killed writer left half-written in `parent`; returns what was removed."""
    stale = sorted(parent.glob(f"{TEMPORARY}*")) if parent.is_dir() else []
    for path in stale:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return stale


def _inside(name: str) -> bool:
    """Whether a relative path stays in its folder."""
    return all(_NAME.fullmatch(part) for part in name.split("/"))


def _files(folder: Path, skip: tuple[str, ...]) -> list[Path]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    inside = {path: path.relative_to(folder) for path in found}
    return [
        path
        for path, name in inside.items()
        if name.parts[0] not in skip and name.as_posix() != MANIFEST
    ]
