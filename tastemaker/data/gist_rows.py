"""GISTBench's own rows: who met which object, what stands in it, and what that says.

Columns `user_id`, `object_id`, `object_text`, `interaction_type` and, optionally,
`interaction_time`; CSV, JSON, JSON lines or Parquet. Ids are texts, also where JSON writes numbers.
The four types of interaction are the four polarities. Nothing may be missing; every problem of a
file is told at once. Rows may repeat. Without times rows stand in order, oldest first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker import files
from tastemaker.data.checks import Tally
from tastemaker.data.declaration import POLARITIES, Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.json_list import json_list
from tastemaker.data.lines import open_bytes
from tastemaker.data.opening import SUFFIXES, open_table, suffix_of
from tastemaker.data.parquet import write_parquet
from tastemaker.data.polarity import CODES, polarities
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import Table
from tastemaker.errors import BadInput

DECLARED = Declaration(
    name="gistbench rows", events={name: name for name in POLARITIES}, duplicates="keep"
)
"""What the four types mean."""
LISTS = (".json", ".json.gz")
ENDINGS = (*SUFFIXES, *LISTS)
"""Endings of the files that are read."""
TIME = "interaction_time"
_OURS = {
    "object_id": "item_id",
    "object_text": "text",
    "interaction_type": "event",
    TIME: "timestamp",
}
_NEEDED = ("user_id", "object_id", "object_text", "interaction_type")
_OTHERS = (*_OURS.values(), "value", "row", "split")
"""Columns that mean something in other logs and nothing here."""
_HEAD = 2**16


@dataclass(frozen=True)
class GistRows:
    """Rows that were read, or are to be written."""

    interactions: Interactions
    texts: Mapping[str, str]
    """item id → what is written about it; the first text where it has several"""
    declared: Declaration = DECLARED
    several: int = 0
    """objects that stand with two or more texts"""

    def frame(self) -> pl.DataFrame:
        """The rows in GISTBench's columns, user by user, oldest first."""
        log = self.interactions.by_time()
        types = np.empty(log.num_events, object)
        codes = polarities(log, self.declared)
        for name, code in CODES.items():
            types[codes == code] = name
        items = pl.Series(log.decode(log.items), dtype=pl.String)
        columns = {
            "user_id": log.user_ids.gather(np.repeat(np.arange(log.num_users), log.lengths)),
            "object_id": items,
            "object_text": pl.Series([self.texts.get(item, "") for item in items], dtype=pl.String),
            "interaction_type": pl.Series(types.tolist(), dtype=pl.String),
        }
        if log.times is not None:
            columns[TIME] = pl.Series(log.times)
        return pl.DataFrame(columns)

    def save(self, path: Path) -> None:
        """Write what `read_gist` reads, as the ending says: .csv, .json, .jsonl or .parquet.

        Raises:
            BadInput: If the name has another ending.
        """
        frame, suffix = self.frame(), suffix_of(path)
        if suffix == ".csv":
            files.write_text(path, frame.write_csv(quote_style="non_numeric"))
        elif suffix == ".jsonl":
            files.write_text(path, frame.write_ndjson())
        elif suffix == ".json":
            files.write_json(path, frame.to_dicts())
        elif suffix == ".parquet":
            write_parquet(path, frame)
        else:
            fix = "End its name in .csv, .json, .jsonl or .parquet."
            raise BadInput(f"Rows are not written to files ending in {suffix!r}.", str(path), fix)


def looks_like_gist(path: Path) -> bool:
    """Whether a file has the columns by which these rows are known; only its beginning is read."""
    suffix = suffix_of(path)
    if suffix not in ENDINGS or not path.is_file():
        return False
    try:
        if suffix in (".parquet", ".arrow", ".feather"):
            return {"object_id", "interaction_type"} <= set(open_table(path).schema)
        with open_bytes(path) as source:
            head = source.read(_HEAD)
    except (BadInput, OSError, EOFError, zlib.error):
        return False
    return b"object_id" in head and b"interaction_type" in head


