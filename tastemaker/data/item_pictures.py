"""The pictures and texts of a catalogue, item by item, and the parts to learn and to measure by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tastemaker.counts import by_count, counted
from tastemaker.errors import BadInput

Words = Literal["auto", "title", "text", "all"]
"""Which words of an item: its title or else its text, one of them, or all that is written of it."""
Parts = npt.NDArray[np.int64]
TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Wanted:
    """What is read of each item."""

    text: Words = "auto"
    """what its text vector is made of"""
    caption: Words = "auto"
    """what is to be written of its picture"""
    pictures: bool = True
    texts: bool = True
    """an item without a text is refused"""

    def __post_init__(self) -> None:
        """Refuse words that an item has none of."""
        for name in ("text", "caption"):
            if vars(self)[name] not in get_args(Words):
                what = f"No words of an item are called {vars(self)[name]!r}."
                raise BadInput(what, f"--{name}", f"Give one of {', '.join(get_args(Words))}.")


@dataclass(frozen=True, eq=False)
class ItemPictures:
    """N items of a catalogue."""

    file: str
    """the table they stand in"""
    item_ids: tuple[str, ...]
    titles: tuple[str, ...]
    """what each is called: its title, else its id"""
    texts: tuple[str, ...]
    captions: tuple[str, ...]
    """what is to be written of its picture"""
    paths: tuple[Path, ...]
    """of pictures; empty where none were asked for"""
    hashes: tuple[str, ...]
    """what equal pictures share; empty likewise"""
    dropped: int = 0
    """rows that were left out"""

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def sha256(self) -> str:
        """Of what is learned from, in whatever order it stood."""
        rows = zip(self.item_ids, self.texts, self.captions, self._pictures(), strict=True)
        return sha256(repr(sorted(rows)).encode(errors="surrogatepass")).hexdigest()

    def rows(self, chosen: Sequence[int] | Parts) -> ItemPictures:
        """The same, of some items alone."""
        kept: dict[str, Any] = {}
        for name in ("item_ids", "titles", "texts", "captions", "paths", "hashes"):
            values = vars(self)[name]
            kept[name] = tuple(values[row] for row in chosen) if values else ()
        return replace(self, **kept)

    def doubles(self) -> dict[str, int]:
        """Items whose text, and whose picture, another one has as well."""
        columns = {"texts": self.texts, "pictures": self.hashes}
        return {
            name: sum(count for count in Counter(values).values() if count > 1)
            for name, values in columns.items()
        }

    def parts(self, validation: float, test: float, seed: int = 0) -> Parts:
        """(N,) part of each item: `TRAIN`, `VALIDATION` or `TEST`; one picture is in one part.

        Which part depends on the seed and the picture, not on the order of rows.

        Raises:
            BadInput: If there are too few different pictures for three parts.
        """
        pictures = sorted(
            set(self.hashes), key=lambda one: sha256(f"{seed} {one}".encode()).digest()
        )
        sizes = [max(1, round(share * len(pictures))) for share in (test, validation)]
        if len(pictures) - sum(sizes) < max(sizes[0], 2):
            many = counted(len(pictures), "different picture")
            what = f"{many} {by_count(len(pictures), 'is', 'are')} too few to learn and measure by."
            raise BadInput(
                what, self.file, "Give more items, or a smaller --validation and --test."
            )
        part = dict.fromkeys(pictures, TRAIN)
        part |= dict.fromkeys(pictures[: sizes[0]], TEST)
        part |= dict.fromkeys(pictures[sizes[0] : sum(sizes)], VALIDATION)
        return np.array([part[one] for one in self.hashes], np.int64)

    def _pictures(self) -> tuple[str, ...]:
        return self.hashes or ("",) * len(self)
