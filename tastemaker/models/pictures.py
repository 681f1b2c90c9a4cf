"""Pictures of any origin, opened whole as RGB: upright, on white, and within bounds."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 2**25
"""Of a picture; a small file can claim to hold far more."""
MOST_BYTES = 2**28
"""Of a file."""
_FIX = "Give a whole JPEG, PNG or WebP file."


def read_picture(source: Path | bytes, where: str = "") -> Image:
    """Open a picture; of one that moves, its first frame.

    Args:
        source: A file, or what it holds.
        where: Its name in messages, if it is no file.

    Returns:
        RGB of 8 bits.

    Raises:
        BadInput: If it is damaged, none, or too large.
    """
    with extra("vision"):
        from PIL import Image, ImageOps
    name = str(source) if isinstance(source, Path) else where or "the picture"
    broken = (OSError, ValueError, SyntaxError, OverflowError, Image.DecompressionBombError)
    try:
        if isinstance(source, Path) and source.stat().st_size > MOST_BYTES:
            raise BadInput(f"The picture has more than {MOST_BYTES / 2**20:.0f} MiB.", name, _FIX)
        data = source.read_bytes() if isinstance(source, Path) else source
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a size that is checked here
            with Image.open(io.BytesIO(data)) as picture:
                _check(picture, name)
                picture.seek(0)
                return _opaque(_of_bytes(ImageOps.exif_transpose(picture)))
    except broken as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(source, bytes):
            told = "it is none, or damaged"
        raise BadInput(f"The picture cannot be read: {told}.", name, _FIX) from error


def _check(picture: Image, name: str) -> None:
    wide, high = picture.size
    if wide * high > MOST_PIXELS:
        what = f"The picture has {wide:,} x {high:,} pixels, of at most {MOST_PIXELS:,}."
        raise BadInput(what, name, "Scale it down.")


def _of_bytes(picture: Image) -> Image:
    """A picture of more than 8 bits a colour scaled to 8, where plain conversion would cut."""
    from PIL import Image

    if not picture.mode.startswith(("I", "F")):
        return picture
    numbers = np.nan_to_num(np.asarray(picture).astype(np.float64))
    most = 65_535 if picture.mode.startswith("I") else 1
    if numbers.max(initial=0) <= 255 and picture.mode in ("I", "F"):
        most = 255 if numbers.max(initial=0) > 1 or picture.mode == "I" else 1
    return Image.fromarray((numbers / most * 255).round().clip(0, 255).astype(np.uint8))


def _opaque(picture: Image) -> Image:
    from PIL import Image

    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        white.alpha_composite(clear)
        picture = white
    ready: Image.Image = picture.convert("RGB")
    return ready
