"""Arrow files that map into memory without a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tastemaker.errors import ArtefactError
from tastemaker.files import resources


def write_arrow(path: Path, table: pa.Table) -> None:
    """Write one Arrow IPC file of a single record batch, so that it maps without a copy."""
    batch = table.combine_chunks()
    with (
        resources(path, batch.nbytes),
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, batch.schema) as writer,
    ):
        writer.write_table(batch)


def array_of(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """(n,) numbers of a column, without a copy where it is one chunk.

    By way of polars: where pandas is installed pyarrow would load it to do the same.
    """
    array: npt.NDArray[Any] = pl.Series(column).to_numpy()
    return array


def open_arrow(path: Path) -> pa.Table:
    """Map an Arrow IPC file into memory."""
    fix = "Restore the folder from a copy, or make it again."
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        _ = table.column_names  # decoded only now
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what, want = "File cannot be read", "an Arrow file"
        raise ArtefactError(str(path), what, want, str(error), fix) from None
    return table