def find_gist(folder: Path) -> Path | None:
    """The file of a folder that holds such rows; None without one.

    Raises:
        BadInput: If there are several.
    """
    able = [path for path in sorted(folder.iterdir()) if looks_like_gist(path)]
    if len(able) > 1:
        what = f"The folder holds several files of rows: {', '.join(path.name for path in able)}."
        raise BadInput(what, str(folder), "Give the path of one of them.")
    return able[0] if able else None


def read_gist(path: Path) -> GistRows:
    """Read and check a file of rows.

    Raises:
        BadData: With every problem found, each with column, row, value and fix.
    """
    files.refuse_unreadable(path)
    given = json_list(path) if suffix_of(path) in LISTS else open_table(path, ENDINGS)
    table = _ours(given)
    tally = Tally(str(path), DECLARED, keep=False)
    texts, several = _texts(table, tally)
    problems = tally.problems()
    try:
        read = read_interactions(table, DECLARED, ordered="timestamp" not in table.schema)
    except BadData as error:
        problems += [problem for problem in error.problems if problem.column != "event"]
    if problems:
        theirs = {ours: name for name, ours in _OURS.items()}
        names = [theirs.get(problem.column, problem.column) for problem in problems]
        told = zip(problems, names, strict=True)
        raise BadData([replace(problem, column=name) for problem, name in told])
    return GistRows(read.interactions, texts, DECLARED, several)


def _ours(table: Table) -> Table:
    """The table with our names of its columns, without times where it has none.

    Raises:
        BadData: If a column is missing.
    """
    fix = f"Give the columns {', '.join(_NEEDED)} and, where there are times, {TIME}."
    lacking = [
        Problem(table.file, name, None, "", 1, "the column is missing", fix)
        for name in _NEEDED
        if name not in table.schema
    ]
    if lacking:
        raise BadData(lacking)
    others = {name: f"other {name}" for name in _OTHERS}
    if TIME in table.schema and not any(batch[TIME].count() for batch in table.batches()):
        others[TIME] = f"other {TIME}"
    texts = table.change(pl.col(_NEEDED).cast(pl.String))
    typed = replace(texts, schema=texts.schema | dict.fromkeys(_NEEDED, pl.String()))
    return typed.rename(others).rename(_OURS)


def _texts(table: Table, tally: Tally) -> tuple[dict[str, str], int]:
    """Item id → its first text, and how many items have several; what is missing is told."""
    parts = [pl.DataFrame(schema={"item_id": pl.String, "text": pl.String})]
    for rows in _numbered(table):
        wrong = ~rows["event"].is_in(list(POLARITIES)).fill_null(value=False)
        fix = f"Write one of {', '.join(POLARITIES)}."
        for column, bad, what, mend in (
            ("event", wrong & rows["event"].is_null(), "the type is missing", fix),
            ("event", wrong & rows["event"].is_not_null(), "this is no type of interaction", fix),
            ("text", rows["text"].is_null(), "the text is missing", "Fill it or drop the row."),
        ):
            tally.add(column, what, mend, rows.filter(bad).select("row", value=pl.col(column)))
        parts.append(rows.select("item_id", "text").unique(maintain_order=True))
    frame = pl.concat(parts).unique(maintain_order=True).drop_nulls()
    first = frame.unique("item_id", keep="first", maintain_order=True)
    several = frame.filter(pl.col("item_id").is_duplicated())["item_id"].n_unique()
    return dict(first.iter_rows()), several


def _numbered(table: Table) -> Iterator[pl.DataFrame]:
    """The checked columns and `row` (from 1), without blank lines."""
    seen = 0
    for batch in table.batches():
        numbers = pl.int_range(seen + 1, seen + len(batch) + 1)
        rows = batch.select("item_id", "text", "event", row=numbers)
        blank = table.blank_rows(batch)
        yield rows if blank is None else rows.filter(~blank)
        seen += len(batch)
