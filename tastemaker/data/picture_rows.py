"""A catalogue on disk → its items with pictures and texts, or everything that is wrong with them.

What is wrong is said all at once: every picture that is missing or cannot be read, every item
without words. Nothing is left out unless that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.data.column_names import missing_column_fix
from tastemaker.data.datasets import place_of
from tastemaker.data.folders import find_items
from tastemaker.data.item_pictures import ItemPictures, Wanted
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.reading import write_dropped
from tastemaker.data.tables import Table, from_frame
from tastemaker.errors import BadInput
from tastemaker.files import refuse_unreadable

Look = Callable[[Path], str]
"""Decodes a picture, and gives what equal ones share; raises `BadInput` where it cannot."""
LISTED = 100
"""Problems of one kind that are listed one by one."""
_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.\-]+://|data:")
_COLUMNS = ("item_ids", "titles", "texts", "captions", "paths", "hashes")


def read_item_pictures(
    data: Any, wanted: Wanted, look: Look, bad_rows: Path | None = None
) -> ItemPictures:
    """Read the items of a catalogue with their pictures, and check all of them.

    Args:
        data: A folder with an items table, such a table alone, or one in memory. Paths of pictures
            go from the folder of the table.
        wanted: What is read of each item.
        look: Decodes a picture.
        bad_rows: Leave bad rows out and write them to this file, instead of refusing the data.

    Raises:
        BadData: With every problem found.
        BadInput: If there is no such data, or nothing is left of it.
    """
    table, root = items_table(data)
    problems = list(_missing_columns(table, wanted))
    try:
        catalog, rows = Catalog.numbered(table)
    except BadData as error:
        raise BadData([*error.problems, *problems]) from None
    if problems:
        raise BadData(problems)
    return _Reading(table.file, root, wanted, look).read(catalog, rows.to_list(), bad_rows)


def items_table(data: Any) -> tuple[Table, Path]:
    """The items table of what a user names, and the folder that its paths go from.

    Raises:
        BadInput: If there is none.
    """
    if not isinstance(data, str | Path):
        return from_frame(data), Path()
    refuse_unreadable(Path(data).expanduser())
    place = place_of(str(data))
    if place.is_file():
        return open_table(place), place.parent
    table = find_items(place)
    if table is None:
        fix = "Put items.csv or items.parquet there, with columns item_id, image and title."
        raise BadInput("The folder holds no catalogue of items.", str(place), fix)
    return table, place


def _missing_columns(table: Table, wanted: Wanted) -> list[Problem]:
    needed: list[tuple[str, tuple[str, ...]]] = []
    if wanted.pictures:
        needed.append(("image", ("picture", "photo", "image_path", "img")))
    words = {wanted.text, wanted.caption} if wanted.texts else set()
    needed += [(name, ()) for name in ("title", "text") if name in words]
    problems = [
        Problem(table.file, name, None, "", 1, "the column is missing",
                missing_column_fix(name, table.schema, also))
        for name, also in needed if name not in table.schema
    ]  # fmt: skip
    if words & {"auto", "all"} and not {"title", "text"} & table.schema.keys():
        fix = missing_column_fix("title", table.schema, ("name", "caption", "description"))
        what = "there is neither a title nor a text"
        problems.append(Problem(table.file, "title", None, "", 1, what, fix))
    return problems


@dataclass
class _Reading:
    """One pass over a catalogue."""

    file: str
    root: Path
    wanted: Wanted
    look: Look

    def read(self, catalog: Catalog, rows: list[int], bad_rows: Path | None) -> ItemPictures:
        bad: list[Problem] = []
        held: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        titles, alls = catalog.titles(), catalog.texts()
        known = catalog.frame.select("item_id", "title", "text", "image").iter_rows()
        for place, (item, title, text, image) in enumerate(known):
            words = {"title": _said(title), "text": _said(text), "all": alls[place].strip()}
            words["auto"] = words["title"] or words["text"]
            faults, path, digest = self._faults(rows[place], words, image)
            bad += faults
            if not faults:
                one = (item, titles[place], words[self.wanted.text], words[self.wanted.caption])
                for name, value in zip(_COLUMNS, (*one, path, digest), strict=True):
                    held[name].append(value)
        if bad:
            self._refuse(bad, bad_rows, left=len(held["item_ids"]))
        if not self.wanted.pictures:
            held["paths"], held["hashes"] = [], []
        dropped = len({problem.row for problem in bad})
        return ItemPictures(self.file, **{k: tuple(v) for k, v in held.items()}, dropped=dropped)

    def _faults(
        self, row: int, words: dict[str, str], image: str | None
    ) -> tuple[list[Problem], Path | None, str]:
        """What is wrong with a row; the path of its picture, and what equal ones share."""
        faults: list[Problem] = []
        if self.wanted.texts:
            fix = "Write something, or leave the row out with --on-bad-rows drop."
            for kind in dict.fromkeys((self.wanted.text, self.wanted.caption)):
                column = {"auto": "title", "all": "title"}.get(kind, kind)
                what = "there is no title and no text" if kind in ("auto", "all") else "it is empty"
                if not words[kind] and all(fault.column != column for fault in faults):
                    faults.append(Problem(self.file, column, row, "", 1, what, fix))
        if not self.wanted.pictures:
            return faults, None, ""
        path, digest = None, ""
        try:
            path = self._path(image)
            digest = self.look(path)
        except BadInput as error:
            if "pip install" in error.fix:
                raise
            value = "" if image is None else shown(image)
            faults.append(Problem(self.file, "image", row, value, 1, _lower(error.what), error.fix))
        return faults, path, digest

    def _path(self, image: str | None) -> Path:
        """Where a picture lies.

        Raises:
            BadInput: If none is named, or nothing that can be a picture lies there.
        """
        if image is None or not image.strip():
            raise BadInput("no picture is named", "", "Give a path, or leave the row out.")
        if _ADDRESS.match(image):
            fix = "Fetch the picture and give the path of its file."
            raise BadInput("this is an address, not a file", "", fix)
        try:
            path = self.root / Path(image.strip()).expanduser()
            there, size = path.exists(), path.stat().st_size if path.is_file() else None
        except (OSError, ValueError, RuntimeError):
            raise BadInput("this is no path", "", "Give the path of a file.") from None
        if not there:
            fix = f"Paths go from {self.root.resolve()}: put it there, or mend the path."
            raise BadInput("there is no such file", "", fix)
        if size is None:
            raise BadInput("this is no file", "", "Give the path of a picture's file.")
        if not size:
            raise BadInput("the file is empty (0 bytes)", "", "Export the picture again.")
        return path

    def _refuse(self, bad: list[Problem], bad_rows: Path | None, left: int) -> None:
        """Write bad rows down where they may be left out.

        Raises:
            BadData: Where they may not, or nothing else is there.
        """
        if bad_rows is None or not left:
            raise BadData(listed(bad))
        lines = [(p.row, f"{p.column}: {p.what}", p.value) for p in bad]
        schema = {"row": pl.Int64, "reason": pl.String, "value": pl.String}
        write_dropped(bad_rows, pl.DataFrame(lines, schema=schema, orient="row"))


def listed(problems: Sequence[Problem]) -> list[Problem]:
    """Problems one by one, as far as a reader goes: the rest of a kind is counted in its last."""
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((problem.column, problem.what), []).append(problem)
    kept = []
    for some in kinds.values():
        kept += some[:LISTED]
        if len(some) > LISTED:
            kept[-1] = replace(kept[-1], count=len(some) - LISTED + 1)
    return kept


def _said(text: str | None) -> str:
    return "" if text is None else text.strip()


def _lower(what: str) -> str:
    return what[:1].lower() + what[1:].rstrip(".")
