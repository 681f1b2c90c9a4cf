"""Category map: which category each name was mapped to, kept in a file from run to run.

Each is one record, whole or not there, so that whoever is killed loses nothing that was answered.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path

from tastemaker import records
from tastemaker.errors import ArtefactError


class CategoryMap(MutableMapping[str, int]):
    """`Taxonomy.key` → category; what is set is on the disk.

    Args:
        path: A file of records; made where there is none.

    Raises:
        ArtefactError: If the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, int] = {}
        for number, record in enumerate(records.read(path), start=1):
            key, category = record.get("key"), record.get("category")
            if not isinstance(key, str) or type(category) is not int:
                what, fix = f"Line {number} is no category", "Remove this line, or the file."
                wanted = '{"key": "…", "category": 1}'
                raise ArtefactError(str(path), what, wanted, repr(record)[:80], fix)
            self._known[key] = category

    def __getitem__(self, key: str) -> int:
        """Category of a key."""
        return self._known[key]

    def __setitem__(self, key: str, category: int) -> None:
        """Keep a category; nothing is written where it is known."""
        if self._known.get(key) != category:
            records.append(self.path, {"key": key, "category": category})
            self._known[key] = category

    def __delitem__(self, key: str) -> None:
        """Nothing is taken back.

        Raises:
            KeyError: Always.
        """
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        """Keys, as first kept."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)
