"""Logs with known answers: what a model should find is planted, so finding it can be tested.

`long_memory` needs a context, `planted_groups` needs tastes, `noise_only` holds nothing to find,
and `write_large` makes a log of any size in bounded memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.interactions import Interactions

Int64s = npt.NDArray[np.int64]

START = 1_500_000_000
"""Seconds since 1970 at which every world begins."""


@dataclass(frozen=True)
class World:
    """A generated log and the truth behind it."""

    frame: pl.DataFrame
    """`user_id`, `item_id`, `timestamp`"""
    truth: dict[str, Any]
    """what was planted"""
    groups: dict[str, str]
    """item id → its group; empty where there are none"""

    def interactions(self) -> Interactions:
        """The log as a model reads it."""
        return Interactions.from_frame(self.frame)

    def catalog(self) -> Catalog:
        """Items with their group as category."""
        ids = list(self.groups)
        lists = [[group] for group in self.groups.values()]
        frame = pl.DataFrame({"item_id": ids, "categories": lists}, schema_overrides=_CATEGORIES)
        rest = [name for name in SCHEMA if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in rest)
        return Catalog(frame.select(list(SCHEMA)))


_CATEGORIES: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "categories": pl.List(pl.String),
}


def long_memory(
    users: int = 200, length: int = 40, items: int = 50, lag: int = 5, seed: int = 0
) -> World:
    """The next item is a fixed permutation of the item `lag` steps back, 19 times in 20.

    A model that reads `lag` events back can reach HR@1 of .95; one that reads the last event
    alone finds nothing.

    Args:
        users: Number of users.
        length: Events a user.
        items: Catalogue size.
        lag: How far back the answer lies.
        seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    following = rng.permutation(items)
    rows = rng.integers(0, items, (users, length))
    for step in range(lag, length):
        regular = rng.random(users) < 0.95
        rows[regular, step] = following[rows[regular, step - lag]]
    return World(_frame(rows), {"following": following, "lag": lag, "ceiling": 0.95}, {})


def planted_groups(
    users: int = 300, length: int = 30, items: int = 200, groups: int = 8, seed: int = 0
) -> World:
    """Users have two favourite groups, from which nine of ten events come; no order within.

    Args:
        users: Number of users.
        length: Events a user; all different items.
        items: Catalogue size, dealt evenly to the groups.
        groups: Number of groups.
        seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(items) % groups
    tastes = np.argsort(rng.random((users, groups)), axis=1)[:, :2]
    liked = (group[None, :, None] == tastes[:, None, :]).any(2)
    share = 2 / groups
    weight = (
        np.where(liked, 0.9 / share, 0.1 / (1 - share)) / (1 + np.arange(items) // groups) ** 0.5
    )
    # The largest Gumbel-shifted logs are a weighted sample without replacement.
    keys = np.log(weight) + rng.gumbel(size=weight.shape)
    rows = np.argsort(-keys, axis=1)[:, :length]
    rows = rng.permuted(rows, axis=1)
    names = {f"i{item}": f"group {number}" for item, number in enumerate(group)}
    return World(_frame(rows), {"tastes": tastes, "group": group}, names)


def noise_only(users: int = 300, length: int = 20, items: int = 200, seed: int = 0) -> World:
    """Every user draws items by lot: nobody can beat chance.

    Args:
        users: Number of users.
        length: Events a user; all different items.
        items: Catalogue size.
        seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    rows = np.argsort(rng.random((users, items)), axis=1)[:, :length]
    return World(_frame(rows), {}, {})


def _frame(rows: Int64s) -> pl.DataFrame:
    users, length = rows.shape
    names = np.char.add("i", rows.ravel().astype(str))
    return pl.DataFrame(
        {
            "user_id": np.char.add("u", np.repeat(np.arange(users), length).astype(str)),
            "item_id": names,
            "timestamp": START + np.tile(np.arange(length), users) * 60,
        },
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64},
    )


def write_large(
    path: Path, interactions: int, users: int = 100_000, items: int = 20_000, seed: int = 0
) -> None:
    """Write a log of any size as Parquet or CSV, a million rows at a time, in time order.

    Items fall off in popularity as 1/rank^.8; half of the events follow the item whose number
    stands one before the user's running position, so that there is an order to learn.

    Args:
        path: File ending in `.parquet` or `.csv`.
        interactions: Rows.
        users: Number of users.
        items: Catalogue size.
        seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    chance = 1 / np.arange(1, items + 1) ** 0.8
    edges = np.cumsum(chance / chance.sum())
    last = rng.integers(0, items, users)
    writer: pq.ParquetWriter | None = None
    for start in range(0, interactions, 1_000_000):
        count = min(1_000_000, interactions - start)
        who = rng.integers(0, users, count)
        drawn = np.minimum(np.searchsorted(edges, rng.random(count)), items - 1)
        what = np.where(rng.random(count) < 0.5, (last[who] + 1) % items, drawn)
        last[who] = what
        table = pa.table(
            {"user_id": who, "item_id": what, "timestamp": START + start + np.arange(count)}
        )
        if path.suffix == ".csv":
            with path.open("ab" if start else "wb") as sink:
                pl.DataFrame(table).write_csv(sink, include_header=not start)
            continue
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
