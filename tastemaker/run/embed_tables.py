"""Vectors and captions of a catalogue as tables in files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tastemaker import files
from tastemaker.data.item_pictures import Wanted
from tastemaker.data.parquet import write_parquet
from tastemaker.data.picture_rows import read_item_pictures
from tastemaker.data.spreadsheet import inert
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.models.picture_files import looked_at
from tastemaker.run.embed_opened import ItemVectors, OpenedEmbedding
from tastemaker.run.export import refuse_place


def write_vectors(made: ItemVectors, side: str, to: Path) -> JsonObject:
    """Write `item_id` and `vector` of each item, whole or not at all.

    Args:
        made: The vectors.
        side: What they are made of.
        to: A Parquet file, replaced where there is one.

    Returns:
        to, items, dim, side, dropped, cut, model, warnings.

    Raises:
        OutOfResources: If the file does not fit on the disk; the one that was there is intact.
    """
    count, dim = made.vectors.shape
    vectors = pl.Series("vector", made.vectors, dtype=pl.Array(pl.Float32, dim))
    frame = pl.DataFrame([pl.Series("item_id", made.items.item_ids), vectors])
    _write(frame, to)
    return {
        "to": str(to),
        "items": count,
        "dim": dim,
        "side": side,
        "dropped": made.items.dropped,
        "cut": made.cut,
        "model": made.model.name,
        "warnings": list(made.model.warnings),
    }


def write_captions(
    model: OpenedEmbedding, data: object, to: Path, most: int, bad_rows: Path | None = None
) -> JsonObject:
    """Write `item_id` and `caption` of each item of a catalogue, whole or not at all.

    Args:
        model: What writes.
        data: The catalogue.
        to: A Parquet, CSV or JSON lines file, replaced where there is one.
        most: Tokens of a caption.
        bad_rows: Leave bad rows out and write them to this file.

    Returns:
        to, items, dropped, model, warnings.

    Raises:
        BadData: With every problem found.
        OutOfResources: If the file does not fit on the disk; the one that was there is intact.
    """
    items = read_item_pictures(data, Wanted(texts=False), looked_at, bad_rows)
    said = model.captions(items.paths, most=most)
    _write(pl.DataFrame({"item_id": items.item_ids, "caption": said}), to)
    return {
        "to": str(to),
        "items": len(items),
        "dropped": items.dropped,
        "model": model.name,
        "warnings": list(model.warnings),
    }


def check_place(to: Path, model: str, vectors: bool) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Args:
        to: The file.
        model: Name or folder of the model, which no file may be put into.
        vectors: They go into Parquet alone.

    Raises:
        BadInput: With the endings there are.
    """
    if vectors and to.suffix.lower() != ".parquet":
        what = f"Vectors are not written to files ending in {to.suffix!r}."
        raise BadInput(what, "--to", "Use .parquet.")
    refuse_place(to, Path(model))


def _write(frame: pl.DataFrame, to: Path) -> None:
    with files.replaced(to, int(frame.estimated_size())) as partial:
        if to.suffix.lower() == ".parquet":
            write_parquet(partial, frame)
        elif to.suffix.lower() == ".csv":
            inert(frame).write_csv(partial)
        else:
            frame.write_ndjson(partial)
