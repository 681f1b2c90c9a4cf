"""Boxes: named regions of a picture, in pixels, such as the columns of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tastemaker.errors import BadInput

Axis = Literal["columns", "rows", "x_values", "y_values"]
"""What boxes are of: a table, or the values of a chart that stand along an axis."""
AXES: tuple[Axis, ...] = ("columns", "rows", "x_values", "y_values")


@dataclass(frozen=True)
class Box:
    """The pixels (x, y) of a picture with x1 <= x < x2 and y1 <= y < y2; y runs downwards."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        """Refuse corners that are no numbers; a box may be empty, or lie outside the picture."""
        if not all(map(math.isfinite, (self.x1, self.y1, self.x2, self.y2))):
            fix = "Give x1, y1, x2 and y2 as finite numbers of pixels."
            raise BadInput(f"{self} has a corner that is no number.", "boxes", fix)

    @property
    def fields(self) -> dict[str, float]:
        """As JSON has it."""
        return {"x1": self.x1, "y1": self.y1, "x2": self.x2, "y2": self.y2}

    def pixels(self, width: int, height: int, pad: int = 0) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of what a picture has of it; None where it has nothing.

        Args:
            width: Pixels of the picture.
            height: Of the picture.
            pad: Pixels that the box is made larger by on every side first.
        """
        left, right = (min(max(round(x), 0), width) for x in (self.x1 - pad, self.x2 + pad))
        top, bottom = (min(max(round(y), 0), height) for y in (self.y1 - pad, self.y2 + pad))
        empty = self.x1 >= self.x2 or self.y1 >= self.y2
        return None if empty or left >= right or top >= bottom else (left, top, right, bottom)


Boxes = Mapping[str, Box]
"""By the name that stands in the picture: the head of a column, the label of a bar."""
