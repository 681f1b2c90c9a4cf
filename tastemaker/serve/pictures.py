"""The pictures of a run's items, as they may be sent: files that its catalogue names, no others.

A file outside the folder of the catalogue's pictures is never opened, whatever a path or a link
says. What is sent is a small copy, drawn anew; no answer names a file.
"""

from __future__ import annotations

import hashlib
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from tastemaker.data.catalog import Catalog
from tastemaker.errors import BadInput
from tastemaker.models.thumbnails import thumbnail

KEPT = 1_000
"""Small copies that are held; each has about ten thousand bytes."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A small copy of a picture."""

    body: bytes
    tag: str
    """changes with the file"""


class ItemPictures:
    """Pictures by the item that they are of.

    Args:
        catalog: Names them.
        folder: Where its paths begin; empty: where the catalogue says.
    """

    def __init__(self, catalog: Catalog, folder: str = "") -> None:
        self.folder = Path(folder or catalog.folder).resolve()
        rows = zip(
            catalog.frame["item_id"].to_list(), catalog.frame["image"].to_list(), strict=True
        )
        self._named: dict[str, str] = {i: name.strip() for i, name in rows if name and name.strip()}
        self._kept: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether the catalogue names pictures, and their folder is on this machine."""
        return bool(self._named) and self.folder.is_dir()

    def __contains__(self, item: object) -> bool:
        """Whether an item has a picture that may be sent."""
        return isinstance(item, str) and self.file(item) is not None

    def file(self, item: str) -> Path | None:
        """The file of an item's picture; None where it has none that may be sent."""
        if item not in self._named:
            return None
        return self._found(self._named[item])  # anew each time: a link may have taken its place

    def files(self) -> dict[str, Path]:
        """Item → file, of all that may be sent."""
        found = {item: self.file(item) for item in self._named}
        return {item: path for item, path in found.items() if path is not None}

    def shown(self, item: str) -> Shown | None:
        """A small copy of an item's picture; None where there is none that can be read."""
        path = self.file(item)
        if path is None:
            return None
        try:
            now = path.stat()
            tag = f"{now.st_mtime_ns} {now.st_size} {path}"
            with self._lock:
                if tag in self._kept:
                    self._kept.move_to_end(tag)
                    return self._kept[tag]
            body = thumbnail(path)
        except (OSError, BadInput):
            return None
        made = Shown(body, hashlib.sha256(body).hexdigest()[:32])
        with self._lock:
            self._kept[tag] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def _found(self, name: str) -> Path | None:
        try:
            path = (self.folder / name).resolve(strict=True)
            plain = stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if plain and path.is_relative_to(self.folder) else None
