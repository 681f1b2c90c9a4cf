"""Parquet files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tastemaker.files import resources


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write one Parquet file.

    Raises:
        OutOfResources: If the disk is full or may not be written.
    """
    with resources(path, int(frame.estimated_size())):
        frame.write_parquet(path)
