"""A small log of three shops, and a federation of it that takes a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemaker.federate.rounds import FederationConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.federate_log import LOCAL, LogConfig

ITEMS = 12


def frame(users: int = 18) -> pl.DataFrame:
    """Users of three shops, who walk through the items in order."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(users):
        start, length = int(rng.integers(ITEMS)), int(rng.integers(4, 8))
        shop = ("north", "south", "east")[user % 3]
        for step in range(length):
            item = f"i{(start + step) % ITEMS}"
            rows.append((f"u{user}", item, 1_700_000_000 + 60 * step, shop))
    return pl.DataFrame(rows, ["user_id", "item_id", "timestamp", "shop"], orient="row")


def catalogue(items: int = ITEMS) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": [f"i{code}" for code in range(items)],
            "title": [f"Item {code}" for code in range(items)],
            "categories": [f"g{code % 3}" for code in range(items)],
        }
    )


def write(folder: Path, items: int = ITEMS) -> Path:
    """A data folder with a catalogue."""
    folder.mkdir()
    frame().write_csv(folder / "interactions.csv")
    catalogue(items).write_csv(folder / "items.csv")
    return folder


def config(rounds: int = 2, **given: Any) -> LogConfig:
    """Of a model so small that it learns little."""
    shape = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=8)
    federation = FederationConfig(rounds, local=replace(LOCAL, **given.pop("local", {})))
    return LogConfig(**{"federation": federation, "model": shape, "panel": 3, **given})
