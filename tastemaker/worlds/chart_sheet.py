"""Sheet: a chart in the making, on which one fills boxes and writes into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from tastemaker.data.boxes import Axis, Box
from tastemaker.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = (
    (31, 119, 180), (44, 160, 44), (148, 103, 189), (140, 86, 75), (23, 190, 207), (188, 189, 34),
    (127, 127, 127), (227, 119, 194), (255, 187, 120), (65, 68, 81), (152, 223, 138), (97, 76, 113),
)  # fmt: skip
"""None of them white, black or red."""
INK, GRID, SHADE = (20, 20, 20), (220, 220, 220), (238, 238, 238)
ROOMY = 160
"""Pixels, either way, from which on there are a title and labels of the axis."""


@dataclass
class Sheet:
    """A picture in the making."""

    image: Image
    pen: ImageDraw
    font: FreeTypeFont
    plot: Box
    """where values are drawn"""
    boxes: dict[Axis, dict[str, Box]] = field(default_factory=dict)
    marks: dict[tuple[str, str], Box] = field(default_factory=dict)

    @property
    def roomy(self) -> bool:
        """Whether there is room for a title and the labels of an axis."""
        return min(self.image.size) >= ROOMY

    def fill(self, box: Box, colour: Colour) -> None:
        """Paint a box."""
        if pixels := box.pixels(*self.image.size):
            left, top, right, bottom = pixels
            self.pen.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def write(self, text: str, box: Box) -> None:
        """A text in the middle of a box, cut to its width; nothing where no letter fits."""
        wide, high = box.x2 - box.x1, box.y2 - box.y1
        while text and self.font.getlength(text) > wide:
            text = text[1:] if text.isdigit() else text[:-1]  # of a year, its end tells it apart
        if text and high >= self.font.size * 0.7:
            middle = ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
            self.pen.text(middle, text, fill=INK, font=self.font, anchor="mm")


def blank(width: int, height: int) -> Sheet:
    """An empty sheet.

    Raises:
        BadInput: If the library that draws is missing.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        fix = "Run `pip install 'tastemaker[vision]'`."
        raise BadInput(f"A library is missing: {error}.", "the extra 'vision'", fix) from error
    image = Image.new("RGB", (width, height), "white")
    font = _font(min(max(round(min(width, height) / 24), 6), 24))
    top = 2 * font.size if min(width, height) >= ROOMY else 1
    return Sheet(image, ImageDraw.Draw(image), font, Box(1, top, width - 1, height - 1))


def bands(start: float, end: float, many: int) -> list[int]:
    """Where equal bands from `start` to `end` begin, and where the last ends."""
    return [round(start + (end - start) * n / many) for n in range(many + 1)]


@lru_cache(maxsize=32)
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)  # type: ignore[return-value]  # of a size: never a bitmap
