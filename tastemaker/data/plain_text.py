"""Text without a header: `user item item …` sequences, or columns `user item value time`.

Both are words between blanks, so what a file means must be found out from its lines. A sequence
file has one line a user (or one line an event: `user item`); in columns every line has three or
four words, the third is a number, and users come again. What fits neither is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from tastemaker.counts import counted
from tastemaker.data.column_names import has_log_columns
from tastemaker.data.lines import line_blocks
from tastemaker.data.problems import shown
from tastemaker.data.tables import Table, unreadable

_SAMPLE = 10_000
"""Lines by which sequences and columns are told apart; every line is checked when it is read."""
_SECONDS = 100_000_000
"""A third word from here on (March 1973) is a time, no rating."""
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_FIX = (
    "Write one line a user, as `user item item …`; or a table with a header, as "
    "user_id,item_id,timestamp in a .csv file."
)


@dataclass(frozen=True)
class Text:
    """A text file and what its lines are."""

    path: Path
    columns: tuple[str, ...]
    """names of the words of a line; only `user_id` and `item_id`: sequences."""

    @property
    def ordered(self) -> bool:
        """Whether the order of the lines stands for time."""
        return "timestamp" not in self.columns

    @property
    def rated(self) -> bool:
        """Whether the lines carry ratings."""
        return "value" in self.columns

    def table(self) -> Table:
        """The rows, all of them checked against what the first lines are."""
        rows = _sequence_rows if len(self.columns) == 2 else _column_rows
        schema: dict[str, pl.DataType] = {name: pl.String() for name in self.columns}
        return Table(str(self.path), schema, lambda: rows(self), text=True)


def plain_text(path: Path) -> Text:
    """Find out what the lines of a text file are.

    Raises:
        BadData: If they are neither sequences nor columns.
    """
    sample = _sample(path)
    for row, line in enumerate(sample, start=1):
        _refuse_prose(path, row, line)
    words = [line.split() for line in sample if line.strip()]
    if not words:
        raise unreadable(str(path), "the file holds no lines with words", _FIX)
    if has_log_columns(words[0]):
        what, fix = "the first line is a header", "Separate the columns by tabs or commas."
        raise unreadable(str(path), what, fix, None, shown(" ".join(words[0])))
    again = len({line[0] for line in words}) < len(words)
    widths = {len(line) for line in words}
    if not again or widths not in ({3}, {4}):
        return Text(path, ("user_id", "item_id"))
    rest = [pl.Series([line[place] for line in words]) for place in range(2, max(widths))]
    if not all(column.str.contains(_NUMBER).all() for column in rest):
        # Their users come again, so reading them as sequences names the line and the cause.
        return Text(path, ("user_id", "item_id"))
    if len(rest) == 2:
        return Text(path, ("user_id", "item_id", "value", "timestamp"))
    timed = bool((rest[0].cast(pl.Float64) >= _SECONDS).all())
    return Text(path, ("user_id", "item_id", "timestamp" if timed else "value"))


def _sample(path: Path) -> list[str]:
    lines = (line for block in line_blocks(path) for line in block)
    return list(islice(lines, _SAMPLE))


def _refuse_prose(path: Path, row: int, line: str) -> None:
    """Refuse fields that hold blanks or end in a comma: those lines are a table or prose."""
    first, tab, rest = line.strip().partition("\t")
    mixed = tab and "\t" in rest and " " in line or tab and " " in first
    comma = line.split(maxsplit=1)[0][-1] in ",;:|" if line.strip() else False
    if mixed or comma or (line.strip() and len(line.split()) == 1 and line.count(",") > 1):
        what = "the line is a row of a table with several separators, not a sequence of item ids"
        raise unreadable(str(path), what, _FIX, row, shown(line))


def _sequence_rows(text: Text) -> Iterator[pl.DataFrame]:
    """One row an item; a user with several items stands on one line only."""
    met: dict[str, bool] = {}
    for every in _numbered(text.path):
        lines = every.filter(pl.col("words").list.len() > 0)
        words = lines.select(
            "row",
            user_id=pl.col("words").list.first(),
            items=pl.col("words").list.slice(1),
            many=pl.col("words").list.len() > 2,
        )
        _refuse_empty(text.path, words)
        _refuse_again(text.path, words, met)
        if len(words):
            yield words.select("user_id", item_id="items").explode("item_id")


def _column_rows(text: Text) -> Iterator[pl.DataFrame]:
    """One row a line, with nothing in a blank one; else there are as many words as columns."""
    width = len(text.columns)
    for lines in _numbered(text.path):
        wrong = lines.filter(~pl.col("words").list.len().is_in([0, width]))
        if len(wrong):
            value = shown(" ".join(wrong["words"][0]))
            what = f"the line has {counted(len(wrong['words'][0]), 'word')}, those before {width}"
            raise unreadable(str(text.path), what, "Mend it.", int(wrong["row"][0]), value)
        if len(lines):
            yield lines.select(
                pl.col("words").list.get(place, null_on_oob=True).alias(name)
                for place, name in enumerate(text.columns)
            )


def _numbered(path: Path) -> Iterator[pl.DataFrame]:
    """Blocks of `row` (from 1) and `words`, of which a blank line has none."""
    row = 0
    for block in line_blocks(path):
        yield pl.DataFrame({"words": pl.Series(block, dtype=pl.String)}).select(
            pl.col("words").str.extract_all(r"\S+"),
            row=pl.int_range(row + 1, row + 1 + len(block)),
        )
        row += len(block)


def _refuse_empty(path: Path, lines: pl.DataFrame) -> None:
    empty = lines.filter(pl.col("items").list.len() == 0)
    if len(empty):
        what, fix = "the line has a user but no item", "Write `user item item …`."
        raise unreadable(str(path), what, fix, int(empty["row"][0]), shown(empty["user_id"][0]))


def _refuse_again(path: Path, lines: pl.DataFrame, met: dict[str, bool]) -> None:
    """Refuse users who stand on several lines, unless each of these holds one item.

    `met` collects the users so far, and whether their line holds several items.
    """
    for row, user, many in lines.select("row", "user_id", "many").iter_rows():
        before = met.get(user)
        if before is not None and (before or many):
            what = (
                "the user stands on several lines of more than two words, so these are no "
                "sequences; nor has each line three or four words with a number as the third"
            )
            raise unreadable(str(path), what, _FIX, row, shown(user))
        met[user] = many
