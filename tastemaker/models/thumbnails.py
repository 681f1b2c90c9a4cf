"""Small copies of pictures, to be shown: drawn anew, so nothing else of a file is passed on."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra
from tastemaker.models.images import bytes_a_colour

LONGEST = 320
"""Pixels of the longer side, at most."""
MOST_PIXELS = 50_000_000
"""Of a picture that is looked at."""
TYPE = "image/jpeg"
_QUALITY = 85


def thumbnail(path: Path, longest: int = LONGEST) -> bytes:
    """A JPEG file of a picture, upright and on white, no larger than it is.

    Args:
        path: A picture of any format that PIL reads.
        longest: Pixels of its longer side, at most.

    Raises:
        BadInput: If it cannot be read, or has more than `MOST_PIXELS`.
    """
    with extra("vision"):
        from PIL import Image, ImageOps
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
                picture.draft("RGB", (longest, longest))  # a JPEG is read smaller, which is sooner
                upright = bytes_a_colour(ImageOps.exif_transpose(picture))
                upright.thumbnail((longest, longest))
            clear = upright.convert("RGBA")
            paper = Image.new("RGBA", clear.size, "white")
            paper.alpha_composite(clear)
            written = io.BytesIO()
            paper.convert("RGB").save(written, "JPEG", quality=_QUALITY)
    except Exception as error:  # decoders of damaged files raise anything at all
        fix = "Put a whole JPEG, PNG or WebP file there."
        raise BadInput(
            f"The picture cannot be read: {str(error) or type(error).__name__}.", str(path), fix
        ) from error
    return written.getvalue()
