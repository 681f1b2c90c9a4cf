"""Tools: twelve edits of a picture that turn one's eye to the columns, rows or values that matter.

Each takes a picture, names and boxes, and gives a new picture of the same size; what it was given
stays as it was. The rest may be painted white (`mask`), what is named be outlined in red (`draw`),
or laid under transparent red (`highlight`).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tastemaker.data.boxes import AXES, Axis, Boxes
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from PIL.Image import Image

Effect = Literal["mask", "draw", "highlight"]
EFFECTS: tuple[Effect, ...] = ("mask", "draw", "highlight")
MOST_NAMES = 64
"""Names that an edit takes."""
RED = (255, 0, 0)
ALPHA = 50
"""How much of 255 a highlight covers."""
WIDTH = 3
"""Pixels of an outline."""
_MASK_PAD, _PAD = 1, 2
_NEAR = 0.75
_COMPARED = 40
"""Characters of a name that are compared with others."""
_TOLD, _SHOWN = 3, 12
_HEADED: tuple[Axis, ...] = ("rows",)
"""Axes whose first box is the head of the table, which a mask leaves."""


class ToolFault(Exception):
    """What keeps a tool from its edit, in words that a model can use."""


@dataclass(frozen=True)
class Focused:
    """What an edit gave."""

    image: Image
    """RGB, of the size of the picture that was edited"""
    named: tuple[str, ...]
    """boxes that the names stand for"""
    unknown: tuple[str, ...] = ()
    """names that no box has; they were passed over"""
    taken: tuple[tuple[str, str], ...] = ()
    """names that no box has, each with the name that was taken for it"""

    def notes(self, boxes: Boxes) -> list[str]:
        """A line for each of the first names that no box has: what was taken, or may be meant."""
        taken = [f"{name[:40]!r} was taken for {box[:40]!r}." for name, box in self.taken[:_TOLD]]
        return [*taken, *(_told(name, boxes) for name in self.unknown[:_TOLD])]


@dataclass(frozen=True)
class Tool:
    """One of the twelve."""

    axis: Axis
    effect: Effect

    @property
    def name(self) -> str:
        """What a snippet calls it."""
        return f"focus_on_{self.axis}_with_{self.effect}"

    def __call__(self, image: Image, names: Sequence[str], boxes: Boxes) -> Image:
        """The edited picture; `focus` says what became of the names too."""
        return self.focus(image, names, boxes).image

    def focus(
        self, image: Image, names: Sequence[str], boxes: Boxes, fuzzy: bool = False
    ) -> Focused:
        """Edit a copy of a picture.

        Args:
            image: Of any mode; it is not changed.
            names: At most 64, of what matters; unknown ones are passed over.
            boxes: Of this axis, by name, in the order in which they stand there.
            fuzzy: Whether a name that no box has stands for the box whose name is nearest.

        Raises:
            ToolFault: If there are more names.
        """
        if len(names) > MOST_NAMES:
            what = f"{self.name} takes at most {MOST_NAMES} names, and was given {len(names)}."
            raise ToolFault(what)
        found = {name: _found(name, boxes, fuzzy) for name in names}
        named = tuple(dict.fromkeys(name for name in found.values() if name is not None))
        unknown = tuple(name for name, box in found.items() if box is None)
        with extra("vision"):
            copy = image.convert("RGB") if image.mode != "RGB" else image.copy()
        if named:
            _EDITS[self.effect](copy, named, boxes, self.axis)
        taken = tuple((name, box) for name, box in found.items() if box not in (None, name))
        return Focused(copy, named, unknown, taken)


def _found(name: str, boxes: Boxes, fuzzy: bool) -> str | None:
    if name in boxes or not fuzzy:
        return name if name in boxes else None
    return next(iter(near(name, boxes)), None)


def differ(image: Image, other: Image) -> bool:
    """Whether a pixel of two pictures of one size differs."""
    with extra("vision"):
        from PIL import ImageChops
    return ImageChops.difference(image.convert("RGB"), other.convert("RGB")).getbbox() is not None


def near(name: str, boxes: Boxes, most: int = 1) -> list[str]:
    """Names of boxes that are like a name, the likest first; case and spacing do not matter."""
    plain = {_folded(other): other for other in reversed(list(boxes))}
    asked = _folded(name)
    return [plain[other] for other in difflib.get_close_matches(asked, plain, most, _NEAR)]


def _folded(name: str) -> str:
    return "".join(name.casefold().split())[:_COMPARED]


def _told(name: str, boxes: Boxes) -> str:
    shown = f"{name[:40]!r}"
    if meant := near(name, boxes):
        return f"There is no {shown}; did you mean {meant[0]!r}?"
    known = ", ".join(repr(other) for other in list(boxes)[:_SHOWN])
    return f"There is no {shown}; there are {known}{', …' if len(boxes) > _SHOWN else ''}."


def _mask(image: Image, named: Sequence[str], boxes: Boxes, axis: Axis) -> None:
    """White on every other box, but that no pixel of a named one changes."""
    head = list(boxes)[:1] if axis in _HEADED else []
    if not set(named) - set(head):
        return  # all rows would vanish
    kept = [pixels for name in (*head, *named) if (pixels := boxes[name].pixels(*image.size))]
    pieces = [(pixels, image.crop(pixels)) for pixels in kept]
    others = [box for name, box in boxes.items() if name not in named and name not in head]
    for box in others:
        if pixels := box.pixels(*image.size, _MASK_PAD):
            image.paste((255, 255, 255), pixels)
    for pixels, piece in pieces:
        image.paste(piece, pixels)


def _draw(image: Image, named: Sequence[str], boxes: Boxes, axis: Axis) -> None:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    for name in named:
        if pixels := boxes[name].pixels(*image.size, _PAD):
            left, top, right, bottom = pixels
            pen.rectangle((left, top, right - 1, bottom - 1), outline=RED, width=WIDTH)


def _highlight(image: Image, named: Sequence[str], boxes: Boxes, axis: Axis) -> None:
    """Where boxes overlap it is as red as elsewhere."""
    from PIL import Image as images

    over = images.new("L", image.size)
    for name in named:
        if pixels := boxes[name].pixels(*image.size, _PAD):
            over.paste(ALPHA, pixels)
    if region := over.getbbox():
        over = over.crop(region)
        image.paste(RED, region, over)


_EDITS: Mapping[Effect, Callable[[Image, Sequence[str], Boxes, Axis], None]] = {
    "mask": _mask,
    "draw": _draw,
    "highlight": _highlight,
}
TOOLS: Mapping[str, Tool] = {
    tool.name: tool for tool in (Tool(axis, effect) for axis in AXES for effect in EFFECTS)
}
"""All twelve, by name."""
