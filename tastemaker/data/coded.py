"""A log whose ids are coded but whose rows are still in file order: checks of the log as a whole.

Row checks (`checks`) see a batch; ids, units and repeated rows can only be judged on all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.checks import Tally
from tastemaker.data.columns import Columns, pick
from tastemaker.data.declaration import Declaration
from tastemaker.data.times import EARLY, MODERN, NO_ZONE, ZONED

MAX_ID_BYTES = 1024
"""An id longer than this is a value in the wrong column."""


@dataclass
class Coded:
    """Canonical columns of all batches; ids coded by the engine's own dictionary."""

    file: str
    users: npt.NDArray[np.uint32]
    items: npt.NDArray[np.uint32]
    times: npt.NDArray[np.int64] | None
    events: npt.NDArray[np.uint8] | None
    values: npt.NDArray[np.float32] | None
    missing: npt.NDArray[np.int64]
    """rows (from 0) of the file that the row checks left out; few, so that no row needs a number"""
    order: npt.NDArray[np.int64] | None
    user_ids: pl.Series
    item_ids: pl.Series
    tally: Tally
    zones: npt.NDArray[np.uint8] | None = None
    """of each text time: is it a date, and has it a zone?"""
    parts: npt.NDArray[np.uint8] | None = None

    def row_numbers(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of the file, from 1, that `positions` of the columns came from."""
        gaps = self.missing - np.arange(len(self.missing))
        numbers: npt.NDArray[np.int64] = (
            positions + np.searchsorted(gaps, positions, side="right") + 1
        )
        return numbers

    def columns(self, keep: npt.NDArray[np.bool_]) -> Columns:
        """The rows kept, ready to sort, with ids that no row uses removed."""
        some = None if keep.all() else keep
        users, user_ids = _used(self.users if some is None else self.users[some], self.user_ids)
        items, item_ids = _used(self.items if some is None else self.items[some], self.item_ids)
        return Columns(
            user_ids,
            item_ids,
            users,
            items,
            times=pick(self.times, some),
            events=pick(self.events, some),
            values=pick(self.values, some),
            rows=pick(self.order, some),
            parts=pick(self.parts, some),
        )


def check_ids(data: Coded, catalog_ids: pl.Series | None) -> npt.NDArray[np.bool_]:
    """Rows whose ids are usable, each spelt in one way."""
    keep = np.ones(len(data.users), bool)
    for column, codes, ids in (
        ("user_id", data.users, data.user_ids),
        ("item_id", data.items, data.item_ids),
    ):
        elsewhere = catalog_ids if column == "item_id" else None
        causes = [
            (
                ids.str.len_bytes() > MAX_ID_BYTES,
                f"the id is longer than {MAX_ID_BYTES:,} bytes",
                "Shorten it; this looks like text in an id column.",
            ),
            (
                ids.str.contains(r"[\x00-\x1f\x7f]"),
                "the id holds control characters",
                "Remove them; this looks like binary data.",
            ),
            (
                _respelt(ids, elsewhere),
                "the id is written as a whole number elsewhere, without the point",
                "Write it in one way; 7 and 7.0 are different ids here.",
            ),
        ]
        for bad, what, fix in causes:
            if bad.any():
                rows = bad.to_numpy()[codes]
                _tell(data, column, rows, ids.gather(codes[rows]), (what, fix))
                keep &= ~rows
    return keep


def _respelt(ids: pl.Series, elsewhere: pl.Series | None) -> pl.Series:
    """Ids such as 7.0 where 7 is an id too: what a table of real numbers makes of whole ones."""
    real = ids.str.contains(r"^-?\d+\.0+$")
    if not real.any():
        return real
    others = ids if elsewhere is None else pl.concat([ids, elsewhere.alias(ids.name)])
    whole = ids.str.replace(r"\.0+$", "")
    return real & whole.is_in(others.implode())


def check_zones(data: Coded) -> npt.NDArray[np.bool_]:
    """Rows whose time has a zone, in a log where some have one; all rows where none has."""
    if data.zones is None or not ((data.zones == ZONED).any() and (data.zones == NO_ZONE).any()):
        return np.ones(len(data.users), bool)
    assert data.times is not None
    bare = data.zones == NO_ZONE
    local = pl.Series(data.times[bare]).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
    what = "the time has no zone while others have one"
    _tell(data, "timestamp", bare, local, (what, "Write every time with its zone."))
    keep: npt.NDArray[np.bool_] = ~bare
    return keep


def check_units(data: Coded, declared: Declaration) -> npt.NDArray[np.bool_]:
    """Rows whose time is a plausible number of seconds in a log declared in a finer unit."""
    keep = np.ones(len(data.users), bool)
    if data.times is None or declared.time_unit == "s" or not (data.times > MODERN).any():
        return keep
    early = data.times < EARLY
    if early.any():
        what = f"the time lies in early 1970 when read in {declared.time_unit!r}, others do not"
        fix = "Units are mixed: write every time in the declared unit."
        _tell(data, "timestamp", early, pl.Series(data.times[early] // 1_000_000), (what, fix))
    return keep & ~early


def check_duplicates(data: Coded, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Rows but for repeats: the first of `usable` rows equal in every column stays.

    Logs without times may repeat.
    """
    keep = np.ones(len(data.users), bool)
    if data.times is None or len(data.users) < 2:
        return keep
    mixed = _mix(data)
    mixed.sort()
    twice = np.unique(mixed[1:][mixed[1:] == mixed[:-1]])
    del mixed
    if not len(twice):
        return keep
    alike = np.flatnonzero(np.isin(_mix(data), twice) & usable)
    columns: dict[str, npt.NDArray[np.generic] | None] = {
        "u": data.users,
        "i": data.items,
        "t": data.times,
        "e": data.events,
        "v": data.values,
        "p": data.parts,
    }
    frame = pl.DataFrame({name: a[alike] for name, a in columns.items() if a is not None})
    again = alike[~frame.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()]
    keep[again] = False
    what = "the row repeats an earlier one in every column"
    fix = 'Remove it, or declare "duplicates": "keep" in dataset.json.'
    _tell(data, "", ~keep, data.item_ids.gather(data.items[again]), (what, fix))
    return keep


def _mix(data: Coded) -> npt.NDArray[np.uint64]:
    """A 64-bit mix of each row; equal rows mix alike, so only equal mixes need a look."""
    assert data.times is not None
    mixed = data.times.astype(np.uint64)
    columns: list[npt.NDArray[Any] | None] = [data.users, data.items, data.events, data.values]
    for column in columns:
        if column is not None:
            mixed ^= column.view(np.uint32) if column.dtype == np.float32 else column
            mixed *= np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return mixed


def _tell(
    data: Coded, column: str, bad: npt.NDArray[np.bool_], values: pl.Series, says: tuple[str, str]
) -> None:
    """Report the rows where `bad`; `values` are theirs alone."""
    rows = pl.Series(data.row_numbers(np.flatnonzero(bad)))
    data.tally.add(column, *says, pl.DataFrame({"row": rows, "value": values}).sort("row"))


def _used(
    codes: npt.NDArray[np.uint32], ids: pl.Series
) -> tuple[npt.NDArray[np.uint32], pl.Series]:
    present = np.bincount(codes, minlength=len(ids)) > 0
    if present.all():
        return codes, ids
    renumber = (np.cumsum(present) - 1).astype(np.uint32)
    return renumber[codes], ids.filter(pl.Series(present))
