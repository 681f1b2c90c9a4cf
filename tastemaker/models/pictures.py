"""Pictures of any origin, opened in one way: upright, on white, in RGB of 8 bits, within bounds.

Of a picture that moves, the first frame is read. Whatever a decoder raises over a damaged file
becomes one typed error that names it.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from PIL.Image import Image

    Source = str | Path | bytes | Image | npt.NDArray[np.uint8]

MOST_PIXELS = 50_000_000
"""Of a picture; a small file can hold more than the memory does."""


def read_picture(source: Source, where: str = "the picture", longest: int = 0) -> Image:
    """Open a picture whole.

    Args:
        source: A path, what a file holds, a picture of PIL, or (H, W, 3) bytes.
        where: Its name in messages, if it is no path.
        longest: Pixels of a side that are enough: a JPEG is then read smaller, which is sooner.

    Returns:
        RGB of 8 bits.

    Raises:
        BadInput: If it is damaged, none, or has more than `MOST_PIXELS`.
    """
    with extra("vision"):
        from PIL import ImageOps
    name = str(source) if isinstance(source, str | Path) else where
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that are checked here, and of odd metadata
            with _opened(source, name) as picture:
                _refuse_huge(picture, name)
                if longest:
                    picture.draft("RGB", (longest, longest))
                return _on_white(_bytes_a_colour(ImageOps.exif_transpose(picture)))
    except BadInput:
        raise
    except Exception as error:  # decoders of damaged files raise anything at all
        raise _unreadable(name, error) from error


def square(source: Source, size: int, row: int) -> npt.NDArray[np.uint8]:
    """The middle square of a picture: (size, size, 3) bytes of RGB.

    Args:
        source: As `read_picture` takes it.
        size: Pixels of a side.
        row: Its number, for messages.

    Raises:
        BadInput: If it cannot be read; names the file or the row.
    """
    whole = read_picture(source, f"row {row}")
    side = min(whole.size)
    left, top = (whole.width - side) / 2, (whole.height - side) / 2
    middle = (left, top, left + side, top + side)
    from PIL import Image

    return np.array(whole.resize((size, size), Image.Resampling.BICUBIC, middle))


def picture_bytes(path: str | Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        BadInput: If it cannot be read; names the file.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(str(path), error) from error


def _opened(source: Any, name: str) -> Image:
    """A picture that is not decoded yet, and may be closed."""
    from PIL import Image

    if isinstance(source, str | Path):
        return Image.open(source)
    if isinstance(source, bytes):
        try:
            return Image.open(io.BytesIO(source))
        except Image.DecompressionBombError:
            raise
        except Exception as error:  # it names a place in memory
            raise ValueError("it is none, or damaged") from error
    if isinstance(source, Image.Image):
        return source.copy()
    what = f"{name[:1].upper()}{name[1:]} is {type(source).__name__}, no picture."
    if isinstance(source, np.ndarray):
        bytes_of_rgb = source.dtype == np.uint8 and source.ndim == 3 and source.shape[2:] == (3,)
        if bytes_of_rgb and source.size:
            return Image.fromarray(source)
        what = f"An array of shape {source.shape} of {source.dtype} is no picture."
    raise BadInput(what, name, "Give a path, a picture of PIL, or (H, W, 3) bytes of RGB.")


def _unreadable(name: str, error: Exception) -> BadInput:
    from PIL import Image

    if isinstance(error, Image.DecompressionBombError):
        size = str(error).split(" exceeds")[0]  # of Pillow's own limit, which is another
        fix = f"Scale it to at most {MOST_PIXELS:,}."
        return BadInput(f"The picture is too large: {size}.", name, fix)
    fix = "Give a whole JPEG, PNG or WebP file, or leave it out."
    if isinstance(error, OSError) and error.strerror:
        why = error.strerror.lower()
    else:
        why = str(error) or type(error).__name__
    return BadInput(f"The picture cannot be read: {why}.", name, fix)


def _refuse_huge(picture: Image, where: str) -> None:
    """Refuse what the memory may not hold, before it is decoded."""
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS:
        what = f"The picture has {pixels:,} pixels."
        raise BadInput(what, where, f"Scale it to at most {MOST_PIXELS:,}.")


def _bytes_a_colour(picture: Any) -> Any:
    """A grey picture of more than 8 bits, scaled to 8: plain conversion cuts it to white.

    Raises:
        ValueError: If it has fractions for colours, whose range nothing tells.
    """
    if picture.mode == "F":
        raise ValueError("its values have no known range")
    if not picture.mode.startswith("I"):
        return picture
    from PIL import Image

    numbers = np.array(picture).clip(0, 65_535)
    # Whole numbers of 32 bits are of no one range: those of a byte are taken for bytes.
    small = picture.mode == "I" and numbers.max(initial=0) <= 255
    return Image.fromarray((numbers if small else numbers // 256).astype(np.uint8))


def _on_white(picture: Image) -> Image:
    """RGB, white where it is clear."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    paper = Image.new("RGBA", clear.size, "white")
    paper.alpha_composite(clear)
    return paper.convert("RGB")
