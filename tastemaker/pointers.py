"""Pointers: a small file that names the newest of several sibling artefacts, and its digest.

A pointer is replaced atomically, so a reader sees the artefact before or the one after; another
artefact under the name of the one that was meant is noticed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tastemaker.artifacts import digest_of, inside, status_of
from tastemaker.errors import ArtefactError
from tastemaker.files import write_text

_SHA256 = re.compile(r"[0-9a-f]{64}")


def point(pointer: Path, name: str) -> None:
    """Make the small file `pointer` name a sibling artefact and its digest, atomically."""
    digest = digest_of(pointer.parent / name)
    write_text(pointer, f"{name} {digest}\n")


def pointed(pointer: Path) -> Path | None:
    """The sibling artefact that `pointer` names, or None when there is no pointer.

    Raises:
        ArtefactError: If the pointer is damaged, or another artefact stands under that name.
    """
    fix = "Delete the pointer to start over."
    restore = "Restore the folder from a copy, or make it again."
    if not os.path.lexists(pointer):
        return None
    raw = pointer.read_bytes()[:400] if status_of(pointer.parent, pointer.name) else b""
    name, _, digest = raw.decode(errors="replace").removesuffix("\n").partition(" ")
    if not (inside(name) and "/" not in name and _SHA256.fullmatch(digest)):
        want = "a folder's name and its digest"
        raise ArtefactError(str(pointer), "Pointer is damaged", want, repr(name), fix)
    folder = pointer.parent / name
    if folder.is_symlink():
        what, got = "A link stands in place of a folder", "a symbolic link"
        raise ArtefactError(str(folder), what, "a folder", got, fix)
    got = digest_of(folder)
    if got != digest:
        raise ArtefactError(str(folder), "Folder was replaced by another", digest, got, restore)
    return folder
