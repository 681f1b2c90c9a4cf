"""Single files, whole or not at all: text, JSON and tensors.

A file is written beside its place, synced and renamed over it, so that a reader sees the old one or
the new one. Nothing here can run code: no pickle.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemaker.counts import counted
from tastemaker.errors import ArtefactError, BadInput, OutOfResources

if TYPE_CHECKING:
    from torch import Tensor

JsonObject = dict[str, Any]
"""A JSON object, read or to be written."""
TEMPORARY = ".partial-"
"""How names begin of what is not whole yet."""

_RESOURCES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def make_folder(folder: Path) -> None:
    """Create a folder and its parents.

    Raises:
        OutOfResources: If the disk may not be written.
    """
    with resources(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace a file atomically: temporary sibling, fsync, rename, fsync of the folder."""
    raw = text.encode()
    with replaced(path, len(raw)) as partial:
        partial.write_bytes(raw)


@contextmanager
def replaced(path: Path, needed: int = 0) -> Iterator[Path]:
    """A temporary sibling to write; when done it takes the place of `path`, else it is removed.

    Args:
        path: File to replace.
        needed: Bytes it takes, where known, for the message on a full disk.

    Raises:
        OutOfResources: If the disk is full or may not be written.
    """
    partial = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
    with resources(path, needed):
        try:
            yield partial
            sync(partial)
            partial.replace(path)
            sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Replace a JSON file atomically; NaN and infinity are refused."""
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """The one way in which the package writes a JSON value.

    Raises:
        ValueError: If it holds NaN or infinity.
    """
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def read_json(path: Path) -> JsonObject:
    """Read a JSON object that the package wrote.

    Raises:
        ArtefactError: If the file is missing or is not a JSON object.
    """
    fix = "Restore the folder from a copy, or make it again."
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtefactError(str(path), "File is missing", "a file", "nothing", fix) from None
    except (ValueError, RecursionError) as error:
        raise ArtefactError(
            str(path), "File is not JSON", "a JSON object", str(error), fix
        ) from None
    if not isinstance(value, dict):
        got = type(value).__name__
        raise ArtefactError(str(path), "File has the wrong shape", "a JSON object", got, fix)
    return value


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors.

    Raises:
        OutOfResources: If they do not fit on the disk.
    """
    from safetensors.torch import save_file

    ready = _apart({name: tensor.detach().cpu() for name, tensor in tensors.items()})
    needed = sum(t.nbytes for t in ready.values())
    with resources(path, needed):
        save_file(ready, path)
        path.chmod(0o644)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each contiguous and in memory of its own; copied only where it is not yet."""
    ready: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        flat = tensor.contiguous()
        memory = flat.untyped_storage().data_ptr()
        ready[name] = flat.clone() if memory in taken else flat
        taken.add(memory)
    return ready


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file, whose bytes `verify` has checked.

    Raises:
        ArtefactError: If it is not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    fix = "Restore the folder from a copy, or make it again."
    try:
        return load_file(path)
    except FileNotFoundError:
        raise ArtefactError(str(path), "File is missing", "a file", "nothing", fix) from None
    except SafetensorError as error:
        what, want = "File cannot be read", "safetensors"
        raise ArtefactError(str(path), what, want, str(error), fix) from None


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have the system write a file or folder to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _code(error: Exception) -> int | None:
    """Number of the system's error; libraries may wrap it in errors of their own."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    told = re.search(r"os error (\d+)", str(error))
    return int(told[1]) if told else None


@contextmanager
def resources(path: Path, needed: int) -> Iterator[None]:
    """Turn a full or read-only disk into an error that names the path and the bytes.

    Raises:
        OutOfResources: If the system says so while inside.
    """
    try:
        yield
    except Exception as error:
        code = _code(error)
        if code is None or code not in _RESOURCES:
            raise
        raise OutOfResources(
            f"Could not write {counted(needed, 'byte')}: {os.strerror(code)}.",
            str(path),
            "Free space or choose another folder with --out; what was saved before is intact.",
        ) from error


def refuse_unreadable(path: Path) -> None:
    """Refuse devices, pipes and sockets, whose reading may never end, and what may not be read.

    A path where nothing lies is not refused.

    Raises:
        BadInput: Without having opened it.
    """
    fix = "Give a file or a folder."
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return
    except OSError as error:
        what = f"The path cannot be looked at: {error.strerror}."
        raise BadInput(what, shortened(str(path)), fix) from None
    folder = stat.S_ISDIR(mode)
    if not folder and not stat.S_ISREG(mode):
        what = "This is a device, a pipe or a socket, not a file."
        raise BadInput(what, str(path), fix)
    if not os.access(path, os.R_OK | os.X_OK if folder else os.R_OK):
        what = "The permission to read is missing."
        raise BadInput(what, str(path), "Change its permissions, or give another path.")


def shortened(text: str, most: int = 200) -> str:
    """A text for a message, its end left out where it is long."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
