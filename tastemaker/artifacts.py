"""Folders that can be trusted: written whole or not at all, and checked before they are read.

An artefact is a folder of safetensors, Parquet, Arrow and JSON files with a `manifest.json` that
holds the size and sha256 of each, what else is known of it, and the sha256 of all that (reliability
§3). It is written into a temporary sibling, synced, and renamed; a folder without a valid manifest
does not exist. Nothing here can run code: no pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tastemaker.counts import counted
from tastemaker.errors import ArtefactError
from tastemaker.files import (
    TEMPORARY,
    JsonObject,
    json_text,
    make_folder,
    replaced,
    resources,
    sha256_file,
    sync,
    write_text,
)

SCHEMA = 2
"""Version of the folder layout; a reader takes exactly this one."""

MANIFEST = "manifest.json"
_NAME = re.compile(r"\w[\w.\-]*")
_LONGEST = 255
"""Bytes of a name, as file systems have it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FIX = "Restore the folder from a copy, or make it again."


@contextmanager
def staged(folder: Path, kind: str, meta: Mapping[str, object]) -> Iterator[Path]:
    """Write a new artefact: fill the folder that is yielded; it appears at `folder` when done.

    Args:
        folder: Final place; must not exist.
        kind: What it is, such as `checkpoint`.
        meta: JSON values kept in the manifest.

    Raises:
        ArtefactError: If `folder` exists: published folders are never overwritten.
        OutOfResources: If the disk is full or may not be written.
    """
    with _appearing(folder) as partial:
        yield partial
        names = [path.relative_to(partial).as_posix() for path in partial.rglob("*")]
        seal(partial, kind, meta, [name for name in names if (partial / name).is_file()])


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A temporary sibling that takes its place at `folder` once the block has ended well."""
    if folder.exists():
        fix = "Write to another folder, or remove this one first."
        raise ArtefactError(str(folder), "Folder already exists", "a new name", "a folder", fix)
    partial = folder.with_name(f"{TEMPORARY}{folder.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    try:
        yield partial
        with resources(folder, 0):
            partial.rename(folder)
            sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def seal(folder: Path, kind: str, meta: Mapping[str, object], names: Collection[str]) -> None:
    """Sync the files that belong to an artefact and write its manifest last.

    Args:
        folder: Folder that holds them, all written.
        kind: What it is.
        meta: JSON values kept in the manifest.
        names: Paths of the files inside the folder; what else stands there is no part of it.
    """
    files = {}
    for name in sorted(names):
        path = folder / name
        sync(path)
        files[name] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    manifest = {"schema": SCHEMA, "kind": kind, "files": files, "meta": dict(meta)}
    text = json_text(manifest | {"digest": _digest(manifest)})
    write_text(folder / MANIFEST, text)


def verify(
    folder: Path,
    kind: str | None,
    names: Collection[str] | None = None,
    optional: Collection[str] = (),
) -> JsonObject:
    """Check the manifest, and every file against it, and return its `meta`.

    Args:
        folder: An artefact.
        kind: What it must be; None: anything.
        names: The files that it must consist of; None: any.
        optional: Files that it may have beside.

    Raises:
        ArtefactError: On the first file that is missing, cut, changed, a link or of another schema.
    """
    manifest = _read_manifest(folder)
    if kind is not None and manifest["kind"] != kind:
        what, got, fix = "Folder is something else", str(manifest["kind"]), "Give the path of a "
        raise ArtefactError(str(folder / MANIFEST), what, kind, got, f"{fix}{kind}.")
    if names is not None and set(names) != manifest["files"].keys() - set(optional):
        want, got = ", ".join(sorted(names)), ", ".join(manifest["files"])
        raise ArtefactError(str(folder / MANIFEST), "Manifest lists other files", want, got, _FIX)
    for name, expected in manifest["files"].items():
        _check_file(folder, name, expected)
    meta: JsonObject = manifest["meta"]
    return meta


def _check_file(folder: Path, name: str, expected: JsonObject) -> None:
    path = folder / name
    status = status_of(folder, name)
    if status is None:
        raise ArtefactError(str(path), "File is missing", "a file", "nothing", _FIX)
    if status.st_size != expected["bytes"]:
        want, size = counted(expected["bytes"], "byte"), counted(status.st_size, "byte")
        raise ArtefactError(str(path), "File has the wrong size", want, size, _FIX)
    got = sha256_file(path)
    if got != expected["sha256"]:
        raise ArtefactError(str(path), "File was changed", expected["sha256"], got, _FIX)


def status_of(folder: Path, name: str) -> os.stat_result | None:
    """What the system says of a file, or None where there is none; no step on the way is a link."""
    path, status = folder, None
    for part in name.split("/"):
        path = path / part
        try:
            status = path.lstat()
        except OSError:
            return None
        if stat.S_ISLNK(status.st_mode):
            what, want = "A link stands in place of a file", "a file of the folder's own"
            raise ArtefactError(str(path), what, want, "a symbolic link", _FIX)
    return status if status and stat.S_ISREG(status.st_mode) else None


def meta_of(folder: Path) -> JsonObject:
    """What a manifest says beside its files, which are not read.

    Raises:
        ArtefactError: If there is no sound manifest.
    """
    meta: JsonObject = _read_manifest(folder)["meta"]
    return meta


def digest_of(folder: Path) -> str:
    """The sha256 that a sound manifest gives of its own content.

    Raises:
        ArtefactError: If there is no sound manifest.
    """
    digest: str = _read_manifest(folder)["digest"]
    return digest


def _read_manifest(folder: Path) -> JsonObject:
    """A manifest, sound in itself: of this schema, complete, and with the sha256 of its content."""
    path = folder / MANIFEST
    if status_of(folder, MANIFEST) is None:
        what = "There is no finished artefact here"
        raise ArtefactError(str(folder), what, MANIFEST, "none", _FIX)
    raw = path.read_bytes()
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        what, want = "File is not JSON", "a JSON object"
        raise ArtefactError(str(path), what, want, str(error), _FIX) from None
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if type(schema) is not int or schema != SCHEMA:
        what, fix = "Folder has another schema", "Make it again, or use the version that wrote it."
        raise ArtefactError(str(path), what, str(SCHEMA), repr(schema), fix)
    if not _sound(manifest, raw):
        want = "kind, files, meta, and their sha256, as they were written"
        raise ArtefactError(str(path), "Manifest is damaged", want, "something else", _FIX)
    checked: JsonObject = manifest
    return checked


def _sound(manifest: dict[str, object], raw: bytes) -> bool:
    """Whether these bytes, to the last white space, are what `seal` writes."""
    body = {name: value for name, value in manifest.items() if name != "digest"}
    listed, kind, meta = body.get("files"), body.get("kind"), body.get("meta")
    try:
        same = json_text(body | {"digest": _digest(body)}).encode() == raw
    except (ValueError, RecursionError):
        return False
    if not same or body.keys() != {"schema", "kind", "files", "meta"}:
        return False
    if not (isinstance(listed, dict) and isinstance(kind, str) and isinstance(meta, dict)):
        return False
    return bool(listed) and all(inside(name) and _entry(entry) for name, entry in listed.items())


def _digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json_text(body).encode()).hexdigest()


def _entry(listed: object) -> bool:
    """Whether this is what a manifest says of one file."""
    if not isinstance(listed, dict) or listed.keys() != {"bytes", "sha256"}:
        return False
    size, total = listed["bytes"], listed["sha256"]
    whole = type(size) is int and size >= 0
    return whole and isinstance(total, str) and bool(_SHA256.fullmatch(total))


def keep(folder: Path, place: Path) -> None:
    """Give a sealed artefact a second place, by other names of the same files, or by copies.

    Its files may then be unlinked and replaced at the first place, but not be written into.
    """
    with _appearing(place) as partial:
        for name in _names(folder):
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            _lend(folder / name, partial / name)
        sync(partial)


def put(folder: Path, place: Path) -> None:
    """Lay the files of a sealed artefact over those of a place, each at once, the manifest last.

    Until then nothing there is whole: whoever reads it reads from elsewhere. What else lies there
    stays. The two folders share files afterwards, as with `keep`.
    """
    for name in _names(folder):
        make_folder((place / name).parent)
        with replaced(place / name, (folder / name).stat().st_size) as partial:
            _lend(folder / name, partial)


def _names(folder: Path) -> list[str]:
    """Files of an artefact, its manifest last."""
    return [*_read_manifest(folder)["files"], MANIFEST]


def _lend(file: Path, name: Path) -> None:
    """Give a file another name or, where the file system has no links, a copy."""
    try:
        os.link(file, name)
    except OSError:
        name.unlink(missing_ok=True)  # else a copy would be written into what stands there
        with resources(name, file.stat().st_size):
            shutil.copyfile(file, name)
            sync(name)


def sweep(parent: Path) -> list[Path]:
    """Remove what a killed writer left half-written in `parent`; returns what was removed."""
    stale = sorted(parent.glob(f"{TEMPORARY}*")) if parent.is_dir() else []
    for path in stale:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return stale


def inside(name: str) -> bool:
    """Whether a relative path stays in its folder, and is one that a file system takes."""
    short = len(name.encode(errors="replace")) <= _LONGEST
    return short and all(_NAME.fullmatch(part) for part in name.split("/"))
