"""Picture files: decoded once before anything depends on them, and small enough for a page."""

from __future__ import annotations

import io
from pathlib import Path

from tastemaker.errors import BadInput
from tastemaker.files import sha256_file
from tastemaker.models.extras import extra
from tastemaker.models.pictures import read_picture, square


def looked_at(path: Path) -> str:
    """The sha256 of a picture's bytes, once all of it was decoded.

    Raises:
        BadInput: If it cannot be read, or has more than `pictures.MOST_PIXELS`.
    """
    read_picture(path)
    return bytes_of(path)


def bytes_of(path: Path) -> str:
    """The sha256 of a file's bytes, which may be no picture.

    Raises:
        BadInput: If it cannot be read.
    """
    try:
        return sha256_file(path)
    except OSError as error:
        fix = "Change its permissions, or leave it out."
        raise BadInput(f"The file cannot be read: {error.strerror}.", str(path), fix) from None


def small_jpeg(path: Path, side: int) -> bytes:
    """The middle square of a picture as a JPEG of a few kilobytes.

    Raises:
        BadInput: If it cannot be read.
    """
    pixels = square(path, side, 0)
    with extra("vision"):
        from PIL import Image
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=80)
    return written.getvalue()
