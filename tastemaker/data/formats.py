"""Public formats → the columns of our own: RecBole and MovieLens.

Each reader gives a Table with `user_id`, `item_id` and what else the format carries; all checks
are those of `reading`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from tastemaker.counts import counted
from tastemaker.data.categories import NO_CATEGORY
from tastemaker.data.delimited import tab_separated
from tastemaker.data.lines import encoding_of, line_blocks
from tastemaker.data.opening import open_table
from tastemaker.data.problems import shown
from tastemaker.data.tables import Table, unreadable

_MOVIELENS = {
    "userId": "user_id",
    "movieId": "item_id",
    "rating": "value",
    "genres": "categories",
}
_RECBOLE = {
    "rating": "value",
    "movie_title": "title",
    "class": "categories",
    "genre": "categories",
}


def movielens_csv(path: Path) -> Table:
    """MovieLens `ratings.csv` or `movies.csv`."""
    return open_table(path).rename(_MOVIELENS)


def movielens_dat(path: Path) -> Table:
    """MovieLens `ratings.dat` (user::item::rating::time) or `movies.dat` (item::title::genres).

    Read as UTF-8 where all of it is that, else as Latin-1, as the originals are written.
    """
    names = ["item_id", "title", "categories"]
    if path.name.startswith("ratings"):
        names = ["user_id", "item_id", "value", "timestamp"]

    def batches() -> Iterator[pl.DataFrame]:
        row = 0
        for block in line_blocks(path, encoding_of(path)):
            fields = pl.Series(block, dtype=pl.String).str.split("::")
            blank = fields.list.len() == 1
            blank &= pl.Series(block, dtype=pl.String).str.strip_chars() == ""
            wrong = ((fields.list.len() != len(names)) & ~blank).arg_true()
            if len(wrong):
                at = int(wrong[0])
                what = f"the row has {counted(len(fields[at]), 'field')}, not {len(names)}"
                value = shown(block[at])
                raise unreadable(str(path), what, "Export it again.", row + at + 1, value)
            row += len(block)
            # A blank line stays a row without fields, so that rows keep their numbers.
            yield fields.set(blank, None).list.to_struct(fields=names).struct.unnest()

    table = Table(str(path), {name: pl.String() for name in names}, batches, text=True)
    return replace(table, renamed={"rating": "value"})


def recbole(path: Path) -> Table:
    """RecBole `.inter` or `.item`: tab-separated with typed headers such as `user_id:token`.

    In session data, `session_id` is the user.

    Raises:
        BadData: Also if the file holds finished training samples instead of events.
    """
    table = tab_separated(path)
    plain = {name: name.split(":")[0] for name in table.schema}
    lists = [old for old, new in plain.items() if new.endswith("_list")]
    if lists and path.suffix == ".inter":
        what = (
            f"the file holds training samples (each row a history, column {lists[0]!r}, and its "
            "next item), not events: histories overlap, so that events would count many times"
        )
        fix = "Give the events they were made from: user_id:token, item_id:token, timestamp:float."
        raise unreadable(str(path), what, fix)
    also = dict(_RECBOLE)
    if "user_id" not in plain.values():
        also["session_id"] = "user_id"
    table = table.rename({old: also.get(new, new) for old, new in plain.items()})
    if "categories" not in table.schema:
        return table
    listed = pl.col("categories").replace(NO_CATEGORY, "")
    return table.change(listed.str.replace_all(r"\s+", "|"))
