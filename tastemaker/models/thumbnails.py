"""Small copies of pictures, to be shown: drawn anew, so nothing else of a file is passed on."""

from __future__ import annotations

import io
from pathlib import Path

from tastemaker.models.pictures import read_picture

LONGEST = 320
"""Pixels of the longer side, at most."""
TYPE = "image/jpeg"
_QUALITY = 85


def thumbnail(path: Path, longest: int = LONGEST) -> bytes:
    """A JPEG file of a picture, upright and on white, no larger than it is.

    Args:
        path: A picture of any format that PIL reads.
        longest: Pixels of its longer side, at most.

    Raises:
        BadInput: If it cannot be read, or is too large.
    """
    picture, written = read_picture(path, longest=longest), io.BytesIO()
    picture.thumbnail((longest, longest))
    picture.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
