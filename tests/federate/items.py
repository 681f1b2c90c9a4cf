"""A small next-item model and silos of users, for tests."""

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.groupings import Grouping
from tastemaker.federate.next_item import FederatedItems
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

ITEMS = 20
GROUPS = Grouping.from_labels(pl.Series([f"g{code % 4}" for code in range(ITEMS)]), "items")


def grouping(groups: Sequence[int]) -> Grouping:
    """Items in one group each, by its number."""
    count = len(set(groups))
    places = (np.arange(len(groups)), np.array(groups))
    ones = sp.csr_array((np.ones(len(groups), np.float32), places), (len(groups), count))
    return Grouping(tuple(map(str, range(count))), ones)


def model(seed: int = 0, private: Collection[str] = (), **shape: object) -> FederatedItems:
    """SASRec over `ITEMS` items, without dropout."""
    torch.manual_seed(seed)
    sizes = {"dim": 8, "layers": 1, "heads": 1, "inner": 8, "dropout": 0.0, "history": 6}
    config = SASRecConfig(**{**sizes, **shape})  # type: ignore[arg-type]
    return FederatedItems(SASRec(config, ITEMS), GROUPS, private)


def walks(users: int, seed: int = 0, first: int = 0) -> Contexts:
    """Histories of 3 to 12 events, each item mostly followed by the next one."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(users):
        start, length = int(rng.integers(ITEMS)), int(rng.integers(3, 13))
        noise = rng.random(length) < 0.1
        row = (start + np.arange(length)) % ITEMS
        rows.append(np.where(noise, rng.integers(0, ITEMS, length), row) + 1)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Contexts(first + np.arange(users), offsets, np.concatenate(rows).astype(np.int32))
