"""Public formats → the columns of our own: RecBole, MovieLens, and sequence files.

Each reader gives a Table with `user_id`, `item_id` and what else the format carries; all checks
are those of `reading`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import polars as pl

from tastemaker.data.problems import shown
from tastemaker.data.tables import BATCH, Table, open_table, scan_table, unreadable

_RENAMES = {
    "userId": "user_id",
    "movieId": "item_id",
    "rating": "value",
    "genres": "categories",
}


def _rename(table: Table, names: dict[str, str]) -> Table:
    present = {old: new for old, new in names.items() if old in table.schema}
    schema = {present.get(name, name): kind for name, kind in table.schema.items()}

    def batches() -> Iterator[pl.DataFrame]:
        return (batch.rename(present) for batch in table.batches())

    return Table(table.file, schema, batches, present)


def movielens_csv(path: Path) -> Table:
    """MovieLens `ratings.csv` or `movies.csv`; `(no genres listed)` becomes no category."""
    table = _rename(open_table(path), _RENAMES)
    if "categories" not in table.schema:
        return table
    nothing = pl.col("categories").replace("(no genres listed)", "")
    inner = table.batches
    return Table(table.file, table.schema, lambda: (b.with_columns(nothing) for b in inner()))


def movielens_dat(path: Path) -> Table:
    """MovieLens `ratings.dat` (user::item::rating::time) or `movies.dat` (item::title::genres)."""
    names = ["item_id", "title", "categories"]
    if path.name.startswith("ratings"):
        names = ["user_id", "item_id", "value", "timestamp"]

    def rows() -> Iterator[list[str]]:
        with path.open(encoding="latin-1") as lines:
            for number, line in enumerate(lines, start=1):
                fields = line.rstrip("\r\n").split("::")
                if len(fields) != len(names):
                    what = f"the row has {len(fields)} fields, not {len(names)}"
                    raise unreadable(str(path), what, "Export it again.", number, shown(line))
                yield fields

    return replace(_from_rows(str(path), names, rows), renamed={"rating": "value"})


def recbole(path: Path) -> Table:
    """RecBole `.inter` or `.item`: tab-separated with typed headers such as `user_id:token`."""

    def scan() -> pl.LazyFrame:
        options = {"separator": "\t", "infer_schema": False, "quote_char": None}
        return pl.scan_csv(path, **options)  # type: ignore[arg-type]

    table = scan_table(str(path), scan, path)
    plain = {name: name.split(":")[0] for name in table.schema}
    also = {"rating": "value", "movie_title": "title", "class": "categories", "genre": "categories"}
    table = _rename(table, {old: also.get(new, new) for old, new in plain.items()})
    if "categories" not in table.schema:
        return table
    bars = pl.col("categories").str.replace_all(r"\s+", "|")
    inner = table.batches
    return Table(table.file, table.schema, lambda: (b.with_columns(bars) for b in inner()))


def sequences(path: Path) -> Table:
    """Lines of `user item item …`, oldest first, plain or gzipped: order without times."""

    def rows() -> Iterator[list[str]]:
        opener: Callable[..., object] = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:  # type: ignore[attr-defined]
            try:
                for number, line in enumerate(lines, start=1):
                    user, *items = line.split() or [""]
                    if user and not items:
                        what, fix = "the line has a user but no item", "Write `user item item …`."
                        raise unreadable(str(path), what, fix, number, shown(user))
                    yield from ([user, item] for item in items)
            except (UnicodeDecodeError, OSError, EOFError) as error:
                what = f"the file is cut short or is not text: {error}"
                raise unreadable(str(path), what, "Export it again.") from None

    return _from_rows(str(path), ["user_id", "item_id"], rows)


def _from_rows(file: str, names: list[str], rows: Callable[[], Iterator[list[str]]]) -> Table:
    schema: dict[str, pl.DataType] = {name: pl.String() for name in names}

    def batches() -> Iterator[pl.DataFrame]:
        source = rows()
        while block := list(islice(source, BATCH)):
            yield pl.DataFrame(block, schema=schema, orient="row")

    return Table(file, schema, batches)
