"""Picture files as arrays, and what tells equal ones: any format, mode and size that PIL reads."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.models.images import drawn

Picture = npt.NDArray[np.uint8]

MOST_PIXELS = 50_000_000
"""Of a picture; a small file can hold more than the memory does."""


def read_picture(source: Any, longest: int = 0, row: int = 0) -> Picture:
    """(H, W, 3) bytes of RGB: upright, on white, of an animation its first frame.

    Args:
        source: Path of a file, or a PIL image.
        longest: Pixels that its longer side is scaled down to, if it has more; 0: as it is.
        row: Its number among others, for messages.

    Raises:
        BadInput: If it cannot be read, or has more than `MOST_PIXELS`.
    """

    def smaller(picture: Any) -> Any:
        if longest and max(picture.size) > longest:
            picture.thumbnail((longest, longest))
        return picture

    _refuse_huge(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PIL warns of metadata that does not matter here
        return drawn(source, row, smaller)


def looked_at(path: Path) -> str:
    """The sha256 of a picture's bytes, once all of it was decoded.

    Raises:
        BadInput: If it cannot be read; says why.
    """
    read_picture(path, 8)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refuse_huge(source: Any) -> None:
    if not isinstance(source, str | Path):
        return
    from tastemaker.models.extras import extra

    with extra("vision"):
        from PIL import Image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source) as picture:
                pixels = picture.width * picture.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return  # said when it is read
    if pixels > MOST_PIXELS:
        what = f"The picture has {pixels:,} pixels."
        raise BadInput(what, str(source), f"Scale it to at most {MOST_PIXELS:,}.")
