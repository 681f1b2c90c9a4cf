"""Small VRec models over thirty items of three kinds, whose titles say so."""

from dataclasses import replace

import numpy as np
import polars as pl
import torch

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_shape import VRecConfig
from tests.contracts import ITEMS, some_contexts

SMALL = VRecConfig(
    dim=16, layers=2, heads=2, dropout=0.0, history=8, levels=2, size=4, thoughts=2, classes=3,
    verify_epochs=1, joint_epochs=1, beams=0,
)  # fmt: skip


def catalog(num_items: int = ITEMS) -> Catalog:
    known: dict[str, list[object]] = {
        "item_id": [f"i{n}" for n in range(num_items)],
        "title": [f"item{n} kind{n % 3} of{n % 3}" for n in range(num_items)],
        "categories": [[f"k{n % 3}", "all"] for n in range(num_items)],
    }
    nulls = [None] * num_items
    return Catalog(pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA))


def ground(train: Contexts | None = None, num_items: int = ITEMS) -> Ground:
    ids = pl.Series([f"i{n}" for n in range(num_items)])
    return Ground.of(ids, catalog(num_items), some_contexts(40) if train is None else train)


def model(seed: int = 0, train: Contexts | None = None, **set_to: object) -> VRec:
    """A fresh model, whose verifiers are neither sure nor clueless."""
    torch.manual_seed(seed)
    return VRec.build(replace(SMALL, **set_to), ground(train))  # type: ignore[arg-type]


def cycles(users: int = 60, length: int = 8, seed: int = 0) -> Contexts:
    """Users who go from each item to the next one, from anywhere."""
    begins = np.random.default_rng(seed).integers(0, ITEMS, users)
    items = (begins[:, None] + np.arange(length)) % ITEMS + 1
    offsets = np.arange(0, users * length + 1, length, dtype=np.int64)
    return Contexts(np.arange(users), offsets, items.reshape(-1).astype(np.int32))
