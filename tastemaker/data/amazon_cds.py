"""Amazon CDs as the public split has them: rows of a history and its next item, all with ratings.

Histories grow and slide, so that an event stands in many rows; here it stands once. Both files
count, since whom somebody is shows in all that they rated. Left out: titles that a row repeats;
`info.txt` has them by item.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tastemaker.data.interactions import Interactions
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.tables import unreadable

_FILES = ("valid.csv", "test.csv")
_COLUMNS = {"item_id": pl.Int64, "value": pl.Float64, "timestamp": pl.Int64}
_HISTORY = ("history_item_id", "history_rating", "history_timestamp")
_NEXT = ("item_id", "rating", "timestamp")


@dataclass(frozen=True)
class RatedTitles:
    """A log whose values are ratings, and what its items are called."""

    interactions: Interactions
    titles: dict[str, str]
    """item id → title"""


def read_amazon_cds(folder: Path) -> RatedTitles:
    """Read `valid.csv`, `test.csv` and `info.txt` of the folder.

    Raises:
        BadData: If a file is missing or is none of that split.
    """
    events = pl.concat([_events(folder / name) for name in _FILES]).unique(maintain_order=True)
    frame = events.with_columns(pl.col("item_id").cast(pl.String))
    return RatedTitles(Interactions.from_frame(frame), _titles(folder / "info.txt"))


def _events(path: Path) -> pl.DataFrame:
    """Every event of a file, also those inside histories, oldest first within a row."""
    table = open_table(path)
    fix = "Give the files of the public split."
    lacking = [name for name in ("user_id", *_HISTORY, *_NEXT) if name not in table.schema]
    if lacking:
        what = "the column is missing"
        raise BadData([Problem(str(path), name, None, "", 1, what, fix) for name in lacking])
    rows = pl.concat(table.batches())
    try:
        past = rows.select(
            "user_id",
            *(
                pl.col(old).str.json_decode(pl.List(kind)).alias(new)
                for old, (new, kind) in zip(_HISTORY, _COLUMNS.items(), strict=True)
            ),
        ).explode(list(_COLUMNS))
        now = rows.select(
            "user_id",
            *(
                pl.col(old).cast(kind).alias(new)
                for old, (new, kind) in zip(_NEXT, _COLUMNS.items(), strict=True)
            ),
        )
    except pl.exceptions.PolarsError as error:
        raise unreadable(str(path), f"a row is none of that split: {error}", fix) from None
    return pl.concat([past.drop_nulls("item_id"), now])


def _titles(path: Path) -> dict[str, str]:
    """Item id → title, of lines `title`, tab, `id`."""
    if not path.is_file():
        raise unreadable(str(path), "there is no such file", "Give the files of the public split.")
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return {item: title for title, _, item in (line.rpartition("\t") for line in lines) if item}
