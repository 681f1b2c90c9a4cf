"""The data as a run keeps it: the whole log, every event and its polarity, and the catalogue."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tastemaker import files
from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import Dataset
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.files import JsonObject
from tastemaker.run.folder import CONFIG, DECLARATION, ITEMS

PICTURES = "pictures"
"""Entry of `config.json`: the folder where the catalogue's pictures lie; the run has no copy."""


def keep_data(folder: Path, dataset: Dataset) -> None:
    """Write the log, the catalogue and, last, what is declared about them.

    A log that was read from this very folder is mapped into memory and left as it is.
    """
    if dataset.source == str(folder):
        return
    dataset.interactions.save(folder)
    dataset.catalog.save(folder / ITEMS)
    dataset.declared.save(folder / DECLARATION)


def pictures_of(catalog: Catalog) -> JsonObject:
    """What `config.json` says of where the pictures of a catalogue lie; nothing without one."""
    return {PICTURES: catalog.folder} if catalog.has_pictures else {}


def kept_data(folder: Path) -> Dataset:
    """The data of a run directory; arrays are read from disk as they are touched.

    Raises:
        ArtefactError: If a file is missing or damaged.
    """
    declared = Declaration.open(folder / DECLARATION)
    path = folder / CONFIG
    pictures = files.read_json(path).get(PICTURES, "") if path.is_file() else ""
    log, catalog = Interactions.open(folder), Catalog.open(folder / ITEMS, str(pictures))
    dropped = pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String, "value": pl.String})
    return Dataset(declared.name, log, catalog, declared, str(folder), dropped)
