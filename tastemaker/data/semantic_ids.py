"""Semantic ids: a short sequence of codes for each item, by which a language model names it.

Like items share their first codes. However the codes were made, no two items have the same
sequence and none is the beginning of another: items that would be alike get one more code, by
which alone they differ, in the order of the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tastemaker.counts import counted
from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.contexts import Int32s, Int64s
from tastemaker.data.soundness import refuse
from tastemaker.errors import BadInput


@dataclass(frozen=True, eq=False)
class SemanticIds:
    """Codes of I items on L levels."""

    codes: Int32s
    """(I, L) row j is item code j + 1; −1 on the last level: without it the item is alone"""
    sizes: tuple[int, ...]
    """(L,) how many codes there are on each level"""

    @classmethod
    def of(cls, codes: npt.ArrayLike) -> Self:
        """Make sequences unique, and number the codes of each level from 0 in their order.

        Args:
            codes: (I, L) whole numbers, with L at least 1; rows may be alike.

        Raises:
            BadInput: If there is no item, or no level.
        """
        given = np.asarray(codes, np.int64)
        if given.ndim != 2 or not given.size:
            what = f"Codes have the shape {given.shape}."
            raise BadInput(what, "semantic ids", "Give a row an item, with at least one code.")
        levels, sizes = [], []
        for column in given.T:
            known, numbers = np.unique(column, return_inverse=True)
            levels.append(numbers.astype(np.int32))
            sizes.append(len(known))
        whole = np.stack(levels, axis=1)
        last = _apart(whole)
        if last.max() >= 0:
            whole, sizes = np.column_stack([whole, last]), [*sizes, int(last.max()) + 1]
        return cls(whole, tuple(sizes))

    @property
    def num_items(self) -> int:
        """I."""
        return len(self.codes)

    @property
    def num_tokens(self) -> int:
        """Codes of all levels together: what a model has vectors for."""
        return sum(self.sizes)

    def tokens(self) -> Int64s:
        """(I, L) the codes, numbered through over all levels; −1 where there is none."""
        starts = np.cumsum([0, *self.sizes[:-1]])
        return np.where(self.codes < 0, -1, self.codes + starts)

    def save(self, path: Path) -> None:
        """Write one Arrow file: a row an item, a column a level.

        Raises:
            OutOfResources: If the disk is full or may not be written.
        """
        columns = {f"level{n}": pa.array(level) for n, level in enumerate(self.codes.T)}
        table = pa.table(columns)
        write_arrow(path, table.replace_schema_metadata({"sizes": json.dumps(self.sizes)}))

    @classmethod
    def open(cls, path: Path, num_items: int) -> Self:
        """Read what `save` wrote.

        Args:
            path: The file.
            num_items: How many items there must be.

        Raises:
            ArtefactError: If it is missing or damaged, or of another catalogue.
        """
        table = open_arrow(path)
        if table.num_rows != num_items:
            refuse(path, "Another number of items", f"{num_items:,}", f"{table.num_rows:,}")
        sizes = _sizes(path, table)
        wanted = pa.schema([(f"level{n}", pa.int32()) for n in range(len(sizes))])
        nulls = sum(column.null_count for column in table.columns)
        if not table.schema.equals(wanted) or nulls:
            refuse(path, "Columns are others", str(wanted)[:80], str(table.schema)[:80])
        codes = np.stack([column.to_numpy() for column in table.columns], axis=1)
        _refuse_unsound(path, codes, sizes)
        return cls(codes, sizes)


def _apart(codes: Int32s) -> Int32s:
    """(I,) one more code for rows that are alike, in their order; −1 for those that are not."""
    _, alike, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(alike, kind="stable")
    begins = np.cumsum(counts) - counts
    place = np.empty(len(codes), np.int32)
    place[order] = np.arange(len(codes)) - begins[alike[order]]
    return np.where(counts[alike] > 1, place, -1).astype(np.int32)


def _sizes(path: Path, table: pa.Table) -> tuple[int, ...]:
    """Codes of each level, as the file says."""
    try:
        sizes = json.loads((table.schema.metadata or {}).get(b"sizes", b""))
    except (ValueError, RecursionError):
        sizes = None
    most = 2**31 - 1
    if not isinstance(sizes, list) or not all(type(n) is int and 1 <= n <= most for n in sizes):
        refuse(path, "Sizes of levels are damaged", "a list of numbers", repr(sizes)[:80])
    if not sizes:
        refuse(path, "Sizes of levels are damaged", "at least one level", "none")
    return tuple(sizes)


def _refuse_unsound(path: Path, codes: Int32s, sizes: Sequence[int]) -> None:
    """Refuse codes that no level has, and items that could not be told apart."""
    bare = codes < 0
    bare[:, -1] &= len(sizes) < 2 or codes[:, -1] != -1
    outside = bare | (codes >= np.asarray(sizes))
    if outside.any():
        row, level = np.argwhere(outside)[0]
        want = f"0 to {sizes[level] - 1:,}"
        got = f"{codes[row, level]:,} at item {row + 1:,}"
        refuse(path, f"Codes of level {level} are out of range", want, got)
    ends = codes[codes[:, -1] < 0, :-1]
    if len(np.unique(codes, axis=0)) != len(codes):
        refuse(path, "Items share a sequence", "one an item", "the same twice")
    if len(ends):
        _, alike = np.unique(codes[:, :-1], axis=0, return_inverse=True)
        several = np.bincount(alike)[alike] > 1
        if (several & (codes[:, -1] < 0)).any():
            got = counted(int(several.sum()), "item")
            refuse(path, "A sequence begins another", "none that does", got)
