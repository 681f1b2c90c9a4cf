"""Small catalogues with pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 60), "blue": (30, 60, 220)}


def save_picture(path: Path, name: str, corner: int = 0, side: int = 32) -> None:
    """A square of a colour in one of four corners, on white."""
    from PIL import Image

    picture = Image.new("RGB", (side, side), "white")
    half = side // 2
    row, column = divmod(corner, 2)
    square = Image.new("RGB", (half, half), COLOURS[name])
    picture.paste(square, (column * half, row * half))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def save_noise(path: Path, seed: int, mode: str = "RGB", size: tuple[int, int] = (20, 12)) -> None:
    """A picture like no other, in a mode of PIL."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


def save_items(folder: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write items.csv with `item_id` i0, i1, … where none are given."""
    folder.mkdir(parents=True, exist_ok=True)
    many = len(next(iter(columns.values())))
    ids = {"item_id": [f"i{n}" for n in range(many)]}
    pl.DataFrame(ids | dict(columns)).write_csv(folder / "items.csv")
    return folder
