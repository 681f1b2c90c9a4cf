"""What a data folder holds: the log, or the files of a ready-made split, and the catalogue.

Files are known by their names; one log of another name is read where it is the only one. Two
files that could both be meant are refused, never chosen between in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tastemaker.data import formats
from tastemaker.data.column_names import has_log_columns
from tastemaker.data.lines import first_line
from tastemaker.data.logs import ENDINGS, TEXTS, open_log
from tastemaker.data.opening import SUFFIXES, open_table, suffix_of
from tastemaker.data.tables import Table
from tastemaker.errors import BadInput

LOGS = ("interactions.*", "ratings.csv", "ratings.dat", "*.inter", "sequences.txt*", "u.data")
"""Names of logs in a folder, the first that is there; each but the last two names one file."""
CATALOGUES: dict[str, Callable[[Path], Table]] = {
    "items.*": open_table,
    "movies.csv": formats.movielens_csv,
    "movies.dat": formats.movielens_dat,
    "*.item": formats.recbole,
}
"""Names of catalogues in a folder, and how each is read."""

_PART = re.compile(r"^(|.*\.)(train|valid|validation|val|dev|test)(\.[^.]+(\.gz)?)$")
_PROSE = ("readme", "license", "licence", "notice", "citation", "changelog", "requirements")


def find_log(folder: Path) -> Path | dict[str, Path]:
    """The log of a folder, or part → file where it comes as a ready-made split.

    Raises:
        BadInput: If there is none, or if there are two that could be meant.
    """
    files = _files(folder)
    whole = next((some for name in LOGS if (some := _named(files, name))), [])
    split = _ready_split(folder, files)
    if len(whole) > 1 or (whole and split):
        raise _two(folder, [*whole, *split.values()])
    if whole:
        return whole[0]
    if split:
        return split
    _refuse_half(folder, files)
    others = [path for path in files if _could_be_log(path)]
    if len(others) > 1:
        others = [path for path in others if looks_like_log(path)]
    if len(others) > 1:
        raise _two(folder, others)
    if not others:
        raise _no_log(folder)
    return others[0]


def find_items(folder: Path) -> Table | None:
    """The catalogue of a folder; None where there is none.

    Raises:
        BadInput: If there are two that could be meant.
    """
    files = _files(folder)
    for name, reader in CATALOGUES.items():
        some = _named(files, name)
        if len(some) > 1:
            raise _two(folder, some)
        if some:
            return reader(some[0])
    return None


def holds_log(folder: Path) -> bool:
    """Whether a folder is a data folder; files of unusual names are looked into."""
    try:
        log = find_log(folder)
    except BadInput:
        return False
    one = log["train"] if isinstance(log, dict) else log
    if any(fnmatchcase(one.name.lower(), name) for name in LOGS):
        return True
    return looks_like_log(one) and {"user_id", "item_id"} <= set(open_log(one).table.schema)


def looks_like_log(path: Path) -> bool:
    """Whether a file has a user and an item column, or lines that are sequences."""
    try:
        if suffix_of(path).startswith((".jsonl", ".ndjson")):
            return has_log_columns(json.loads(first_line(path)))
        table = open_log(path).table
        if suffix_of(path) in TEXTS:
            next(table.batches())
        return has_log_columns(table.schema)
    except (BadInput, ValueError, TypeError, StopIteration):
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith((".", "~")))


def _named(files: Sequence[Path], pattern: str) -> list[Path]:
    some = [path for path in files if fnmatchcase(path.name.lower(), pattern)]
    return [p for p in some if not _PART.match(p.name.lower()) and _is_read(p, pattern)]


def _is_read(path: Path, pattern: str) -> bool:
    return not pattern.endswith(".*") or suffix_of(path) in SUFFIXES


def _could_be_log(path: Path) -> bool:
    name = path.name.lower()
    known = any(fnmatchcase(name, pattern) for pattern in CATALOGUES)
    prose = suffix_of(path) in TEXTS and name.startswith(_PROSE)
    return suffix_of(path) in ENDINGS and not known and not prose


def _ready_split(folder: Path, files: Sequence[Path]) -> dict[str, Path]:
    """Files named as parts of a split, such as `train.csv` or `x.train.inter`; {} without all."""
    parts = _parts(files)
    if not parts["train"] or not parts["test"]:
        return {}
    for some in parts.values():
        if len(some) > 1:
            raise _two(folder, some)
    return {part: some[0] for part, some in parts.items() if some}


def _parts(files: Sequence[Path]) -> dict[str, list[Path]]:
    parts: dict[str, list[Path]] = {"train": [], "valid": [], "test": []}
    for path in files:
        part = _PART.match(path.name.lower())
        if part and suffix_of(path) in ENDINGS:
            parts[part[2] if part[2] in parts else "valid"].append(path)
    return parts


def _refuse_half(folder: Path, files: Sequence[Path]) -> None:
    """A split without its training or its test events is no log; training events alone are."""
    parts = _parts(files)
    if parts["valid"] or parts["test"]:
        lacking = "test" if parts["train"] else "train"
        held = ", ".join(path.name for some in parts.values() for path in some)
        raise BadInput(
            f"The folder holds parts of a ready-made split ({held}), but no {lacking} file.",
            str(folder),
            f"Add {lacking}.csv or the like, or give the path of one file.",
        )


def _two(folder: Path, files: Sequence[Path]) -> BadInput:
    names = ", ".join(path.name for path in files)
    return BadInput(
        f"The folder holds several logs or catalogues, and only one can be meant: {names}.",
        str(folder),
        "Move away those that are not meant, or give the path of one file.",
    )


def _no_log(folder: Path) -> BadInput:
    names = sorted(path.name for path in folder.iterdir())
    held = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return BadInput(
        f"The folder holds no interactions, only {held or 'nothing'}.",
        str(folder),
        "Put interactions.csv or interactions.parquet there, with columns user_id, item_id and "
        "timestamp. Also read: "
        f"{', '.join(LOGS[1:])}; train.*, valid.* and test.* of a ready-made split; or one file "
        f"of another name that ends in {', '.join(ENDINGS)}.",
    )
