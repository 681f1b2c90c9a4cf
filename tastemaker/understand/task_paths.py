"""A log by its path as a task: rows in GISTBench's schema, or data as every command reads them.

A folder of rows may hold `taxonomy.csv`, `oracle.json`, a catalogue `items.*` and, of planted
users, the truth.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tastemaker import files
from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration
from tastemaker.data.folders import find_items
from tastemaker.data.gist_rows import (
    DECLARED,
    GistRows,
    find_gist,
    looks_like_gist,
    read_gist,
)
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import signals
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.planted_folder import ORACLE, TAXONOMY, TRUTH, open_truth
from tastemaker.understand.simulated import SMALL
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedUsers


def task_of_path(name: str | Path) -> Task:
    """Rows in GISTBench's schema, a folder with them, or what `data.datasets.load` reads.

    Raises:
        BadInput: If there is no such data, it cannot be read, or it tells no polarities.
    """
    path, rows = Path(name).expanduser(), _rows_of(name)
    if rows is not None and path.is_dir():
        return _of_folder(path, read_gist(rows))
    if rows is not None:
        read = read_gist(rows)
        told = signals(read.interactions, DECLARED, one_kind=True)
        return Task(path.name.partition(".")[0], told, read.texts)
    dataset = load(name)
    log, catalog = dataset.interactions, dataset.catalog.align(dataset.interactions.item_ids)
    texts = dict(zip(catalog.frame["item_id"], catalog.texts(), strict=True))
    told = signals(log, dataset.declared)
    return Task(dataset.name, told, texts, categories=item_categories(catalog))


def open_log(name: str | Path) -> tuple[Interactions, Declaration, Catalog]:
    """A log with what its events mean and its catalogue, in whatever form `open_task` reads.

    Raises:
        BadInput: If there is none, or its data cannot be read.
    """
    rows = _rows_of(name)
    if rows is not None:
        items = find_items(rows.parent) if Path(name).expanduser().is_dir() else None
        catalog = Catalog.empty() if items is None else Catalog.from_table(items)
        return read_gist(rows).interactions, DECLARED, catalog
    dataset = load(name)
    return dataset.interactions, dataset.declared, dataset.catalog


def planted_task(world: PlantedUsers) -> Task:
    """Planted users as a task, with their truth."""
    return Task(
        "planted",
        signals(world.interactions(), world.declared, one_kind=True),
        world.texts,
        taxonomy=SMALL,
        oracle=Oracle(world.oracle),
        planted=world,
        categories={item: (SMALL.names[topic - 1],) for item, topic in world.topics.items()},
    )


def item_categories(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Item id → names of its categories, of items that have some."""
    told = catalog.frame.filter(pl.col("categories").list.len() > 0)
    return {
        item: tuple(own) for item, own in told.select("item_id", "categories").iter_rows() if own
    }


def _rows_of(name: str | Path) -> Path | None:
    """The file in GISTBench's schema that a path means; None where it means none."""
    path = Path(name).expanduser()
    if not str(name) or not path.exists():
        return None
    files.refuse_unreadable(path)
    if path.is_dir():
        return find_gist(path)
    return path if looks_like_gist(path) else None


def _of_folder(folder: Path, read: GistRows) -> Task:
    """Rows with what lies beside them."""
    items = find_items(folder)
    catalog = Catalog.empty() if items is None else Catalog.from_table(items)
    written = catalog.frame.select("item_id", "text").drop_nulls()
    texts = dict(written.iter_rows()) | dict(read.texts)
    if (folder / TRUTH).is_file():
        return planted_task(open_truth(folder / TRUTH, read, texts))
    beside = {one: folder / one for one in (TAXONOMY, ORACLE) if (folder / one).is_file()}
    return Task(
        folder.resolve().name,
        signals(read.interactions, DECLARED, one_kind=True),
        texts,
        taxonomy=Taxonomy.open(beside[TAXONOMY]) if TAXONOMY in beside else None,
        oracle=Oracle.open(beside[ORACLE]) if ORACLE in beside else None,
        categories=item_categories(catalog),
    )
