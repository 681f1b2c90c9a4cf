"""Catalog: what is known about items besides who chose them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tastemaker.data.categories import read_lists, unify
from tastemaker.data.coded import MAX_ID_BYTES
from tastemaker.data.column_names import missing_column_fix
from tastemaker.data.header import doubled
from tastemaker.data.parquet import write_parquet
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import Table

TEXT_COLUMNS = ("title", "text", "image", "video")

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "title": pl.String,
    "text": pl.String,
    "categories": pl.List(pl.String),
    "image": pl.String,
    "video": pl.String,
}


@dataclass(frozen=True)
class Catalog:
    """Items with title, text, categories, image and video paths; missing columns hold nulls."""

    frame: pl.DataFrame
    """one row an item, columns of `SCHEMA`, unique `item_id`."""
    folder: str = ""
    """where paths of its pictures begin; empty: where the program was started"""

    @classmethod
    def empty(cls) -> Catalog:
        """A catalogue that knows nothing."""
        return cls(pl.DataFrame(schema=SCHEMA))

    @classmethod
    def from_table(cls, table: Table) -> Catalog:
        """Read and check an items table; `categories` are lists or texts such as `Drama|War`.

        Raises:
            BadData: With every problem found.
        """
        return cls.numbered(table)[0]

    @classmethod
    def numbered(cls, table: Table) -> tuple[Catalog, pl.Series]:
        """The same, and the row of the file, from 1, that each item stands in.

        Raises:
            BadData: With every problem found.
        """
        if "item_id" not in table.schema:
            fix = missing_column_fix("item_id", table.schema, ("item", "id"))
            raise BadData(
                [Problem(table.file, "item_id", None, "", 1, "the column is missing", fix)]
            )
        known = [name for name in SCHEMA if name in table.schema]
        problems = [*_type_problems(table), *doubled(table, known)]
        if problems:
            raise BadData(problems)
        parts = list(_numbered(table, known))
        empty = pl.DataFrame(schema=table.schema).select(known).with_row_index("row")
        frame = pl.concat(parts) if parts else empty
        frame = frame.with_columns(pl.col("item_id").cast(pl.String))
        problems = _row_problems(table.file, frame)
        if "categories" in frame.columns:
            lists, more = _categories(table.file, frame["row"], frame["categories"])
            problems, frame = problems + more, frame.with_columns(lists.alias("categories"))
        if problems:
            raise BadData(problems)
        return cls(_canonical(frame)), frame["row"]

    def align(self, item_ids: pl.Series) -> Catalog:
        """The rows of `item_ids`, in that order; unknown items become rows of nulls."""
        wanted = item_ids.rename("item_id").to_frame()
        joined = wanted.join(self.frame, on="item_id", how="left", maintain_order="left")
        return Catalog(joined, self.folder)

    def without(self, item_ids: pl.Series) -> Catalog:
        """The rows of all items but these, in the order of this catalogue."""
        rest = self.frame.filter(~pl.col("item_id").is_in(item_ids.implode()))
        return Catalog(rest, self.folder)

    def updated(self, news: Catalog) -> Catalog:
        """What is said now of some items, then of all others what was said before.

        Pictures are where either catalogue had them, and paths begin in this one's folder.
        """
        folder, frame = self.folder, news.frame
        if not self.has_pictures:
            folder = news.folder
        elif news.folder != folder:
            whole = [None if path is None else str(path) for path in news.pictures()]
            frame = frame.with_columns(image=pl.Series(whole, dtype=pl.String))
        return Catalog(pl.concat([frame, self.without(frame["item_id"]).frame]), folder)

    @property
    def has_pictures(self) -> bool:
        """Whether a row names one."""
        return any(path is not None for path in self.pictures())

    def pictures(self) -> list[Path | None]:
        """The picture file of each row, there or not; None where it names none."""
        named = self.frame["image"].to_list()
        return [Path(self.folder, name) if name and name.strip() else None for name in named]

    def titles(self) -> list[str]:
        """A name to show for each row: its title, else its id."""
        title = pl.col("title")
        written = title.str.strip_chars() != ""
        named = pl.when(written).then(title).otherwise(pl.col("item_id"))
        return self.frame.select(named).to_series().to_list()

    def texts(self) -> list[str]:
        """What is written about each row, as `title: …; categories: …; text: …`; may be empty."""
        parts = (
            pl.col("title"),
            pl.col("categories").list.join(", "),
            pl.col("text"),
        )
        named = [
            pl.when(part.str.len_bytes() > 0).then(pl.format(f"{name}: {{}}", part))
            for name, part in zip(("title", "categories", "text"), parts, strict=True)
        ]
        return (
            self.frame.select(pl.concat_str(named, separator="; ", ignore_nulls=True))
            .to_series()
            .to_list()
        )

    def save(self, path: Path) -> None:
        """Write as Parquet."""
        write_parquet(path, self.frame)

    @classmethod
    def open(cls, path: Path, folder: str = "") -> Catalog:
        """Read what `save` wrote; pictures lie in `folder`."""
        return cls(pl.read_parquet(path, glob=False), folder)


def _numbered(table: Table, known: list[str]) -> Iterator[pl.DataFrame]:
    """The known columns and `row` (from 1), without blank lines."""
    seen = 0
    for batch in table.batches():
        rows = batch.select(known).with_columns(row=pl.int_range(seen + 1, seen + len(batch) + 1))
        blank = table.blank_rows(batch)
        yield rows if blank is None else rows.filter(~blank)
        seen += len(batch)


def _categories(
    file: str, numbers: pl.Series, column: pl.Series
) -> tuple[pl.Series, list[Problem]]:
    """Lists of names, spelt in one way, and the rows whose text cannot be read safely.

    `numbers` are the rows' numbers in the file.
    """
    problems = []
    if column.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        texts = column.cast(pl.String)
        column, causes = read_lists(texts)
        for rows, what, fix in causes:
            first = int(rows.arg_true()[0])
            count, value = int(rows.sum()), shown(texts[first])
            problems.append(
                Problem(file, "categories", int(numbers[first]), value, count, what, fix)
            )
    return unify(column.cast(pl.List(pl.String))), problems


def _canonical(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in SCHEMA if name not in frame.columns]
    return frame.with_columns(pl.lit(None).alias(name) for name in missing).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )


def _type_problems(table: Table) -> list[Problem]:
    problems = []
    for name in ("item_id", *TEXT_COLUMNS):
        kind = table.schema.get(name)
        text = kind is None or kind in (pl.String, pl.Categorical, pl.Enum, pl.Null)
        if not text and not (name == "item_id" and kind is not None and kind.is_integer()):
            what, fix = f"the column holds {kind}, not text", "Store it as text."
            problems.append(Problem(table.file, name, None, "", 1, what, fix))
    kind = table.schema.get("categories")
    inner = kind.inner if isinstance(kind, pl.List | pl.Array) else kind
    if inner is not None and inner not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        fix = 'Store a list of texts, or text such as "Drama|War".'
        what = f"the column holds {kind}, not categories"
        problems.append(Problem(table.file, "categories", None, "", 1, what, fix))
    return problems


def _row_problems(file: str, frame: pl.DataFrame) -> list[Problem]:
    ids = frame["item_id"]
    fix = "Give every item one row with its own id."
    causes = [
        (ids.is_null() | (ids == ""), "the id is missing", fix),
        (ids.is_not_null() & ~ids.is_first_distinct(), "the item stands here twice", fix),
        (ids.str.len_bytes() > MAX_ID_BYTES, f"the id is longer than {MAX_ID_BYTES:,} bytes", fix),
    ]
    if not len(frame):
        what = "the table has a header but no rows"
        return [Problem(file, "", None, "", 1, what, "Remove the file, or fill it.")]
    problems = []
    for bad, what, remedy in causes:
        rows = bad.fill_null(value=False).arg_true()
        if len(rows):
            first, row = int(rows[0]), int(frame["row"][int(rows[0])])
            problems.append(
                Problem(file, "item_id", row, shown(ids[first]), len(rows), what, remedy)
            )
    return problems
