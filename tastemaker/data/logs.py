"""A log in any of the formats that are read, and what its columns mean there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tastemaker.data import formats
from tastemaker.data.column_names import has_log_columns
from tastemaker.data.declaration import Declaration
from tastemaker.data.delimited import delimited
from tastemaker.data.lines import first_line
from tastemaker.data.opening import SUFFIXES, open_table, suffix_of
from tastemaker.data.plain_text import plain_text
from tastemaker.data.ready_split import Joined
from tastemaker.data.tables import Table, unreadable

TEXTS = (".txt", ".txt.gz", ".data", ".data.gz")
"""Endings of text without a header: sequences, or columns such as `user item rating`."""
ENDINGS = (*SUFFIXES, *TEXTS, ".inter")
"""Endings of the files that `open_log` reads; beside them `ratings.dat`."""

RATINGS = Declaration(events={"rating": "implicit_positive"}, duplicates="keep")
VIEWS = Declaration(duplicates="keep")


@dataclass(frozen=True)
class Log:
    """An opened log that is not read yet."""

    table: Table
    declared: Declaration
    """what the columns mean where no `dataset.json` says it"""
    ordered: bool = False
    """the log carries order instead of times"""
    unordered: bool = False
    """it carries neither: rows that are no sequences, without times"""
    joined: Joined | None = None
    """the files of a ready-made split"""


def open_log(path: Path) -> Log:
    """Open one file by its name.

    Raises:
        BadData: If it cannot be read.
    """
    suffix = suffix_of(path)
    if path.name == "ratings.csv":
        return Log(formats.movielens_csv(path), RATINGS)
    if path.name == "ratings.dat":
        return Log(formats.movielens_dat(path), RATINGS)
    if suffix == ".inter":
        return Log(formats.recbole(path), VIEWS)
    if suffix in TEXTS or (path.suffix.lower() == ".gz" and suffix not in SUFFIXES):
        return _open_text(path)
    return Log(open_table(path, (*ENDINGS, "ratings.dat")), Declaration())


def open_split(files: Mapping[str, Path]) -> Log:
    """Open the files of a ready-made split: part (train, valid, test) → file.

    Raises:
        BadData: If one cannot be read, or they have different columns.
    """
    logs = {part: open_log(files[part]) for part in ("train", "valid", "test") if part in files}
    joined = Joined({part: log.table for part, log in logs.items()})
    return replace(logs["train"], table=joined.table(), joined=joined)


def _open_text(path: Path) -> Log:
    if not path.is_file():
        raise unreadable(str(path), "there is no such file", "Check the path.")
    if path.stat().st_size == 0:
        raise unreadable(str(path), "the file is empty (0 bytes)", "Export it again.")
    if has_log_columns(re.split(r"[,;\t|]", first_line(path))):
        return Log(delimited(path), Declaration())
    text = plain_text(path)
    columns = len(text.columns) > 2
    declared = RATINGS if text.rated else VIEWS
    return Log(text.table(), declared, text.ordered, unordered=columns and text.ordered)
