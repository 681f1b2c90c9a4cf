"""Taxonomy: categories, numbered from 1, that interests are mapped to; 0 is none of them.

A model maps a few names at a time, to lines `number: category`. What it said is kept by name and
taxonomy, so that one name has one category throughout, whoever asks.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tastemaker.data.categories import fold
from tastemaker.errors import BadInput

OTHER = 0
"""Category of an interest that no category fits."""
BATCH = 3
"""Interests that a model maps at once."""


@dataclass(frozen=True)
class Taxonomy:
    """Named categories; category c is `names[c - 1]`."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse names that could not be told apart."""
        folded = [fold(name) for name in self.names]
        for name, key in zip(self.names, folded, strict=True):
            if not key or folded.count(key) > 1:
                what = f"Category {name!r:.80} " + ("stands there twice." if key else "is no name.")
                raise BadInput(what, "taxonomy", "Give each category a name of its own.")

    @cached_property
    def sha256(self) -> str:
        """Hash of the names in their order."""
        return hashlib.sha256("\x1f".join(self.names).encode()).hexdigest()

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Folded name → category."""
        return {fold(name): number for number, name in enumerate(self.names, start=1)}

    def number(self, name: str) -> int:
        """Category of this name in any case and with blanks around it; `OTHER` if there is none."""
        return self.numbers.get(fold(name), OTHER)

    def key(self, interest: str) -> str:
        """Under what the category of an interest is kept: its name and this taxonomy."""
        return hashlib.sha256(f"{self.sha256}\x1f{fold(interest)}".encode()).hexdigest()

    @classmethod
    def open(cls, path: Path) -> Taxonomy:
        """Read a CSV of `category_id,category_name`, numbered from 1 without gaps, in any order.

        Raises:
            BadInput: If it is not such a file.
        """
        fix = "Write a header category_id,category_name and a line a category, from 1."
        try:
            with path.open(encoding="utf-8-sig", newline="") as source:
                rows = [
                    (row["category_id"], row["category_name"]) for row in csv.DictReader(source)
                ]
            names = {int(number): name.strip() for number, name in rows}
        except OSError as error:
            what = f"The taxonomy cannot be read: {error.strerror}."
            raise BadInput(what, str(path), "Give the path of a file.") from None
        except (KeyError, AttributeError, TypeError, ValueError, csv.Error) as error:
            missing = f"column {error} is missing" if isinstance(error, KeyError) else str(error)
            what = f"The file is no taxonomy: {missing}."
            raise BadInput(what, str(path), fix) from None
        if not rows or len(names) < len(rows) or sorted(names) != list(range(1, len(rows) + 1)):
            raise BadInput("Categories are not numbered from 1 without gaps.", str(path), fix)
        return cls(tuple(names[number] for number in sorted(names)))


def categories_of(
    interests: Sequence[str],
    taxonomy: Taxonomy,
    ask: Callable[[Sequence[str]], Sequence[int]],
    known: MutableMapping[str, int],
) -> list[int]:
    """c(j) of interests by name, asking for each name once.

    Args:
        interests: (J,) names.
        taxonomy: What they are mapped to.
        ask: Maps at most `BATCH` names to categories; anything that is no category is `OTHER`.
        known: `Taxonomy.key` → category, of names asked for before; new ones are added.
    """
    keys: dict[str, str] = {}
    for name in interests:
        keys.setdefault(taxonomy.key(name), name)
    new = [key for key in keys if key not in known]
    for start in range(0, len(new), BATCH):
        several = new[start : start + BATCH]
        answers = list(ask([keys[key] for key in several]))[: len(several)]
        answers += [OTHER] * (len(several) - len(answers))
        for key, category in zip(several, answers, strict=True):
            known[key] = category if 0 < category <= len(taxonomy.names) else OTHER
    return [known[taxonomy.key(name)] for name in interests]
